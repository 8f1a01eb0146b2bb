"""What an invoice and a quote say of a caller's own number and of the day it is (contract section 5)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from portal.core.database import Database
from sandbox.tenants import NewSandbox
from tests.conftest import Integration
from tests.sandbox.resources.test_invoices import events_of

INVOICES, QUOTES = "/api/v2/invoices", "/api/v2/quotes"
ITEMS = [{"description": "Care", "amount": 100}]
TAKEN = {"reference": "Another invoice has this reference"}


def post(caller: Integration, path: str, body: Any = None, status: int = 201) -> Any:
    answer = caller.post(path, body)
    assert answer.status_code == status, answer.text
    return answer.json["data"]


def today_of(caller: Integration) -> dt.date:
    return dt.date.fromisoformat(post(caller, QUOTES, quote_body("2099-12-31"))["issued_on"])


def move_to(caller: Integration, day: dt.date, zone: str = "UTC") -> None:
    """Move the tenant's clock to the noon of a day."""
    assert caller.patch(f"/api/tenants/{caller.tenant}", {"time_zone": zone}).status_code == 200
    post(caller, "/api/v2/sandbox/clock", {"to": f"{day.isoformat()}T12:00:00Z"}, 200)


def invoice_body(**fields: Any) -> dict[str, Any]:
    return {"customer_id": 2, "due_date": "2099-12-31", "items": ITEMS, **fields}


def quote_body(valid_until: Any) -> dict[str, Any]:
    return {"customer_id": 2, "valid_until": str(valid_until), "items": ITEMS}


def found(caller: Integration, path: str, **query: Any) -> list[dict[str, Any]]:
    answer = caller.get(path, query_string={"limit": 100, **query})
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json["data"]
    return rows


def test_an_invoice_keeps_the_callers_own_number(alice: Integration) -> None:
    invoice = post(alice, INVOICES, invoice_body(reference=" PO 4711/b "))
    assert invoice["reference"] == "PO 4711/b"
    assert alice.get(f"{INVOICES}/{invoice['id']}").json["data"] == invoice
    assert post(alice, INVOICES, invoice_body())["reference"] is None
    assert [row["id"] for row in found(alice, INVOICES, reference="PO 4711/b")] == [invoice["id"]]
    assert found(alice, INVOICES, reference="PO 4711") == []
    cleared = alice.patch(f"{INVOICES}/{invoice['id']}", {"reference": None}).json["data"]
    assert cleared["reference"] is None


def test_a_reference_is_taken_once_by_whichever_way_in(alice: Integration, mallory: Integration) -> None:
    first = post(alice, INVOICES, invoice_body(reference="PO-1"))
    other = post(alice, INVOICES, invoice_body(reference="PO-2"))
    path = f"{INVOICES}/{other['id']}"
    for answer in (
        alice.post(INVOICES, invoice_body(reference="PO-1")),
        alice.put(path, invoice_body(reference="PO-1")),
        alice.patch(path, {"reference": "PO-1"}),
    ):
        assert (answer.status_code, answer.json["code"]) == (409, "duplicate")
        assert (answer.json["errors"], answer.json["existing_id"]) == (TAKEN, first["id"])
    rows = {"invoices": [invoice_body(reference="PO-1"), invoice_body(reference="PO-3")]}
    outcomes = post(alice, "/api/v2/batch/invoices", rows, 200)["outcomes"]
    assert [row["status"] for row in outcomes] == ["duplicate", "created"]
    assert post(mallory, INVOICES, invoice_body(reference="PO-1"))["reference"] == "PO-1"
    assert alice.patch(path, {"reference": "PO-2"}).json["data"] == other


def test_a_refused_reference_takes_no_number(alice: Integration) -> None:
    first = post(alice, INVOICES, invoice_body(reference="PO-1"))
    assert alice.post(INVOICES, invoice_body(reference="PO-1")).status_code == 409
    following = post(alice, INVOICES, invoice_body())
    assert int(following["invoice_number"].split("-")[2]) == int(first["invoice_number"].split("-")[2]) + 1


@pytest.mark.parametrize("reference", ["", " ", "x" * 41, 7])
def test_a_bad_reference_is_refused_by_name(alice: Integration, reference: Any) -> None:
    refused = alice.post(INVOICES, invoice_body(reference=reference))
    assert (refused.status_code, list(refused.json["errors"])) == (400, ["reference"])


def test_invoices_are_searched_by_number_reference_and_notes(alice: Integration) -> None:
    invoice = post(alice, INVOICES, invoice_body(reference="Order ÄX-9", notes="Kept in the blue folder"))
    for text in (invoice["invoice_number"].lower(), "äx-9", "blue folder"):
        assert [row["id"] for row in found(alice, INVOICES, search=text)] == [invoice["id"]], text
    assert found(alice, INVOICES, search="no such thing") == []


def test_an_invoice_is_overdue_from_the_day_after_it_was_due_until_it_is_paid(alice: Integration) -> None:
    today = today_of(alice)
    dates = {"date": today.isoformat(), "due_date": today.isoformat()}
    invoice, void = (post(alice, INVOICES, invoice_body(**dates)) for _ in range(2))
    post(alice, f"{INVOICES}/{void['id']}/void", status=200)
    assert invoice["overdue"] is False
    page = {"sort": "-id", "limit": 2}
    assert [row["overdue"] for row in found(alice, INVOICES, **page)] == [False, False]
    move_to(alice, today + dt.timedelta(days=1))
    assert [row["overdue"] for row in found(alice, INVOICES, **page)] == [False, True]
    part = post(alice, f"{INVOICES}/{invoice['id']}/payments", {"amount": 40, "account_id": 1})
    assert (part["invoice"]["status"], part["invoice"]["overdue"]) == ("Partially Paid", True)
    rest = post(alice, f"{INVOICES}/{invoice['id']}/payments", {"amount": 60, "account_id": 1})
    assert (rest["invoice"]["status"], rest["invoice"]["overdue"]) == ("Paid", False)
    refused = alice.patch(f"{INVOICES}/{invoice['id']}", {"overdue": False})
    assert refused.json["errors"] == {"overdue": "Overdue is read-only"}


