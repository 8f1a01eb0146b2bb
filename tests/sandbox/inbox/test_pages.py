"""The inbox in a browser: what arrived, found and opened; how the next arrivals are answered."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from sandbox.inbox import pages
from tests.sandbox.console.conftest import Visitor, code_in

INBOX = "/sandbox/inbox"
EVIL = '<script>alert("x")</script>'


@pytest.fixture
def alice(new_visitor: Callable[[], Visitor]) -> Visitor:
    visitor = new_visitor()
    visitor.open_sandbox()
    return visitor


def path_of(visitor: Visitor) -> str:
    url = next(line for line in code_in(visitor.get(INBOX)).split("\n") if "/inbox/" in line)
    return urlsplit(url.strip()).path


def messages_of(visitor: Visitor, query: str = "") -> list[str]:
    return [link for link in visitor.get(INBOX + query).links if link.startswith(f"{INBOX}/ibm_")]


def test_an_empty_inbox_shows_its_address_and_says_how_it_fills(alice: Visitor) -> None:
    page = alice.get(INBOX)
    assert "Nothing has arrived yet" in page.text
    assert INBOX in page.links
    assert "http://localhost:8000/inbox/" in code_in(page)


def test_what_arrived_is_listed_opened_and_never_taken_at_its_word(alice: Visitor) -> None:
    headers = {"webhook-id": EVIL, "X-Evil": EVIL, "webhook-signature": "v1,AAAA"}
    alice.client.post(f"{path_of(alice)}?q={EVIL}", data=EVIL, headers=headers)
    page = alice.get(INBOX)
    assert EVIL not in page.html
    assert "unchecked" in page.text
    opened = alice.get(messages_of(alice)[0])
    assert EVIL not in opened.html
    assert EVIL in code_in(opened)
    assert "X-Evil" in opened.text


def test_messages_are_filtered_and_read_page_by_page(alice: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "ON_A_PAGE", 2)
    for number in range(3):
        alice.client.post(path_of(alice), headers={"webhook-id": f"evt_{number}"})
    assert len(messages_of(alice)) == 2
    assert len(messages_of(alice, "?page=2")) == 1
    assert len(messages_of(alice, "?webhook_id=evt_1")) == 1
    assert len(messages_of(alice, "?verdict=unsigned&address=1")) == 2
    for query in ("?verdict=verified", "?address=99", "?webhook_id=%00", "?page=999999999999", "?verdict=%00"):
        assert "No such message" in alice.get(INBOX + query).text, query
    for query in ("?address=x", "?page=x", f"?address={'9' * 30}", "?page=-1"):
        alice.get(INBOX + query)
    block = alice.client.get(INBOX, headers={"X-Partial": "1"}).text
    assert block.startswith('<div id="messages"')


def test_answers_are_planned_and_taken_back(alice: Visitor) -> None:
    typed = {"address": "1", "kind": "503", "times": "2", "delay_ms": "0", "retry_after": "7"}
    page = alice.post(f"{INBOX}/answers", typed)
    assert "Answers planned" in page.text
    assert "2 of 2" in page.text
    answer = alice.client.post(path_of(alice))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")
    assert "1 of 2" in alice.get(INBOX).text
    assert "Every arrival is answered 200" in alice.post(f"{INBOX}/answers/1/take-back").text
    alice.post(f"{INBOX}/answers/1/take-back")
    alice.post(f"{INBOX}/answers", {"address": "1", "kind": "drop", "times": "1"})
    assert "dropped" in alice.get(INBOX).text


def test_what_is_wrong_stands_beside_its_field(alice: Visitor) -> None:
    for typed, field in (
        ({"times": "0"}, "How many times"),
        ({"times": "many"}, "How many times"),
        ({"times": "1_0"}, "How many times"),
        ({"delay_ms": "１００"}, "Wait, ms"),
        ({"delay_ms": "99999"}, "Wait"),
        ({"address": "7"}, "Address"),
        ({"kind": "299"}, "Answer"),
        ({"retry_after": "é"}, "Retry-After"),
        ({"location": "a\x7fb"}, "Location"),
        ({"kind": "drop", "retry_after": "1"}, "Retry-After"),
    ):
        page = alice.post(f"{INBOX}/answers", {"address": "1", "kind": "503", "times": "1"} | typed, status=400)
        assert field in "".join(page.find_all("ul", **{"class": "error-summary"})[0].itertext()), typed


def test_addresses_are_added_and_deleted_and_the_inbox_cleared(alice: Visitor) -> None:
    path = path_of(alice)
    alice.client.post(path)
    assert "Nothing has arrived yet" in alice.post(f"{INBOX}/clear").text
    assert "Ledger" in alice.post(f"{INBOX}/addresses", {"name": "Ledger"}).text
    for _ in range(8):
        alice.post(f"{INBOX}/addresses", {"name": "More"})
    assert "at most" in alice.post(f"{INBOX}/addresses", {"name": "Too many"}, status=400).text
    alice.post(f"{INBOX}/addresses", {"name": ""}, status=400)
    assert alice.client.post(path).status_code == 200
    alice.post(f"{INBOX}/addresses/1/delete")
    assert alice.client.post(path).status_code == 404


def test_mallory_sees_and_changes_nothing_of_alices(alice: Visitor, new_visitor: Callable[[], Visitor]) -> None:
    path = path_of(alice)
    alice.client.post(path)
    message = messages_of(alice)[0]
    stranger = new_visitor()
    assert stranger.client.get(INBOX).status_code == 404
    stranger.open_sandbox()
    assert messages_of(stranger) == []
    stranger.get(message, status=404)
    stranger.post(f"{INBOX}/clear")
    stranger.post(f"{INBOX}/addresses", {"name": "Second"})
    stranger.post(f"{INBOX}/addresses/2/delete")
    stranger.post(f"{INBOX}/addresses/2/delete", status=404)
    stranger.client.post(f"{INBOX}/clear")
    assert messages_of(alice) == [message]
    assert alice.client.post(f"{INBOX}/clear").status_code == 400
