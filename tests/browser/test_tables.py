"""Wide tables in a real browser: they fit a desktop; on a phone they show that there is more, and scroll."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import NewPage

pytestmark = [pytest.mark.browser, pytest.mark.one_store, pytest.mark.xdist_group("browser")]
LISTS = [f"/sandbox/integration/{page}" for page in ("outgoing", "connections", "statuses", "incoming")]
HIDDEN = "box => box.scrollWidth - box.clientWidth"


def boxes_of(page: Page, path: str) -> list[int]:
    """How many pixels of each table of a page are out of sight."""
    page.goto(path)
    return [int(box.evaluate(HIDDEN)) for box in page.locator(".table-scroll").all()]


def test_tables_of_the_integration_fit_a_desktop(new_page: NewPage) -> None:
    page = new_page()
    page.goto("/sandbox")
    page.get_by_role("button", name="Create my sandbox").click()
    assert {path: max(boxes_of(page, path)) for path in LISTS} == dict.fromkeys(LISTS, 0)


def test_a_table_that_runs_on_is_shaded_and_scrolls_by_keyboard(new_page: NewPage) -> None:
    page = new_page(width=390)
    assert max(boxes_of(page, "/docs/credentials")) > 0
    box = page.locator(".table-scroll").first
    assert box.evaluate("box => getComputedStyle(box).backgroundAttachment") == "local, local, scroll, scroll"
    box.evaluate("box => box.addEventListener('scroll', () => { box.dataset.scrolled = 'yes'; })")
    box.press("ArrowRight")
    page.wait_for_selector(".table-scroll[data-scrolled]")