def test_the_day_that_counts_is_the_tenants(alice: Integration) -> None:
    today = today_of(alice) + dt.timedelta(days=2)
    invoice = post(alice, INVOICES, invoice_body(due_date=today.isoformat()))
    quote = post(alice, QUOTES, quote_body(today))
    move_to(alice, today, "Pacific/Kiritimati")  # 02:00 of the next day there.
    assert alice.get(f"{INVOICES}/{invoice['id']}").json["data"]["overdue"] is True
    assert alice.get(f"{QUOTES}/{quote['id']}").json["data"]["status"] == "Expired"
    alice.patch(f"/api/tenants/{alice.tenant}", {"time_zone": "America/New_York"})
    assert alice.get(f"{INVOICES}/{invoice['id']}").json["data"]["overdue"] is False
    assert alice.get(f"{QUOTES}/{quote['id']}").json["data"]["status"] == "Open"


def test_an_open_quote_expires_the_day_after_it_was_valid(alice: Integration) -> None:
    today = today_of(alice)
    quote, accepted = (post(alice, QUOTES, quote_body(today)) for _ in range(2))
    post(alice, f"{QUOTES}/{accepted['id']}/accept", status=200)
    newest = {"sort": "-id", "limit": 2}
    assert [row["status"] for row in found(alice, QUOTES, **newest)] == ["Accepted", "Open"]
    move_to(alice, today + dt.timedelta(days=1))
    assert [row["status"] for row in found(alice, QUOTES, **newest)] == ["Accepted", "Expired"]
    path = f"{QUOTES}/{quote['id']}"
    for verb in ("accept", "convert"):
        refused = alice.post(f"{path}/{verb}")
        assert (refused.status_code, refused.json["code"]) == (409, "conflict")
        assert "PATCH" in refused.json["message"]
    later = (today + dt.timedelta(days=1)).isoformat()
    assert alice.patch(path, {"valid_until": later}).json["data"]["status"] == "Open"
    assert post(alice, f"{path}/accept", status=200)["status"] == "Accepted"
    assert post(alice, f"{QUOTES}/{accepted['id']}/convert")["status"] == "Unpaid"


def test_an_expired_quote_may_be_declined_or_deleted(alice: Integration) -> None:
    gone = today_of(alice) - dt.timedelta(days=1)
    declined, deleted = (post(alice, QUOTES, quote_body(gone)) for _ in range(2))
    assert (declined["status"], deleted["status"]) == ("Expired", "Expired")
    assert post(alice, f"{QUOTES}/{declined['id']}/decline", status=200)["status"] == "Declined"
    assert alice.delete(f"{QUOTES}/{deleted['id']}").status_code == 200


def test_quotes_are_filtered_by_the_status_they_show(alice: Integration) -> None:
    today = today_of(alice)
    quote = post(alice, QUOTES, quote_body(today))
    rows = found(alice, QUOTES)
    rows += found(alice, QUOTES, page=2)
    for status in ("Open", "Accepted", "Declined", "Converted", "Expired"):
        ids = [row["id"] for row in rows if row["status"] == status]
        assert ids and [row["id"] for row in found(alice, QUOTES, status=status)] == ids, status
    assert quote["id"] in [row["id"] for row in found(alice, QUOTES, status="Open")]
    move_to(alice, today + dt.timedelta(days=1))
    assert quote["id"] not in [row["id"] for row in found(alice, QUOTES, status="Open")]
    assert quote["id"] in [row["id"] for row in found(alice, QUOTES, status="Expired")]
    walked = alice.get(QUOTES, query_string={"status": "Expired", "cursor": "", "limit": 100}).json["data"]
    assert quote["id"] in [row["id"] for row in walked]


def test_events_carry_reference_and_whether_it_is_overdue(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    post(alice, INVOICES, invoice_body(reference="PO-1", date="2024-01-01", due_date="2024-01-02"))
    payload = events_of(database, alices_sandbox)[-1].payload
    assert (payload["reference"], payload["overdue"]) == ("PO-1", True)


def test_a_list_that_is_kept_in_memory_ends_with_the_day(alice: Integration, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written between the two days, so only the day tells that the list is another."""
    today = today_of(alice)
    dates = {"date": today.isoformat(), "due_date": today.isoformat()}
    invoice, quote = post(alice, INVOICES, invoice_body(**dates)), post(alice, QUOTES, quote_body(today))
    newest = {"sort": "-id", "limit": 1}
    for _ in range(2):
        assert found(alice, INVOICES, **newest)[0]["overdue"] is False
        assert found(alice, QUOTES, **newest)[0]["status"] == "Open"
    now = dt.datetime.combine(today + dt.timedelta(days=1), dt.time(1), dt.UTC)
    monkeypatch.setattr("portal.core.clock.system_now", lambda: now)
    (late,), (expired,) = found(alice, INVOICES, **newest), found(alice, QUOTES, **newest)
    assert (late["id"], late["overdue"]) == (invoice["id"], True)
    assert (expired["id"], expired["status"]) == (quote["id"], "Expired")
