"""The states of an invoice: open, approved, paid, void, and what each still allows."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from portal.core.database import Database
from sandbox.tenants import NewSandbox
from tests.conftest import Integration
from tests.sandbox.resources.test_invoices import BODY, LIST, act, assert_sound, events_of, issue, pay, read

exact = msgspec.json.Decoder(float_hook=Decimal).decode
CLOSED = {
    "approved": "invoice_approved",
    "partly paid": "invoice_paid",
    "paid": "invoice_paid",
    "void": "invoice_void",
}


@pytest.fixture(params=CLOSED)
def closed(request: pytest.FixtureRequest, alice: Integration) -> tuple[dict[str, Any], str]:
    """An invoice that is no longer open, and the code that says why."""
    invoice = issue(alice)
    if request.param == "approved":
        act(alice, invoice, "approve")
    elif request.param == "void":
        act(alice, invoice, "void")
    else:
        pay(alice, invoice, invoice["amount"] if request.param == "paid" else 10)
    return read(alice, invoice), CLOSED[request.param]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_what_is_closed_stays_as_it_is(alice: Integration, closed: tuple[dict[str, Any], str], method: str) -> None:
    invoice, code = closed
    body = {"PUT": BODY | {"notes": "Changed"}, "PATCH": {"notes": "Changed"}, "DELETE": None}[method]
    answer = alice.call(method, f"{LIST}/{invoice['id']}", body)
    assert (answer.status_code, answer.json["code"]) == (409, code)
    assert read(alice, invoice) == invoice


def test_a_bad_field_comes_before_the_state(alice: Integration) -> None:
    invoice = issue(alice)
    act(alice, invoice, "approve")
    assert alice.patch(f"{LIST}/{invoice['id']}", {"customer_id": 999}).status_code == 400


def test_an_approved_invoice_says_when_and_tells_the_world(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    invoice = issue(alice)
    approved = exact(act(alice, invoice, "approve").data)
    assert (approved["message"], approved["data"]["version"]) == ("Invoice approved", 2)
    assert approved["data"]["approved_at"] >= invoice["created_at"]
    last = events_of(database, alices_sandbox)[-1]
    assert (last.type, last.subject) == ("invoice.approved", invoice["public_id"])
    customer = alice.get("/api/v2/customers/2").json["data"]["public_id"]
    assert (last.payload["customer_id"], "id" in last.payload) == (customer, False)


def test_an_invoice_is_approved_once(alice: Integration) -> None:
    invoice = issue(alice)
    approved = act(alice, invoice, "approve").json["data"]
    again = act(alice, invoice, "approve")
    assert (again.status_code, again.json["code"]) == (409, "invoice_approved")
    assert alice.get(f"{LIST}/{invoice['id']}").json["data"] == approved


def test_a_paid_invoice_can_still_be_approved_but_a_void_one_cannot(alice: Integration) -> None:
    paid, void = issue(alice), issue(alice)
    pay(alice, paid, paid["amount"])
    act(alice, void, "void")
    assert act(alice, paid, "approve").status_code == 200
    refused = act(alice, void, "approve")
    assert (refused.status_code, refused.json["code"]) == (409, "invoice_void")
    assert read(alice, void)["approved_at"] is None


@pytest.mark.parametrize("is_approved", [False, True])
def test_a_void_invoice_keeps_its_figures_and_leaves_the_report(
    alice: Integration, alices_sandbox: NewSandbox, database: Database, is_approved: bool
) -> None:
    report = "/api/v2/reports/financial?year=2025&month=3"
    before = exact(alice.get(report).data)["data"]
    invoice = issue(alice)
    if is_approved:
        act(alice, invoice, "approve")
    owed = exact(alice.get(report).data)["data"]["outstanding_invoices"]
    assert owed == before["outstanding_invoices"] + invoice["amount"]
    void = exact(act(alice, invoice, "void").data)["data"]
    assert_sound(void)
    assert (void["status"], void["amount"], void["invoice_number"]) == (
        *("Void", invoice["amount"]),
        invoice["invoice_number"],
    )
    assert exact(alice.get(report).data)["data"] == before
    assert events_of(database, alices_sandbox)[-1].type == "invoice.voided"


def test_voiding_is_refused_once_money_was_paid_or_twice(alice: Integration) -> None:
    paid, void = issue(alice), issue(alice)
    pay(alice, paid, 1)
    first = act(alice, void, "void").json["data"]
    for invoice, code in ((paid, "invoice_paid"), (void, "invoice_void")):
        before = read(alice, invoice)
        answer = act(alice, invoice, "void")
        assert (answer.status_code, answer.json["code"]) == (409, code)
        assert read(alice, invoice) == before
    assert alice.get(f"{LIST}/{void['id']}").json["data"] == first


@pytest.mark.parametrize("verb", ["approve", "void", "payments"])
def test_bob_and_mallory_act_on_nothing(alice: Integration, bob: Integration, mallory: Integration, verb: str) -> None:
    invoice = issue(alice)
    body = {"amount": 1, "account_id": 1} if verb == "payments" else None
    assert act(bob, invoice, verb, body).status_code == 403
    for path in (f"{LIST}/{invoice['public_id']}", f"{LIST}/9999", f"{LIST}/txn_000000000000000000000000"):
        answer = mallory.post(f"{path}/{verb}", body)
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert read(alice, invoice) == invoice
