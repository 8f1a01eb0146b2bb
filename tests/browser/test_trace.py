"""The way of one record in a real browser: mapping, dry run, call, log, trace, delivery, inbox."""

from __future__ import annotations

import pytest
from flask import Flask
from playwright.sync_api import Page

from sandbox.delivery.worker import Courier
from tests.browser.conftest import NewPage
from tests.conftest import runtime_of

pytestmark = [pytest.mark.browser, pytest.mark.one_store, pytest.mark.xdist_group("browser")]
ROOT = "/sandbox/integration"


def subscribe(page: Page) -> None:
    """Send each new vendor to an address of the sandbox's own inbox."""
    page.goto("/sandbox/inbox")
    page.get_by_role("link", name="Send a webhook here").first.click()
    page.get_by_label("vendor.created").check()
    page.get_by_role("button", name="Add webhook").click()
    page.wait_for_url("**/secret")


def build_mapping(page: Page) -> None:
    """A mapping to vendors with a pattern and a code of its own for what does not fit it."""
    page.goto(f"{ROOT}/incoming")
    page.get_by_label("What it writes").select_option("vendor")
    page.locator("#name").fill("Supplier feed")
    page.get_by_role("button", name="Add mapping").click()
    page.wait_for_selector("#rows-0-source")
    sources = {"name": "supplier.title", "gst_no": "supplier.tax.gst"}
    for row in range(page.locator(".map-rows > .map-row").count()):
        page.fill(f"#rows-{row}-source", sources[page.input_value(f"#rows-{row}-field")])
    page.get_by_role("button", name="Publish").click()
    page.wait_for_selector("text=Version 1 is live")


@pytest.mark.parametrize("script", [True, False], ids=["scripts", "no scripts"])
def test_a_record_is_followed_from_its_mapping_to_the_inbox(app: Flask, new_page: NewPage, script: bool) -> None:
    page = new_page(script=script, width=1280 if script else 390)
    page.goto("/sandbox")
    page.get_by_role("button", name="Create my sandbox").click()
    subscribe(page)
    build_mapping(page)
    page.get_by_role("link", name="Try it").click()
    body = '{"supplier": {"title": "Harbour Paper", "tax": {"gst": "27ABCDE1234F1Z5"}}}'
    page.get_by_label("Body, as the external system sends it").fill(body)
    page.get_by_role("button", name="Dry run").click()
    page.wait_for_selector("text=Nothing was written")
    assert "vendor.created" in page.inner_text("main")
    page.get_by_role("link", name="Edit").click()
    page.get_by_role("link", name="Send it from the console").click()
    assert page.get_by_label("mapping", exact=True).first.input_value() == "supplier-feed"
    page.locator("#body").fill(body)
    page.get_by_role("button", name="Send request").click()
    page.wait_for_selector("text=VEND-1023")
    parts = runtime_of(app)
    Courier(parts.database, parts.outgoing).deliver_due()
    page.goto(f"{ROOT}/incoming/logs?mapping=supplier-feed")
    assert page.locator("#messages tbody tr").count() == 1
    page.locator("#messages tbody a").first.click()
    page.get_by_role("link", name="What came of it: the trace").click()
    told = page.inner_text("main")
    for part in ("supplier-feed", "1 record, SUCCESS", "vendors", "vendor.created", "delivered"):
        assert part in told, part
    page.get_by_role("link", name="vendor.created").last.click()
    assert "delivered" in page.inner_text("main")
    page.goto("/sandbox/inbox")
    assert "verified" in page.inner_text("main")
