"""The page of a delivery in a real browser: it tells by itself what became of the message."""

from __future__ import annotations

import pytest
from flask import Flask

from sandbox.delivery.worker import Courier
from tests.browser.conftest import NewPage
from tests.browser.test_trace import subscribe
from tests.conftest import runtime_of

pytestmark = [pytest.mark.browser, pytest.mark.one_store, pytest.mark.xdist_group("browser")]


def test_a_pending_delivery_is_looked_at_again(app: Flask, new_page: NewPage) -> None:
    page = new_page()
    page.goto("/sandbox")
    page.get_by_role("button", name="Create my sandbox").click()
    subscribe(page)
    page.reload()
    page.wait_for_selector("text=The secret was shown already")
    page.get_by_role("button", name="Send test event").click()
    page.wait_for_selector("#delivery[data-refresh]")
    parts = runtime_of(app)
    Courier(parts.database, parts.outgoing).deliver_due()
    page.wait_for_selector("#delivery:not([data-refresh]) .attempt")
    assert "delivered" in page.inner_text("#delivery")
