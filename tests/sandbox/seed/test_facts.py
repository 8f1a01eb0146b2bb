"""What the contract promises of a fresh sandbox (section 8), asked for by HTTP."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.conftest import Integration

exact = msgspec.json.Decoder(float_hook=Decimal).decode


def read_all(caller: Integration, path: str) -> list[dict[str, Any]]:
    rows, page = [], 1
    while True:
        body = exact(caller.get(f"{path}{'&' if '?' in path else '?'}limit=100&page={page}").data)
        rows += body["data"]
        page += 1
        if page > body["meta"]["total_pages"]:
            return rows


def test_customer_one_is_john_doe_untouched_since_he_joined(alice: Integration) -> None:
    john = alice.get("/api/v2/customers/1").json["data"]
    assert (john["account"], john["email"], john["phone"]) == ("John Doe", "john@example.com", "1234567890")
    assert john["created_at"] == john["updated_at"] == "2024-01-15T10:00:00Z"
    assert (john["address"], john["city"], john["country"], john["version"]) == ("12 Harbour Road", "New York", "US", 1)


def test_there_are_a_hundred_customers_in_the_order_in_which_they_joined(alice: Integration) -> None:
    customers = read_all(alice, "/api/v2/customers")
    assert [row["id"] for row in customers] == list(range(1, 101))
    joined = [row["created_at"] for row in customers]
    assert joined == sorted(joined)
    assert "2026-03-01" < joined[-1] < "2026-07-01"
    assert len({row["email"].lower() for row in customers}) == 100


def test_no_seeded_address_can_reach_a_real_person(alice: Integration) -> None:
    rows = read_all(alice, "/api/v2/customers")[1:] + read_all(alice, "/api/v2/leads")
    assert all(row["email"].endswith(".example") for row in rows)


def test_what_the_samples_create_is_still_free(alice: Integration) -> None:
    assert alice.post("/api/v2/customers", {"account": "Jane", "email": "jane@example.com"}).status_code == 201
    product = {"name": "Label printer", "price": 249, "sku": "PRN-LBL-01"}
    assert alice.post("/api/v2/products", product).status_code == 201


def test_invoice_one_is_the_one_the_guides_quote(alice: Integration) -> None:
    invoice = exact(alice.get("/api/v2/invoices/1").data)["data"]
    assert (invoice["invoice_number"], invoice["customer_id"]) == ("INV-2024-001", 1)
    assert (invoice["date"], invoice["due_date"], invoice["status"]) == ("2024-01-15", "2024-02-15", "Unpaid")
    assert (str(invoice["amount"]), str(invoice["paid"]), str(invoice["balance"])) == ("1500.00", "0.00", "1500.00")
    (item,) = invoice["items"]
    assert (item["description"], str(item["amount"]), str(item["qty"]), str(item["total"])) == (
        *("Web Development", "1500.00"),
        *("1", "1500.00"),
    )
    assert invoice["approved_at"] is None


def test_invoice_numbers_have_no_gap_within_a_year_and_follow_the_dates(alice: Integration) -> None:
    invoices = read_all(alice, "/api/v2/invoices")
    by_year: dict[str, list[str]] = {}
    for invoice in invoices:
        by_year.setdefault(invoice["date"][:4], []).append(invoice["invoice_number"])
    assert sorted(by_year) == ["2024", "2025", "2026"]
    for year, numbers in by_year.items():
        assert numbers == [f"INV-{year}-{place:03d}" for place in range(1, len(numbers) + 1)]
    dates = [invoice["date"] for invoice in invoices]
    assert dates == sorted(dates)


@pytest.mark.parametrize("year", [2024, 2025, 2026])
def test_the_next_invoice_of_each_year_continues_the_numbers(alice: Integration, year: int) -> None:
    of_year = f"/api/v2/invoices?date_from={year}-01-01&date_to={year}-12-31"
    last = alice.get(of_year).json["meta"]["total_records"]
    issued = alice.post(
        "/api/v2/invoices",
        {
            "customer_id": 1,
            "date": f"{year}-06-30",
            "due_date": f"{year}-07-30",
            "items": [{"description": "Web Development", "amount": 1500.0}],
        },
    ).json["data"]
    assert issued["invoice_number"] == f"INV-{year}-{last + 1:03d}"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v2/customers", {"account": "Next"}),
        ("/api/v2/products", {"name": "Next", "price": 1}),
        ("/api/v2/leads", {"first_name": "Next", "last_name": "One", "email": "next@buyers.example"}),
    ],
)
def test_new_records_continue_the_ids(alice: Integration, path: str, body: dict[str, Any]) -> None:
    last = alice.get(f"{path}?limit=1").json["meta"]["total_records"]
    assert alice.post(path, body).json["data"]["id"] == last + 1


@pytest.mark.parametrize("filters", ["customer_id=2", "date_from=2024-01-01&date_to=2024-01-31", "status=Void"])
def test_every_filter_of_invoices_finds_some_and_leaves_some_out(alice: Integration, filters: str) -> None:
    total = alice.get("/api/v2/invoices").json["meta"]["total_records"]
    assert 0 < alice.get(f"/api/v2/invoices?{filters}").json["meta"]["total_records"] < total


@pytest.mark.parametrize("status", ["New", "Contacted", "Qualified", "Converted", "Lost"])
def test_there_are_leads_in_every_status(alice: Integration, status: str) -> None:
    assert alice.get(f"/api/v2/leads?status={status}").json["meta"]["total_records"] > 0


def test_two_sandboxes_hold_the_same_but_for_their_public_ids(alice: Integration, mallory: Integration) -> None:
    hers, his = (exact(caller.get("/api/v2/customers?limit=100").data)["data"] for caller in (alice, mallory))
    assert not {row["public_id"] for row in hers} & {row["public_id"] for row in his}
    for row in hers + his:
        del row["public_id"]
    assert hers == his
