"""Incoming mappings in a real browser: edited, tried and published with scripts and without; every page sound."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import NewPage
from tests.browser.test_soundness import check

pytestmark = [pytest.mark.browser, pytest.mark.one_store, pytest.mark.xdist_group("browser")]
LIST = "/sandbox/integration/incoming"


def open_mapping(page: Page, name: str) -> str:
    page.goto("/sandbox")
    page.get_by_role("button", name="Create my sandbox").click()
    page.goto(LIST)
    page.get_by_role("link", name=name).click()
    page.wait_for_selector("#rows-0-source")
    return page.url


def sees(page: Page, selector: str) -> bool:
    """Whether the first of these lies within what the window shows, at its beginning at least."""
    place = page.locator(selector).first.bounding_box()
    height = page.evaluate("innerHeight")
    return place is not None and 0 <= place["y"] < height


@pytest.mark.parametrize("script", [True, False], ids=["scripts", "no scripts"])
def test_a_mapping_is_edited_tried_and_published(new_page: NewPage, script: bool) -> None:
    page = new_page(script=script)
    home = open_mapping(page, "Website lead")
    page.get_by_role("button", name="Add row").click()
    page.fill("#rows-7-source", "tel")
    page.select_option("#rows-7-field", "phone")
    page.select_option("#rows-7-new-check", "range")
    page.locator("#add-rows-7-checks").click()
    page.fill("#rows-7-checks-0-min", "ten")
    page.locator("#up-rows-7").click()
    page.wait_for_selector("#rows-6-checks-0-min")
    assert page.input_value("#rows-6-source") == "tel"
    page.get_by_role("button", name="Save draft").click()
    page.wait_for_selector("text=Not saved")
    assert sees(page, "#notice")
    assert not script or page.evaluate("document.activeElement.id") == "notice"
    assert "must be a number" in page.inner_text("#rows-6-checks-0-min-error")
    assert "Another row fills phone too" in page.inner_text("#rows-6-field-error")
    page.locator("#remove-rows-6").click()
    page.wait_for_selector("#rows-7", state="detached")
    page.fill("#rows-0-source", "given")
    page.get_by_role("button", name="Save draft").click()
    page.wait_for_selector("text=Draft saved")
    assert "What stands here is the draft." in page.inner_text("main")
    page.locator("#do-check").click()
    page.wait_for_selector("text=The mapping can work")
    assert sees(page, "#notice")
    page.goto(f"{home}/try")
    page.get_by_role("button", name="Dry run").click()
    page.wait_for_selector("text=lead.created")
    page.goto(home)
    page.get_by_role("button", name="Publish").click()
    page.wait_for_selector("text=Version 2 is live")
    assert "What stands here is live" in page.inner_text("main")
    versions = page.locator("table", has_text="Versions, the newest first").locator("tbody tr")
    assert [row.split()[1] for row in versions.all_inner_texts()] == ["live", "retired"]


def test_every_page_of_a_mapping_is_sound(new_page: NewPage) -> None:
    page, seen = new_page(), set[int]()
    home = open_mapping(page, "Goods receipt")
    paths = [LIST, home, f"{home}/try", f"{home}/imports", f"{LIST}/logs", "/sandbox/integration/statuses"]
    assert [fault for path in paths for fault in check(page, path, seen)] == []


@pytest.mark.parametrize(("script", "width"), [(True, 1280), (False, 320)], ids=["scripts", "no scripts, small"])
def test_a_file_is_chosen_once_previewed_and_started(new_page: NewPage, script: bool, width: int) -> None:
    page = new_page(script=script, width=width)
    home = open_mapping(page, "Vendor creation")
    page.goto(f"{home}/imports")
    rows = "VendorName;GSTNUMBER; City;Remark\r\nABC Traders;27ABCDE1234F1Z5;Mumbai;new\r\nNobody;bad;Bombai;\r\n"
    file = {"name": "Lieferanten.csv", "mimeType": "text/csv", "buffer": rows.encode("cp1252")}
    page.set_input_files("#file", file)  # type: ignore[arg-type]
    page.get_by_role("button", name="Upload and preview").click()
    page.wait_for_selector("text=Nothing is written yet")
    columns = page.locator("table", has_text="Columns of the file").locator("tbody tr")
    assert [row.split()[-1] for row in columns.all_inner_texts()] == ["name", "gst_no", "city", "name"]
    assert "passed over" in columns.nth(3).inner_text()
    if script:
        assert check(page, page.url, set()) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth") if script else True
    page.get_by_role("button", name="Import 2 rows").click()
    page.wait_for_selector("text=Lieferanten.csv started: 2 rows")
