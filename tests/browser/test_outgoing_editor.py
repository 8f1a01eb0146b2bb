"""The editor of outgoing mappings: a list with a transformed line, with and without script, on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import NewPage

pytestmark = [pytest.mark.browser, pytest.mark.one_store, pytest.mark.xdist_group("browser")]
EDITOR = "/sandbox/integration/outgoing/new"


def overflows(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


@pytest.mark.parametrize(("script", "width"), [(True, 1280), (False, 1280), (True, 320)])
def test_a_list_is_given_rows_previewed_and_published(new_page: NewPage, script: bool, width: int) -> None:
    page = new_page(script=script, width=width)
    page.goto("/sandbox")
    page.get_by_role("button", name="Create my sandbox").click()
    page.goto(EDITOR)
    page.fill("#name", "Lines")
    page.fill("#slug", "lines")
    page.select_option("#rows-0-field", "items")
    page.fill("#rows-0-parameter", "positionen")
    page.select_option("#rows-0-type", "List")
    page.click("#do-check")
    page.wait_for_selector("text=A List has at least one row")
    page.click("#add-rows-0-rows")
    page.select_option("#rows-0-rows-0-field", "amount")
    page.fill("#rows-0-rows-0-parameter", "preis")
    page.select_option("#rows-0-rows-0-new-step", "number_format")
    page.click("#add-rows-0-rows-0-transformations")
    page.select_option("#rows-0-rows-0-transformations-0-decimal", ",")
    page.click("#do-preview")
    page.wait_for_selector("text=Body that would be sent")
    assert "write as a number" in page.inner_text("#rows-0-rows-0")
    assert '"1500,00"' in page.inner_text("#editor pre")
    if script:
        assert not overflows(page)
    page.click("#do-publish")
    page.wait_for_selector("text=Version 1 is live")
