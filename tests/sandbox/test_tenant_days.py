"""Dates are the tenant's: by its time zone and its clock, at its midnight, month's end and year's end."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from portal.core.clock import system_now
from tests.conftest import Integration

YEAR = system_now().year + 1
ITEM = {"description": "Care", "amount": 10}
EDGES = [
    ("America/New_York", f"{YEAR}-12-31T21:00"),
    ("Pacific/Kiritimati", f"{YEAR}-01-01T09:00"),
    ("Asia/Kolkata", f"{YEAR}-03-01T02:00"),
    ("America/New_York", f"{YEAR}-11-30T20:00"),
]


def go_to(caller: Integration, zone: str, local: str) -> dt.date:
    """Give the tenant a time zone, and move its clock to a time of that zone. Returns the day it is there."""
    moment = dt.datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone))
    assert caller.patch(f"/api/tenants/{caller.tenant}", {"time_zone": zone}).status_code == 200
    target = moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    moved = caller.post("/api/v2/sandbox/clock", {"to": target})
    assert moved.status_code == 200, moved.text
    assert moment.astimezone(dt.UTC).date() != moment.date(), "the day is UTC's as well, so this shows nothing"
    return moment.date()


def make(caller: Integration, path: str, body: Any) -> Any:
    answer = caller.post(f"/api/v2/{path}", body)
    assert answer.status_code in {200, 201}, answer.text
    return answer.json["data"]


def quote(caller: Integration, valid_until: dt.date) -> Any:
    return make(caller, "quotes", {"customer_id": 1, "valid_until": valid_until.isoformat(), "items": [ITEM]})


def sale(caller: Integration) -> Any:
    body = {"items": [{"product_id": 19, "qty": 1, "price": 10}], "payments": [{"method": "Card", "amount": 11.2}]}
    return make(caller, "pos/sales", body)


@pytest.mark.parametrize(("zone", "local"), EDGES)
def test_every_record_that_dates_itself_has_the_tenants_day_and_year(alice: Integration, zone: str, local: str) -> None:
    day = go_to(alice, zone, local)
    invoice = make(alice, "invoices", {"customer_id": 1, "due_date": f"{day.year + 1}-12-31", "items": [ITEM]})
    assert (invoice["date"], invoice["invoice_number"][:8]) == (day.isoformat(), f"INV-{day.year}")
    paid = make(alice, f"invoices/{invoice['id']}/payments", {"amount": 1, "account_id": 1})
    assert paid["date"] == day.isoformat()
    offer = quote(alice, day)
    assert (offer["issued_on"], offer["quote_number"][:8]) == (day.isoformat(), f"QUO-{day.year}")
    assert make(alice, f"quotes/{offer['id']}/convert", {})["date"] == day.isoformat()
    sold = sale(alice)
    assert (sold["date"], sold["receipt_number"][:8]) == (day.isoformat(), f"REC-{day.year}")
    income = alice.get("/api/v2/transactions?sort=-id&limit=1").json["data"][0]
    assert (income["description"], income["date"]) == (f"Sale {sold['receipt_number']}", day.isoformat())
    delivered = {"vendor_id": 1, "reference": "DN-1", "items": [{"product_id": 19, "qty": 1}]}
    assert make(alice, "procurement/receipts", delivered)["receipt_number"][:8] == f"GRN-{day.year}"
    batch = make(alice, "batch/invoices", {"invoices": [{"customer_id": 1, "due_date": "2099-01-01", "items": [ITEM]}]})
    assert alice.get(f"/api/v2/invoices/{batch['outcomes'][0]['id']}").json["data"]["date"] == day.isoformat()


@pytest.mark.parametrize(("zone", "local"), EDGES)
def test_a_quote_is_valid_through_its_last_day_in_the_tenants_zone(alice: Integration, zone: str, local: str) -> None:
    day = go_to(alice, zone, local)
    today, yesterday = quote(alice, day), quote(alice, day - dt.timedelta(days=1))
    assert alice.post(f"/api/v2/quotes/{today['id']}/accept").status_code == 200
    assert alice.post(f"/api/v2/quotes/{yesterday['id']}/accept").status_code == 409


@pytest.mark.parametrize(("zone", "local"), EDGES[:2])
def test_next_years_model_is_that_of_the_tenants_year(alice: Integration, zone: str, local: str) -> None:
    day = go_to(alice, zone, local)
    vehicle = {"plate": "MH 1", "year": day.year + 1}
    assert alice.post("/api/v2/fleet/vehicles", vehicle | {"year": day.year + 2}).status_code == 400
    assert alice.post("/api/v2/fleet/vehicles", vehicle).status_code == 201


@pytest.mark.parametrize(("zone", "local"), EDGES)
def test_reports_count_what_happens_now_in_the_month_and_day_it_is_for_the_tenant(
    alice: Integration, zone: str, local: str
) -> None:
    day = go_to(alice, zone, local)
    month, path = {"year": day.year, "month": day.month}, "/api/v2/reports/financial"
    before = alice.get(path, query_string=month).json["data"]["income"]
    sale(alice)
    assert alice.get(path, query_string=month).json["data"]["income"] == before + 11.2
    span = {"from": day.isoformat(), "to": day.isoformat()}
    sales = alice.get(f"/api/tenants/{alice.tenant}/reports/sales", query_string=span).json["data"]
    assert [row["date"] for row in sales["by_day"]] == [day.isoformat()]


@pytest.mark.parametrize(
    ("path", "make_one"),
    [
        ("/api/v2/inventory/movements", lambda caller: sale(caller)),
        ("/api/v2/audit", lambda caller: make(caller, "customers", {"account": "Jane"})),
        ("/api/v2/events", lambda caller: make(caller, "customers", {"account": "Jane"})),
    ],
)
@pytest.mark.parametrize(("zone", "local"), EDGES[:2])
def test_filters_by_day_cut_at_the_tenants_midnight(
    alice: Integration, path: str, make_one: Any, zone: str, local: str
) -> None:
    day = go_to(alice, zone, local)
    name = day.isoformat()
    around = [(day + dt.timedelta(days=shift)).isoformat() for shift in (-1, 1)]
    make_one(alice)

    def count(**span: str) -> int:
        return int(alice.get(path, query_string=span | {"limit": "1"}).json["meta"]["total_records"])

    if path == "/api/v2/audit":  # The trail keeps the machine's time.
        day = system_now().astimezone(ZoneInfo(zone)).date()
        name, around = day.isoformat(), [(day + dt.timedelta(days=shift)).isoformat() for shift in (-1, 1)]
    assert count(date_from=name, date_to=name) >= 1
    assert count(date_from=around[1], date_to=around[1]) == 0
    assert count(date_from=name) == count(date_from=around[0], date_to=around[1]) - count(
        date_from=around[0], date_to=around[0]
    )


def test_a_punch_is_of_the_day_it_was_in_the_tenants_zone_and_a_change_of_zone_is_seen_at_once(
    alice: Integration,
) -> None:
    make(alice, "hr/attendance", {"employee_code": "EMP-1002", "at": "2030-01-01T02:30:00Z", "direction": "in"})
    new_years_eve = {"date_from": "2029-12-31", "date_to": "2029-12-31"}
    counts = []
    for zone in ("UTC", "America/New_York", "UTC", "Pacific/Kiritimati", "America/New_York"):
        alice.patch(f"/api/tenants/{alice.tenant}", {"time_zone": zone})
        found = alice.get("/api/v2/hr/attendance", query_string=new_years_eve)
        counts.append(found.json["meta"]["total_records"])
    assert counts == [0, 1, 0, 0, 1]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/New_York", "Asia/Kolkata"])
def test_an_invoice_is_overdue_when_its_last_day_is_over_in_the_tenants_zone(alice: Integration, zone: str) -> None:
    alice.patch(f"/api/tenants/{alice.tenant}", {"time_zone": zone})
    due = dt.date(YEAR, 6, 30)
    made = make(alice, "invoices", {"customer_id": 1, "date": "2026-01-01", "due_date": f"{due}", "items": [ITEM]})
    midnight = dt.datetime(YEAR, 7, 1, tzinfo=ZoneInfo(zone)).astimezone(dt.UTC)

    def move_to(moment: dt.datetime) -> list[Any]:
        answer = alice.post("/api/v2/sandbox/clock", {"to": moment.strftime("%Y-%m-%dT%H:%M:%SZ")})
        return [one for one in answer.json["data"]["due"] if one["subject"] == made["public_id"]]

    assert move_to(midnight - dt.timedelta(hours=2)) == []
    (overdue,) = move_to(midnight + dt.timedelta(minutes=5))
    assert (overdue["type"], overdue["at"]) == ("invoice.overdue", midnight.strftime("%Y-%m-%dT%H:%M:%SZ"))


def test_a_payment_by_mapping_is_dated_in_the_tenants_zone(alice: Integration) -> None:
    day = go_to(alice, *EDGES[0])
    body = {"invoiceNo": "INV-2024-001", "payment": {"amount": "100.50", "mode": "NEFT"}}
    answer = alice.post("/api/v1/integration/incoming?mapping=invoice-update", body)
    assert answer.status_code == 200, answer.text
    payments = alice.get("/api/v2/invoices/1/payments").json["data"]
    assert payments[-1]["date"] == day.isoformat()
