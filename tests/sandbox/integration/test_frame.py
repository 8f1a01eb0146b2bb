"""The frame of the integration pages: its sections, whose they are, and the plan they need."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.integration.navigation import CHAPTERS, current_section
from tests.sandbox.console.conftest import Visitor


def test_the_sandbox_leads_to_every_section_of_the_integration(new_visitor: Callable[[], Visitor]) -> None:
    alice = new_visitor()
    alice.open_sandbox()
    assert "/sandbox/integration" in alice.get("/sandbox").links
    page = alice.get("/sandbox/integration")
    for chapter in CHAPTERS:
        assert chapter.title in page.text
        assert {section.href for section in chapter.sections} <= set(page.links)


def test_a_plan_without_integration_is_told_which_one_has_it(new_visitor: Callable[[], Visitor]) -> None:
    alice = new_visitor()
    alice.open_sandbox("growth")
    page = alice.get("/sandbox/integration", 403)
    assert "Upgrade required" in page.text
    assert "comes with the plan Enterprise. This sandbox is on Growth." in page.text


def test_who_has_no_sandbox_has_no_integration(new_visitor: Callable[[], Visitor]) -> None:
    page = new_visitor().get("/sandbox/integration", 404)
    assert "You have no sandbox" in page.text
    assert "Create my sandbox" in [link.text for link in page.find_all("a", href="/sandbox")]


def test_the_start_page_names_first_steps_and_finds_a_trace(new_visitor: Callable[[], Visitor]) -> None:
    alice = new_visitor()
    alice.open_sandbox()
    page = alice.get("/sandbox/integration")
    for words in ("Receive records from a system", "Send records to a partner", "Be told of events"):
        assert words in page.text
    headers = {"x-api-key": alice.keys["administrator"], "X-Request-Id": "order-4711"}
    alice.client.get("/api/v2/customers", headers=headers)
    found = alice.client.get("/sandbox/integration/traces?request_id=+order-4711+", follow_redirects=True)
    assert (found.status_code, found.request.path) == (200, "/sandbox/integration/traces/order-4711")
    assert "subscribes to these events" not in found.text
    unknown = alice.get("/sandbox/integration/traces/nothing", 404)
    assert "No call with this request id is in the log" in unknown.text
    assert alice.client.get("/sandbox/integration/traces").location == "/sandbox/integration"


def test_a_trace_without_deliveries_says_why(new_visitor: Callable[[], Visitor]) -> None:
    alice = new_visitor()
    alice.open_sandbox()
    headers = {"x-api-key": alice.keys["administrator"], "X-Request-Id": "order-4712"}
    alice.client.post("/api/v2/customers", json={"account": "Jane"}, headers=headers)
    page = alice.get("/sandbox/integration/traces/order-4712")
    assert "No webhook and no mapping subscribes to these events" in page.text
    assert "/sandbox/integration/webhooks" in page.links


def test_a_page_belongs_to_the_section_it_stands_deepest_in() -> None:
    found = current_section("/sandbox/integration/incoming/logs/dlv_1")
    assert found is not None
    assert found.label == "Incoming Logs"
    assert current_section("/sandbox/integration/outgoings") is None
