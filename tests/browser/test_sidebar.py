"""The list beside the guides in a real browser: the page's own entry is in sight."""

from __future__ import annotations

import pytest

from tests.browser.conftest import NewPage

pytestmark = [pytest.mark.browser, pytest.mark.one_store, pytest.mark.xdist_group("browser")]
ENTRY = "document.querySelector('.sheet-nav [aria-current]').getBoundingClientRect().bottom"


def test_the_entry_of_a_guide_far_down_the_list_is_in_sight(new_page: NewPage) -> None:
    page = new_page()
    page.goto("/docs/inbox")
    assert page.evaluate(f"{ENTRY} < innerHeight")
    assert page.evaluate("scrollY") == 0
