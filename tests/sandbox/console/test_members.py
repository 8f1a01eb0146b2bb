"""Members: their sandboxes stay, and they may have several."""

from __future__ import annotations

from sandbox.console.service import MOST_SANDBOXES
from tests.portal import people
from tests.sandbox.console.conftest import Visitor


def sign_up(visitor: Visitor) -> None:
    answer = people.sign_up(visitor.client, f"{visitor.tenant}@example.com", wanted="/sandbox")
    assert answer.location == "/sandbox"


def test_a_guest_who_signs_up_keeps_the_sandbox(alice: Visitor) -> None:
    sign_up(alice)
    page = alice.get("/sandbox")
    assert alice.tenant in page.text
    assert "Ends never" in page.text
    assert "200 OK" in alice.send("customers.list").text


def test_a_member_works_in_one_of_several_sandboxes(alice: Visitor) -> None:
    sign_up(alice)
    first = alice.tenant
    alice.open_sandbox("starter")
    second = alice.tenant
    assert second in alice.post("/sandbox/choose", {"tenant": second}).find_all("dl")[0].itertext()
    page = alice.post("/sandbox/choose", {"tenant": first})
    assert first in page.find_all("dl")[0].itertext()
    assert "Work in it" in page.text


def test_nobody_chooses_a_strangers_sandbox(alice: Visitor, mallory: Visitor) -> None:
    mallory.post("/sandbox/choose", {"tenant": alice.tenant}, status=404)
    assert alice.tenant not in mallory.get("/sandbox").html


def test_a_member_has_so_many_sandboxes_and_no_more(alice: Visitor) -> None:
    sign_up(alice)
    for _ in range(MOST_SANDBOXES - 1):
        alice.post("/sandbox", {"plan": "growth"})
    alice.post("/sandbox", {"plan": "growth"}, status=409)
