"""What looks like spam: kept apart, listed, released, and taken for what it is once people vouch for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.lint import read_page
from tests.portal.people import field_of, fill_in, new_email

SPAM = "https://a.example https://b.example https://c.example"


@pytest.fixture
def inquire(new_client: Callable[[], FlaskClient]) -> Callable[..., str]:
    """Send an inquiry to the company, each from an address of its own. Returns its receipt."""

    def send(**fields: Any) -> str:
        body = {"name": "Jane Smith", "email": new_email(), "message": "Hello"} | fields
        answer = new_client().post("/api/public/leads", json=body)
        assert answer.status_code == 201, answer.get_json()
        return str(answer.get_json()["data"]["public_id"])

    return send


def text_of(sam: FlaskClient, path: str) -> str:
    return sam.get(path, follow_redirects=True).get_data(as_text=True)


def press(sam: FlaskClient, receipt: str, verb: str) -> Any:
    return fill_in(sam, f"/staff/leads/{receipt}", f"/staff/inquiries/{receipt}/{verb}")


def is_lead(sam: FlaskClient, receipt: str) -> bool:
    return f"/staff/leads/{receipt}/status" in text_of(sam, f"/staff/leads/{receipt}")


def in_quarantine(sam: FlaskClient, receipt: str) -> bool:
    return "In quarantine" in text_of(sam, f"/staff/leads/{receipt}")


def preset(word: str) -> str:
    return f"I would like to see a demo of the {word} edition, please."


def test_spam_is_listed_and_can_be_put_back(sam: FlaskClient, inquire: Any) -> None:
    receipt = inquire(message=SPAM)
    press(sam, receipt, "spam")
    page = read_page("/staff/spam", sam.get("/staff/spam"))
    assert f"/staff/leads/{receipt}" in page.links
    assert "/staff/spam" in read_page("/staff", sam.get("/staff")).links
    assert press(sam, receipt, "restore").status_code == 303
    assert in_quarantine(sam, receipt)
    assert receipt not in text_of(sam, "/staff/spam")
    assert receipt in text_of(sam, "/staff")


def test_spam_can_be_released_at_once(sam: FlaskClient, inquire: Any) -> None:
    receipt = inquire(message=SPAM)
    press(sam, receipt, "spam")
    assert press(sam, receipt, "release").status_code == 303
    assert is_lead(sam, receipt)


def test_what_is_no_spam_cannot_be_put_back(sam: FlaskClient, inquire: Any) -> None:
    waiting, accepted = inquire(message=SPAM), inquire()
    token = field_of(text_of(sam, f"/staff/leads/{waiting}"), "csrf_token", f"/staff/inquiries/{waiting}/spam")
    for receipt in (waiting, accepted):
        assert sam.post(f"/staff/inquiries/{receipt}/restore", data={"csrf_token": token}).status_code == 409


def test_strangers_find_no_list_of_spam(client: FlaskClient) -> None:
    assert client.get("/staff/spam").status_code == 404


def test_a_text_that_people_vouch_for_quarantines_fewer_of_its_later_senders(sam: FlaskClient, inquire: Any) -> None:
    """A page may preset the message: once sales works with some who sent it, it is no sign of spam any more."""
    text = preset("harbour")
    first = [inquire(message=text) for _ in range(11)]
    assert in_quarantine(sam, first[-1])
    for receipt in first[:2]:
        fill_in(sam, f"/staff/leads/{receipt}", f"/staff/leads/{receipt}/status", status="Contacted")
    later = [inquire(message=text) for _ in range(9)]
    assert all(is_lead(sam, receipt) for receipt in later)


def test_a_text_nobody_vouches_for_stays_suspicious(sam: FlaskClient, inquire: Any) -> None:
    text = preset("warehouse")
    receipts = [inquire(message=text) for _ in range(14)]
    assert [in_quarantine(sam, receipt) for receipt in receipts] == [False] * 10 + [True] * 4


def test_a_text_marked_as_spam_is_vouched_for_by_nobody(sam: FlaskClient, inquire: Any) -> None:
    text = preset("lighthouse")
    receipts = [inquire(message=text) for _ in range(11)]
    fill_in(sam, f"/staff/leads/{receipts[0]}", f"/staff/leads/{receipts[0]}/status", status="Contacted")
    press(sam, receipts[-1], "spam")
    assert in_quarantine(sam, inquire(message=text))


def test_a_known_person_is_not_suspected_for_a_text_of_many(sam: FlaskClient, inquire: Any) -> None:
    text, known = preset("shipyard"), new_email()
    lead = inquire(email=known, message="A question of my own.")
    fill_in(sam, f"/staff/leads/{lead}", f"/staff/leads/{lead}/status", status="Qualified")
    for _ in range(10):
        inquire(message=text)
    assert not in_quarantine(sam, inquire(email=known, message=text))


def test_everything_with_the_same_text_is_released_at_once(sam: FlaskClient, inquire: Any) -> None:
    text = preset("mooring")
    receipts = [inquire(message=text) for _ in range(13)]
    linked = inquire(message=text, name="See www.cheap.example")
    page = text_of(sam, f"/staff/leads/{receipts[-1]}")
    assert "Release all 3" in page
    assert press(sam, receipts[-1], "release-alike").status_code == 303
    assert all(is_lead(sam, receipt) for receipt in receipts)
    assert in_quarantine(sam, linked)
    assert is_lead(sam, inquire(message=text))
