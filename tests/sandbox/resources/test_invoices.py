"""Invoices: issuing, changing, deleting, approving, voiding (contract section 5)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from sqlalchemy import event, select

from portal.core.database import Database
from portal.core.events import Event
from sandbox.tenants import NewSandbox
from tests.conftest import Integration

exact = msgspec.json.Decoder(float_hook=Decimal).decode
LIST = "/api/v2/invoices"
BODY = {
    "customer_id": 2,
    "date": "2025-03-10",
    "due_date": "2025-04-10",
    "items": [
        {"description": "Survey", "amount": 99.99, "qty": 1.5, "product_id": 2, "tax_rate": 18},
        {"description": "Cable", "amount": 0.35, "qty": 3},
    ],
    "notes": "By bank transfer",
}


def issue(caller: Integration, **fields: Any) -> dict[str, Any]:
    answer = caller.post(LIST, BODY | fields)
    assert answer.status_code == 201, answer.text
    return exact(answer.data)["data"]


def read(caller: Integration, invoice: dict[str, Any]) -> dict[str, Any]:
    return exact(caller.get(f"{LIST}/{invoice['id']}").data)["data"]


def act(caller: Integration, invoice: dict[str, Any], verb: str, body: Any = None) -> Any:
    return caller.post(f"{LIST}/{invoice['id']}/{verb}", body)


def pay(caller: Integration, invoice: dict[str, Any], amount: Any) -> dict[str, Any]:
    answer = act(caller, invoice, "payments", {"amount": float(amount), "account_id": 1})
    assert answer.status_code == 201, answer.text
    return exact(answer.data)["data"]


def assert_sound(invoice: dict[str, Any]) -> None:
    assert invoice["amount"] == sum(item["total"] for item in invoice["items"])
    assert invoice["balance"] == invoice["amount"] - invoice["paid"]
    assert all(str(invoice[name]).partition(".")[2].__len__() == 2 for name in ("amount", "paid", "balance"))


def events_of(database: Database, new: NewSandbox) -> list[Event]:
    with database.transaction(write=False) as session:
        session.bind_tenant(new.tenant.id)
        return list(session.scalars(select(Event).order_by(Event.id)))


def test_an_issued_invoice_is_the_sum_of_its_items_to_the_cent(alice: Integration) -> None:
    invoice = issue(alice)
    assert [str(item["total"]) for item in invoice["items"]] == ["176.99", "1.05"]
    assert (str(invoice["amount"]), str(invoice["paid"]), str(invoice["balance"])) == ("178.04", "0.00", "178.04")
    assert (invoice["status"], invoice["approved_at"], invoice["version"]) == ("Unpaid", None, 1)
    assert read(alice, invoice) == invoice


def test_items_come_back_in_the_order_in_which_they_were_sent(alice: Integration) -> None:
    items = [{"description": f"Line {place}", "amount": place} for place in range(1, 101)]
    invoice = issue(alice, items=items)
    assert [item["description"] for item in invoice["items"]] == [item["description"] for item in items]
    assert str(invoice["amount"]) == "5050.00"
    assert [row["items"] for row in exact(alice.get(f"{LIST}?sort=-id&limit=1").data)["data"]] == [invoice["items"]]


def test_every_bad_field_is_told_at_once_and_nothing_is_written(alice: Integration) -> None:
    total = alice.get(LIST).json["meta"]["total_records"]
    items = [
        {"description": "a", "amount": 1, "product_id": 999},
        {"description": "b", "amount": 1, "product_id": "cus_000000000000000000000000"},
    ]
    answer = alice.post(LIST, BODY | {"customer_id": 999, "due_date": "2025-03-09", "items": items})
    assert answer.status_code == 400
    assert answer.json["errors"] == {
        "due_date": "Due date must not be before the invoice date",
        "customer_id": "No such customer",
        "items.0.product_id": "No such product",
        "items.1.product_id": "No such product",
    }
    assert alice.get(LIST).json["meta"]["total_records"] == total


@pytest.mark.parametrize(
    "items",
    [
        [],
        [{"description": "x", "amount": 1}] * 101,
        [{"description": "x", "amount": 0}],
        [{"description": "x", "amount": -1}],
        [{"description": "x", "amount": 1, "qty": 0}],
        [{"description": "x", "amount": 0.001}],
        [{"description": "x", "amount": 0.01, "qty": 0.1}],
        [{"description": "x", "amount": 999_999_999_999, "qty": 2}],
        [{"description": "x", "amount": 1, "tax_rate": 100.01}],
        [{"description": "x", "amount": "1"}],
        [{"description": "x", "amount": 1, "total": 1}],
        [{"amount": 1}],
        ["x"],
        None,
    ],
)
def test_bad_items_are_refused_on_every_way_in(alice: Integration, items: Any) -> None:
    before = read(alice, {"id": 1})
    for method, path, body in (
        ("POST", LIST, BODY | {"items": items}),
        ("PUT", f"{LIST}/1", BODY | {"date": "2024-03-10", "items": items}),
        ("PATCH", f"{LIST}/1", {"items": items}),
    ):
        answer = alice.call(method, path, body)
        assert answer.status_code == 400, (method, answer.text)
        assert all(name.startswith("items") for name in answer.json["errors"])
    assert read(alice, {"id": 1}) == before


def test_references_are_taken_by_public_id_too(alice: Integration) -> None:
    customer = alice.get("/api/v2/customers/3").json["data"]["public_id"]
    product = alice.get("/api/v2/products/4").json["data"]["public_id"]
    items = [{"description": "x", "amount": 1, "product_id": product}]
    invoice = issue(alice, customer_id=customer, items=items)
    assert (invoice["customer_id"], invoice["items"][0]["product_id"]) == (3, 4)
    assert exact(alice.get(f"{LIST}?customer_id={customer}").data)["data"][-1]["id"] == invoice["id"]


def test_a_strangers_customer_and_product_are_as_good_as_unknown(alice: Integration, mallory: Integration) -> None:
    customer = alice.get("/api/v2/customers/3").json["data"]["public_id"]
    product = alice.get("/api/v2/products/4").json["data"]["public_id"]
    items = [{"description": "x", "amount": 1, "product_id": product}]
    answer = mallory.post(LIST, BODY | {"customer_id": customer, "items": items})
    assert answer.json["errors"] == {"customer_id": "No such customer", "items.0.product_id": "No such product"}


def test_a_change_of_items_renews_the_amount_and_leaves_the_rest(alice: Integration) -> None:
    invoice = issue(alice)
    items = [{"description": "Only this", "amount": 10, "tax_rate": 7.5, "qty": 2}]
    changed = exact(alice.patch(f"{LIST}/{invoice['id']}", {"items": items}).data)["data"]
    assert_sound(changed)
    assert str(changed["amount"]) == str(changed["balance"]) == "21.50"
    same = ("customer_id", "date", "due_date", "notes", "invoice_number", "public_id", "created_at", "status")
    assert {name: changed[name] for name in same} == {name: invoice[name] for name in same}
    assert read(alice, invoice) == changed


def test_the_version_tells_a_change_of_items_that_leaves_the_amount_the_same(alice: Integration) -> None:
    items = [{"description": "Before", "amount": 10}]
    invoice = issue(alice, items=items)
    changed = alice.patch(f"{LIST}/{invoice['id']}", {"items": [{"description": "After", "amount": 10}]}).json["data"]
    assert changed["version"] == invoice["version"] + 1
    assert changed["updated_at"] >= invoice["updated_at"]
    assert changed["items"][0]["description"] == "After"


def test_a_replacement_sets_everything_anew(alice: Integration) -> None:
    invoice = issue(alice)
    body = {"customer_id": 4, "date": "2025-12-31", "due_date": "2026-01-31", "items": BODY["items"][1:]}
    replaced = exact(alice.put(f"{LIST}/{invoice['id']}", body).data)["data"]
    assert_sound(replaced)
    assert (replaced["customer_id"], replaced["notes"], replaced["date"]) == (4, None, "2025-12-31")
    assert (replaced["invoice_number"], str(replaced["amount"])) == (invoice["invoice_number"], "1.05")


@pytest.mark.parametrize(
    ("fields", "bad"),
    [
        ({"due_date": "2025-03-09"}, {"due_date"}),
        ({"date": "2025-04-11"}, {"due_date"}),
        ({"date": "2024-12-31"}, {"date"}),
        ({"date": "2026-01-01", "due_date": "2026-02-01"}, {"date"}),
        ({"date": "2026-01-01"}, {"date", "due_date"}),
        ({"due_date": None}, {"due_date"}),
        ({"customer_id": None}, {"customer_id"}),
        ({"customer_id": 999}, {"customer_id"}),
        ({"invoice_number": "INV-2025-001"}, {"invoice_number"}),
        ({"amount": 1, "paid": 1, "balance": 1}, {"amount", "paid", "balance"}),
        ({"status": "Paid", "approved_at": "2025-01-01T00:00:00Z"}, {"status", "approved_at"}),
    ],
)
def test_a_bad_change_is_refused_by_name(alice: Integration, fields: dict[str, Any], bad: set[str]) -> None:
    invoice = issue(alice)
    answer = alice.patch(f"{LIST}/{invoice['id']}", fields)
    assert answer.status_code == 400
    assert set(answer.json["errors"]) == bad
    assert read(alice, invoice) == invoice


def test_an_invoice_moves_within_the_year_of_its_number(alice: Integration) -> None:
    invoice = issue(alice)
    moved = alice.patch(f"{LIST}/{invoice['id']}", {"date": "2025-01-01", "due_date": "2027-01-01"}).json["data"]
    assert (moved["date"], moved["due_date"]) == ("2025-01-01", "2027-01-01")
    refused = alice.patch(f"{LIST}/{invoice['id']}", {"date": "2026-01-01"})
    assert refused.json["errors"] == {"date": "Date must stay in 2025, the year of the invoice's number"}


def test_a_customer_with_invoices_stays(alice: Integration) -> None:
    customer = alice.post("/api/v2/customers", {"account": "Jane"}).json["data"]["id"]
    invoice = issue(alice, customer_id=customer)
    refused = alice.delete(f"/api/v2/customers/{customer}")
    assert (refused.status_code, refused.json["code"]) == (409, "conflict")
    assert "invoices (1)" in refused.json["message"]
    assert alice.delete(f"{LIST}/{invoice['id']}").status_code == 200
    assert alice.delete(f"/api/v2/customers/{customer}").status_code == 200


def test_a_product_on_an_invoice_stays_until_the_line_is_gone(alice: Integration) -> None:
    product = alice.post("/api/v2/products", {"name": "New", "price": 1}).json["data"]["id"]
    invoice = issue(alice, items=[{"description": "x", "amount": 1, "product_id": product}])
    assert alice.delete(f"/api/v2/products/{product}").status_code == 409
    alice.patch(f"{LIST}/{invoice['id']}", {"items": [{"description": "x", "amount": 1}]})
    assert alice.delete(f"/api/v2/products/{product}").status_code == 200


def test_mallory_changes_and_deletes_no_invoice_of_alices(alice: Integration, mallory: Integration) -> None:
    invoice = issue(alice)
    path = f"{LIST}/{invoice['public_id']}"
    for answer in (mallory.put(path, BODY), mallory.patch(path, {"notes": "x"}), mallory.delete(path)):
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert read(alice, invoice) == invoice


def test_deleting_an_invoice_leaves_the_lines_of_the_same_number_elsewhere(
    alice: Integration, mallory: Integration
) -> None:
    before = read(mallory, {"id": 1})
    assert alice.delete(f"{LIST}/1").json["data"]["id"] == 1
    assert alice.get(f"{LIST}/1").status_code == 404
    assert read(mallory, {"id": 1}) == before


def test_the_work_of_an_invoice_does_not_grow_with_its_items(alice: Integration, database: Database) -> None:
    sent: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *others: Any) -> None:
        sent.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        counts = []
        for count in (1, 60):
            items = [{"description": "x", "amount": 1, "product_id": place % 40 + 1} for place in range(count)]
            sent.clear()
            invoice = issue(alice, items=items)
            alice.patch(f"{LIST}/{invoice['id']}", {"items": items})
            counts.append(len(sent))
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    assert counts[0] == counts[1]
