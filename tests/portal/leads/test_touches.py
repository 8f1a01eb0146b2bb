"""Inquiries that join an open lead: nothing any of them says is lost (contract sections 5 and 6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from sandbox.tenants import NewSandbox
from tests.conftest import Integration
from tests.portal.people import new_email

EVERYTHING = {
    "source": "website",
    "phone": "+91 98765 43210",
    "company": "Example Trading",
    "message": "We would like a demo.",
    "consent": True,
    "utm_source": "newsletter",
    "utm_medium": "email",
    "utm_campaign": "spring",
    "utm_term": "erp",
    "utm_content": "blue",
    "referrer": "https://www.example.com/pricing?plan=growth",
}


@pytest.fixture
def inquire(client: FlaskClient, alices_sandbox: NewSandbox) -> Callable[..., Any]:
    """Send an inquiry to alice's sandbox. Returns its receipt."""
    headers = {"X-Publishable-Key": alices_sandbox.tenant.publishable_id or ""}

    def send(email: str, **fields: Any) -> Any:
        body = {"name": "Jane Smith", "email": email, **fields}
        answer = client.post("/api/public/leads", json=body, headers=headers)
        assert answer.status_code == 201, answer.get_json()
        return answer.get_json()["data"]["public_id"]

    return send


def lead_of(alice: Integration, email: str) -> dict[str, Any]:
    rows = alice.get("/api/v2/leads", query_string={"search": email}).get_json()["data"]
    return max(rows, key=lambda row: row["id"])  # type: ignore[no-any-return]


def touches_of(alice: Integration, email: str) -> list[dict[str, Any]]:
    answer = alice.get(f"/api/v2/leads/{lead_of(alice, email)['public_id']}/touches")
    assert answer.status_code == 200, answer.get_json()
    rows: list[dict[str, Any]] = answer.get_json()["data"]
    return rows


def events_of(alice: Integration, type_: str) -> list[dict[str, Any]]:
    rows = alice.get("/api/v2/events", query_string={"type": type_}).get_json()["data"]
    return [row["data"] for row in rows]


@pytest.mark.parametrize(
    "added", [{name: value} for name, value in EVERYTHING.items()], ids=lambda added: next(iter(added))
)
def test_a_second_inquiry_with_one_more_field_is_no_repeat(
    inquire: Any, alice: Integration, added: dict[str, Any]
) -> None:
    email = new_email()
    first, second = inquire(email), inquire(email, **added)
    assert first != second
    (name, value), (_, touch) = next(iter(added.items())), touches_of(alice, email)
    assert (touch["public_id"], touch[name]) == (second, value)


def test_the_very_same_inquiry_within_ten_minutes_is_one(inquire: Any, alice: Integration) -> None:
    email = new_email()
    assert inquire(email, **EVERYTHING) == inquire(email, **EVERYTHING)
    assert len(touches_of(alice, email)) == 1


def test_a_later_telephone_number_is_kept_and_the_lead_shows_the_latest(inquire: Any, alice: Integration) -> None:
    email = new_email()
    for phone in ("111222333", "444555666"):
        inquire(email, phone=phone)
    inquire(email, message="And one without a number.")
    assert lead_of(alice, email)["phone"] == "444555666"
    assert [touch["phone"] for touch in touches_of(alice, email)] == ["111222333", "444555666", None]


def test_every_inquiry_of_the_person_is_listed_oldest_first_with_all_it_said(inquire: Any, alice: Integration) -> None:
    email = new_email()
    receipts = [inquire(email, **EVERYTHING), inquire(email.upper(), message="What does it cost?")]
    first, second = touches_of(alice, email)
    assert [first["public_id"], second["public_id"]] == receipts
    assert {name: first[name] for name in EVERYTHING} == EVERYTHING
    assert second["message"] == "What does it cost?"
    assert {first["lead_id"], second["lead_id"]} == {lead_of(alice, email)["id"]}


