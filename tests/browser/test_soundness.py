"""Every page passes axe (WCAG 2.2 A and AA) in light and dark, fits a phone, and complains of nothing."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Page

from portal.docs.service import current_docs
from tests.browser.conftest import NewPage
from tests.browser.test_first_visit import invite_staff

pytestmark = [pytest.mark.browser, pytest.mark.one_store, pytest.mark.xdist_group("browser")]
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
OPEN_PAGES = ["/search?q=invoice", "/search?q=nothingatall", "/components", "/no-such-page"]
OWN_PAGES = ["/sandbox", "/sandbox/requests", "/sandbox/keys", "/contact", "/support", "/checklist"]
ACCOUNT_PAGES = ["/account/sign-in", "/account/sign-up", "/contact?topic=upgrade"]


def check(page: Page, path: str) -> list[str]:
    """What axe finds on a page in either scheme, and whether it runs over the side."""
    page.goto(path)
    faults = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found = Axe().run(page, options=RULES).response["violations"]
        faults += [f"{path} {scheme} {fault['id']}: {fault['nodes'][0]['html'][:200]}" for fault in found]
    page.set_viewport_size({"width": 320, "height": 700})
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        faults.append(f"{path} is wider than a phone")
    page.set_viewport_size({"width": 1280, "height": 900})
    return faults


def test_every_printed_page_is_sound(app: Flask, new_page: NewPage) -> None:
    page = new_page()
    with app.app_context():
        paths = current_docs().paths()
    assert [fault for path in [*paths, *OPEN_PAGES] for fault in check(page, path)] == []


def test_every_page_of_a_visitor_is_sound(new_page: NewPage) -> None:
    page = new_page()
    faults = [fault for path in [*OWN_PAGES, *ACCOUNT_PAGES] for fault in check(page, path)]
    page.goto("/sandbox")
    page.get_by_role("button", name="Create my sandbox").click()
    page.goto("/sandbox?operation=customers.create")
    page.get_by_role("button", name="Send request").click()
    page.wait_for_selector("text=201")
    page.goto("/support")
    page.get_by_label("Name").fill("Asha Rao")
    page.get_by_label("E-mail").fill("asha.axe@buyers.example")
    page.get_by_label("Message").fill("Is this page sound?")
    page.get_by_role("button", name="Start conversation").click()
    page.wait_for_selector("text=Is this page sound?")
    assert faults + [fault for path in OWN_PAGES for fault in check(page, path)] == []


def test_every_page_of_the_desk_is_sound(app: Flask, live_server: str, new_page: NewPage) -> None:
    page = new_page()
    page.goto(invite_staff(app, "sam.axe@staff.example", live_server))
    page.goto("/staff")
    links = [link.get_attribute("href") or "" for link in page.locator("main a[href^='/staff/']").all()[:4]]
    assert [fault for path in ["/staff", "/account", *links] for fault in check(page, path)] == []
