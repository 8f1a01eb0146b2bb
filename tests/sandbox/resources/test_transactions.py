"""Transactions: sums earned and spent, some of which pay invoices (contract section 5)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.conftest import Integration
from tests.sandbox.resources.test_invoices import issue
from tests.sandbox.resources.test_invoices import read as read_invoice

exact = msgspec.json.Decoder(float_hook=Decimal).decode
LIST = "/api/v2/transactions"
SPENT = {"type": "Expense", "account_id": 1, "amount": 89.9, "category_id": 8, "date": "2024-01-18"}
EARNED = {"type": "Income", "account_id": 1, "amount": 50, "category_id": 1, "date": "2025-03-20"}
REPORT = "/api/v2/reports/financial?year=2025&month=3"


def record(caller: Integration, **fields: Any) -> dict[str, Any]:
    answer = caller.post(LIST, EARNED | fields)
    assert answer.status_code == 201, answer.text
    return exact(answer.data)["data"]


def read(caller: Integration, transaction: dict[str, Any]) -> dict[str, Any]:
    return exact(caller.get(f"{LIST}/{transaction['id']}").data)["data"]


def total(caller: Integration, query: str = "") -> int:
    return caller.get(f"{LIST}{query}").json["meta"]["total_records"]


def of_sale(caller: Integration) -> dict[str, Any]:
    rows = caller.get(f"{LIST}?date_from=2026-05-01&date_to=2026-05-31&category_id=1&limit=100").json["data"]
    return next(row for row in rows if row["description"].startswith("Sale REC-"))


def test_an_expense_is_recorded_and_counted_in_the_report(alice: Integration) -> None:
    answer = alice.post(LIST, SPENT | {"description": "Add-on"})
    created = exact(answer.data)["data"]
    assert answer.status_code == 201 and answer.headers["Location"] == f"{LIST}/{created['id']}"
    assert {name: created[name] for name in SPENT} == SPENT | {"amount": Decimal("89.90")}
    assert (created["invoice_id"], created["method"], created["version"]) == (None, None, 1)
    assert "sale_id" not in created and created["public_id"].startswith("txn_")
    assert read(alice, created) == created
    report = exact(alice.get("/api/v2/reports/financial?year=2024&month=1").data)["data"]
    assert (str(report["expenses"]), str(report["profit"])) == ("5089.90", "9910.10")


@pytest.mark.parametrize(
    ("fields", "bad"),
    [
        ({"type": "Transfer"}, {"type"}),
        ({"amount": 0}, {"amount"}),
        ({"amount": -1}, {"amount"}),
        ({"amount": 1.001}, {"amount"}),
        ({"amount": 10**12}, {"amount"}),
        ({"account_id": 99}, {"account_id"}),
        ({"account_id": 99, "category_id": 99}, {"account_id", "category_id"}),
        ({"account_id": 99, "category_id": 8, "invoice_id": 9999}, {"account_id", "category_id", "invoice_id"}),
        ({"account_id": "cat_000000000000000000000000"}, {"account_id"}),
        ({"category_id": 8}, {"category_id"}),
        ({"type": "Expense"}, {"category_id"}),
        ({"type": "Expense", "category_id": 8, "invoice_id": 1}, {"invoice_id"}),
        ({"invoice_id": 9999}, {"invoice_id"}),
        ({"date": "2025-02-30"}, {"date"}),
        ({"date": None}, {"date"}),
        ({"description": "x" * 201}, {"description"}),
        ({"method": "Cash", "sale_id": 1}, {"method", "sale_id"}),
        ({"public_id": "txn_000000000000000000000000"}, {"public_id"}),
    ],
)
def test_a_bad_transaction_is_refused_by_name_and_nothing_is_written(
    alice: Integration, fields: dict[str, Any], bad: set[str]
) -> None:
    before, plain = total(alice), read(alice, {"id": 1})
    answer = alice.post(LIST, EARNED | fields)
    assert (answer.status_code, set(answer.json["errors"])) == (400, bad)
    replaced = alice.put(f"{LIST}/1", EARNED | fields)
    assert (replaced.status_code, set(replaced.json["errors"])) == (400, bad)
    assert (total(alice), read(alice, {"id": 1})) == (before, plain)


def test_required_fields_are_named(alice: Integration) -> None:
    assert set(alice.post(LIST, {}).json["errors"]) == {"type", "account_id", "amount", "category_id", "date"}


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ("type=Income", lambda row: row["type"] == "Income"),
        ("account_id=3", lambda row: row["account_id"] == 3),
        ("category_id=6", lambda row: row["category_id"] == 6),
        ("date_from=2025-01-01&date_to=2025-01-31", lambda row: row["date"].startswith("2025-01-")),
        ("type=Expense&account_id=6&date_from=2026-01-01", lambda row: row["account_id"] == 6),
    ],
)
def test_every_filter_finds_some_and_leaves_some_out(alice: Integration, query: str, holds: Any) -> None:
    found = alice.get(f"{LIST}?{query}&limit=100").json
    assert 0 < found["meta"]["total_records"] < total(alice)
    assert all(holds(row) for row in found["data"])


@pytest.mark.parametrize("name", ["account", "category"])
def test_filters_take_public_ids_and_refuse_strangers(alice: Integration, mallory: Integration, name: str) -> None:
    plural = {"account": "accounts", "category": "categories"}[name]
    public_id = alice.get(f"/api/v2/{plural}/1").json["data"]["public_id"]
    assert total(alice, f"?{name}_id={public_id}") == total(alice, f"?{name}_id=1") > 0
    refused = mallory.get(f"{LIST}?{name}_id={public_id}")
    assert (refused.status_code, set(refused.json["errors"])) == (400, {f"{name}_id"})


def test_a_plain_transaction_is_replaced_changed_and_deleted(alice: Integration) -> None:
    created = record(alice, description="Before")
    replaced = exact(alice.put(f"{LIST}/{created['id']}", SPENT).data)["data"]
    assert (replaced["type"], replaced["description"], str(replaced["amount"])) == ("Expense", None, "89.90")
    changed = alice.patch(f"{LIST}/{created['id']}", {"amount": 12.5, "category_id": 9}).json["data"]
    assert (changed["amount"], changed["category_id"], changed["version"]) == (12.5, 9, 3)
    assert alice.delete(f"{LIST}/{created['id']}").status_code == 200
    assert alice.get(f"{LIST}/{created['id']}").status_code == 404


def test_the_category_follows_the_type(alice: Integration) -> None:
    created = record(alice)
    for fields in ({"type": "Expense"}, {"category_id": 8}):
        refused = alice.patch(f"{LIST}/{created['id']}", fields)
        assert (refused.status_code, set(refused.json["errors"])) == (400, {"category_id"})
    assert alice.patch(f"{LIST}/{created['id']}", {"type": "Expense", "category_id": 8}).status_code == 200


def test_what_a_receipt_brought_in_can_only_be_read(alice: Integration) -> None:
    taken = of_sale(alice)
    path, before = f"{LIST}/{taken['id']}", total(alice)
    body = {name: taken[name] for name in ("type", "account_id", "amount", "category_id", "date")}
    for answer in (alice.put(path, body), alice.patch(path, {"description": "Mine"}), alice.delete(path)):
        assert (answer.status_code, answer.json["code"]) == (409, "transaction_locked")
    assert (alice.get(path).json["data"], total(alice)) == (taken, before)


def test_bob_reads_and_writes_nothing(alice: Integration, bob: Integration) -> None:
    before = total(bob)
    for answer in (
        bob.post(LIST, SPENT),
        bob.put(f"{LIST}/1", SPENT),
        bob.patch(f"{LIST}/1", {}),
        bob.delete(f"{LIST}/1"),
    ):
        assert answer.status_code == 403
    assert total(alice) == before


def test_mallory_finds_nothing_of_alices(alice: Integration, mallory: Integration) -> None:
    invoice, created = issue(alice), record(alice)
    path = f"{LIST}/{created['public_id']}"
    for answer in (mallory.get(path), mallory.put(path, SPENT), mallory.patch(path, {}), mallory.delete(path)):
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    refused = mallory.post(LIST, EARNED | {"invoice_id": invoice["public_id"]})
    assert (refused.status_code, set(refused.json["errors"])) == (400, {"invoice_id"})
    assert (read(alice, created), read_invoice(alice, invoice)) == (created, invoice)
