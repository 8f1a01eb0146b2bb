"""Payments: transactions that pay an invoice, by whichever way they are recorded."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from portal.core.database import Database
from sandbox.tenants import NewSandbox
from tests.conftest import Integration
from tests.sandbox.resources.test_invoices import act, assert_sound, events_of, issue, pay
from tests.sandbox.resources.test_invoices import read as read_invoice
from tests.sandbox.resources.test_transactions import EARNED, LIST, read, record, total

exact = msgspec.json.Decoder(float_hook=Decimal).decode
REPORT = "/api/v2/reports/financial?year=2025&month=3"


def test_income_that_names_an_invoice_pays_it(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    invoice, before = issue(alice), exact(alice.get(REPORT).data)["data"]
    paid = record(alice, invoice_id=invoice["public_id"], description="By cheque")
    after = read_invoice(alice, invoice)
    assert_sound(after)
    assert (paid["invoice_id"], str(after["paid"]), after["status"]) == (invoice["id"], "50.00", "Partially Paid")
    assert after["version"] == invoice["version"] + 1
    report = exact(alice.get(REPORT).data)["data"]
    assert report["income"] - before["income"] == before["outstanding_invoices"] - report["outstanding_invoices"] == 50
    last = events_of(database, alices_sandbox)[-1]
    assert (last.type, last.subject) == ("payment.received", paid["public_id"])
    assert last.payload["invoice"]["public_id"] == invoice["public_id"]


def test_the_last_payment_tells_that_the_invoice_is_paid(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    invoice = issue(alice)
    pay(alice, invoice, 100)
    record(alice, invoice_id=invoice["id"], amount=float(invoice["amount"] - 100))
    assert read_invoice(alice, invoice)["status"] == "Paid"
    told = [event.type for event in events_of(database, alices_sandbox)]
    assert told == ["invoice.created", "payment.received", "payment.received", "invoice.paid"]


def test_a_payment_and_a_transaction_are_the_same_thing(alice: Integration) -> None:
    invoice = issue(alice)
    payment = pay(alice, invoice, 1.25)
    recorded = read(alice, payment)
    assert (recorded["type"], recorded["invoice_id"], str(recorded["amount"])) == ("Income", invoice["id"], "1.25")
    assert recorded["description"] == f"Payment of {invoice['invoice_number']}"
    record(alice, invoice_id=invoice["id"], amount=2)
    listed = exact(alice.get(f"/api/v2/invoices/{invoice['id']}/payments").data)
    assert [str(row["amount"]) for row in listed["data"]] == ["1.25", "2.00"]
    assert listed["meta"] == {"current_page": 1, "total_pages": 1, "total_records": 2}


def test_payments_are_listed_page_by_page_for_their_own_invoice_only(alice: Integration, mallory: Integration) -> None:
    invoice, other = issue(alice), issue(alice)
    for _ in range(3):
        pay(alice, invoice, 1)
    pay(alice, other, 1)
    path = f"/api/v2/invoices/{invoice['public_id']}/payments"
    second = alice.get(f"{path}?limit=2&page=2").json
    assert (len(second["data"]), second["meta"]["total_records"]) == (1, 3)
    assert mallory.get(path).status_code == 404
    assert alice.get(f"{path}?limit=101").status_code == 400


@pytest.mark.parametrize("amount", [178.05, 1000])
def test_no_transaction_pays_more_than_the_balance(alice: Integration, amount: float) -> None:
    invoice, before = issue(alice), total(alice)
    answer = alice.post(LIST, EARNED | {"invoice_id": invoice["id"], "amount": amount})
    assert (answer.status_code, set(answer.json["errors"])) == (400, {"amount"})
    assert (read_invoice(alice, invoice), total(alice)) == (invoice, before)


def test_a_void_invoice_is_paid_on_neither_way(alice: Integration) -> None:
    invoice = issue(alice)
    void = exact(act(alice, invoice, "void").data)["data"]
    before = total(alice)
    for answer in (
        alice.post(LIST, EARNED | {"invoice_id": invoice["id"]}),
        act(alice, invoice, "payments", {"amount": 1, "account_id": 1}),
    ):
        assert (answer.status_code, answer.json["code"]) == (409, "invoice_void")
    assert (read_invoice(alice, invoice), total(alice)) == (void, before)


def test_an_approved_invoice_takes_payments(alice: Integration) -> None:
    invoice = issue(alice)
    act(alice, invoice, "approve")
    assert pay(alice, invoice, invoice["amount"])["invoice"]["status"] == "Paid"


@pytest.mark.parametrize("fields", [{"amount": 0}, {"account_id": 99}, {"amount": 178.05}, {"date": "soon"}])
def test_a_bad_payment_changes_nothing(alice: Integration, fields: dict[str, Any]) -> None:
    invoice, before = issue(alice), total(alice)
    answer = act(alice, invoice, "payments", {"amount": 1, "account_id": 1} | fields)
    assert (answer.status_code, set(answer.json["errors"])) == (400, set(fields))
    assert (read_invoice(alice, invoice), total(alice)) == (invoice, before)


@pytest.mark.parametrize(
    "fields",
    [
        {"amount": 49.99},
        {"invoice_id": None},
        {"invoice_id": 1},
        {"type": "Expense", "category_id": 8, "invoice_id": None},
        {"description": "x", "amount": 51},
    ],
)
def test_what_a_payment_pays_is_fixed(alice: Integration, fields: dict[str, Any]) -> None:
    invoice = issue(alice)
    paid = record(alice, invoice_id=invoice["id"])
    before = read_invoice(alice, invoice), read_invoice(alice, {"id": 1})
    answer = alice.patch(f"{LIST}/{paid['id']}", fields)
    assert (answer.status_code, answer.json["code"]) == (409, "transaction_locked")
    assert "Delete it and record it again" in answer.json["message"]
    assert read(alice, paid) == paid
    assert (read_invoice(alice, invoice), read_invoice(alice, {"id": 1})) == before


def test_the_rest_of_a_payment_may_change(alice: Integration) -> None:
    invoice = issue(alice)
    paid = record(alice, invoice_id=invoice["id"])
    before = read_invoice(alice, invoice)
    fields = {"account_id": 2, "category_id": 2, "date": "2025-04-01", "description": "Moved"}
    changed = alice.patch(f"{LIST}/{paid['id']}", fields).json["data"]
    assert {name: changed[name] for name in fields} == fields
    same = EARNED | {"invoice_id": invoice["public_id"], "description": "Again"}
    assert alice.put(f"{LIST}/{paid['id']}", same).json["data"]["description"] == "Again"
    assert read_invoice(alice, invoice) == before


def test_income_may_become_a_payment_later_under_the_same_rules(alice: Integration) -> None:
    invoice, void = issue(alice), issue(alice)
    act(alice, void, "void")
    much, some = record(alice, amount=500), record(alice, amount=78.04)
    assert set(alice.patch(f"{LIST}/{much['id']}", {"invoice_id": invoice["id"]}).json["errors"]) == {"amount"}
    assert alice.patch(f"{LIST}/{some['id']}", {"invoice_id": void["id"]}).status_code == 409
    assert read(alice, much) == much and read(alice, some) == some
    changed = alice.patch(f"{LIST}/{some['id']}", {"invoice_id": invoice["id"]}).json["data"]
    assert (changed["invoice_id"], changed["version"]) == (invoice["id"], 2)
    assert str(read_invoice(alice, invoice)["balance"]) == "100.00"


def test_deleting_a_payment_takes_it_back(alice: Integration, alices_sandbox: NewSandbox, database: Database) -> None:
    invoice = issue(alice)
    first, rest = pay(alice, invoice, 50), pay(alice, invoice, invoice["amount"] - 50)
    for payment, status, balance in ((rest, "Partially Paid", "128.04"), (first, "Unpaid", "178.04")):
        assert alice.delete(f"{LIST}/{payment['public_id']}").status_code == 200
        after = read_invoice(alice, invoice)
        assert_sound(after)
        assert (after["status"], str(after["balance"])) == (status, balance)
        told = events_of(database, alices_sandbox)[-1]
        assert (told.type, told.payload["status"]) == ("invoice.updated", status)
    assert alice.delete(f"/api/v2/invoices/{invoice['id']}").status_code == 200


def test_payments_and_their_deletions_at_once_leave_the_books_even(alice: Integration) -> None:
    invoice = issue(alice, items=[{"description": "x", "amount": 40}])
    first = [pay(alice, invoice, 1) for _ in range(20)]

    def work(place: int) -> None:
        if place % 2:
            assert alice.delete(f"{LIST}/{first[place // 2]['id']}").status_code == 200
        else:
            record(alice, invoice_id=invoice["id"], amount=1)

    with ThreadPoolExecutor(40) as pool:
        list(pool.map(work, range(40)))
    after = read_invoice(alice, invoice)
    assert_sound(after)
    assert (str(after["paid"]), after["status"]) == ("20.00", "Partially Paid")


def test_a_payment_is_taken_back_once_however_many_try(alice: Integration) -> None:
    invoice = issue(alice)
    paid = pay(alice, invoice, 50)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: alice.delete(f"{LIST}/{paid['id']}"), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [404] * 7
    assert str(read_invoice(alice, invoice)["paid"]) == "0.00"
