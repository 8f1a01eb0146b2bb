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
    assert "Open one at /sandbox" in new_visitor().get("/sandbox/integration", 404).text


def test_a_page_belongs_to_the_section_it_stands_deepest_in() -> None:
    found = current_section("/sandbox/integration/incoming/logs/dlv_1")
    assert found is not None
    assert found.label == "Incoming Logs"
    assert current_section("/sandbox/integration/outgoings") is None