def test_the_list_holds_what_the_person_said_of_an_earlier_lead(inquire: Any, alice: Integration) -> None:
    email = new_email()
    inquire(email, message="First.")
    alice.patch(f"/api/v2/leads/{lead_of(alice, email)['id']}", {"status": "Lost"})
    inquire(email, message="I changed my mind.")
    touches = touches_of(alice, email)
    assert [touch["message"] for touch in touches] == ["First.", "I changed my mind."]
    assert len({touch["lead_id"] for touch in touches}) == 2


def test_what_was_said_stays_with_the_lead_when_its_address_is_corrected(inquire: Any, alice: Integration) -> None:
    email, corrected = new_email(), new_email()
    inquire(email, message="From the old address.")
    alice.patch(f"/api/v2/leads/{lead_of(alice, email)['id']}", {"email": corrected})
    assert [touch["message"] for touch in touches_of(alice, corrected)] == ["From the old address."]


def test_the_event_carries_the_inquiry_that_joined(inquire: Any, alice: Integration) -> None:
    email = new_email()
    inquire(email)
    receipt = inquire(email, **EVERYTHING)
    event = next(event for event in events_of(alice, "lead.touched") if event["email"] == email)
    assert event["touch"]["public_id"] == receipt
    assert event["touch"]["lead_id"] == event["public_id"]
    assert {name: event["touch"][name] for name in EVERYTHING} == EVERYTHING
    assert event["phone"] == EVERYTHING["phone"]
    assert "id" not in event["touch"]


def test_an_inquiry_dates_the_lead_and_leaves_what_sales_entered(inquire: Any, alice: Integration) -> None:
    email = new_email()
    inquire(email)
    before = lead_of(alice, email)
    alice.patch(f"/api/v2/leads/{before['id']}", {"company": "Entered by sales"})
    inquire(email, message="Again.", company="Typed by the visitor")
    after = lead_of(alice, email)
    assert after["touched_at"] is not None
    assert after["company"] == "Entered by sales"


def test_the_inquiries_of_a_lead_are_pages_like_every_list(inquire: Any, alice: Integration) -> None:
    email = new_email()
    for number in range(3):
        inquire(email, message=f"Number {number}")
    path = f"/api/v2/leads/{lead_of(alice, email)['id']}/touches"
    page = alice.get(path, query_string={"limit": 2, "page": 2}).get_json()
    assert [row["message"] for row in page["data"]] == ["Number 2"]
    assert page["meta"]["total_records"] == 3
    step = alice.get(path, query_string={"limit": 2, "cursor": ""}).get_json()
    rest = alice.get(path, query_string={"limit": 2, "cursor": step["meta"]["next_cursor"]}).get_json()
    assert [row["message"] for row in rest["data"]] == ["Number 2"]


def test_strangers_and_other_roles_read_no_inquiries(
    inquire: Any, alice: Integration, mallory: Integration, as_role: Any, alices_sandbox: NewSandbox
) -> None:
    email = new_email()
    inquire(email)
    path = f"/api/v2/leads/{lead_of(alice, email)['public_id']}/touches"
    assert mallory.get(path).status_code == 404
    assert as_role(alices_sandbox, "sales").get(path).status_code == 200
    assert alice.post(path, {}).status_code == 405


def test_a_lead_entered_by_hand_has_no_inquiries(alice: Integration) -> None:
    body = {"first_name": "Jane", "last_name": "Smith", "email": new_email()}
    lead = alice.post("/api/v2/leads", body).get_json()["data"]
    assert lead["touched_at"] is None
    assert alice.get(f"/api/v2/leads/{lead['id']}/touches").get_json()["data"] == []


def test_when_a_lead_was_touched_cannot_be_set_by_hand(alice: Integration) -> None:
    body = {"first_name": "Jane", "last_name": "Smith", "email": new_email(), "touched_at": "2026-01-01T00:00:00Z"}
    answer = alice.post("/api/v2/leads", body)
    assert (answer.status_code, answer.get_json()["errors"]) == (400, {"touched_at": "Touched at is read-only"})
