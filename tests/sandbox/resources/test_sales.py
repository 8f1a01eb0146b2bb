"""Sales at the counter: one act for the receipt, the stock and the income."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from sqlalchemy import event, func, select

from portal.core.database import Database
from portal.core.errors import Conflict
from portal.core.ownership import table_of
from portal.tenancy.service import create_tenant
from sandbox.resources.products import ProductBody, add_product
from sandbox.resources.sale_records import Sale, SaleItem, SalePayment
from sandbox.resources.sales import SaleBody, SaleItemBody, SalePaymentBody, record_sale
from sandbox.resources.stock import StockMovement
from sandbox.resources.transactions import Transaction
from tests.conftest import Integration, NewSandbox, SandboxMaker

SALES = "/api/v2/pos/sales"
STOCK = "/api/v2/inventory/stock"
MOVEMENTS = "/api/v2/inventory/movements"
WRITTEN = (Sale, SaleItem, SalePayment, StockMovement, Transaction)
PAPER, SUPPORT, PRINTER, LICENCE = 19, 8, 15, 40
exact = msgspec.json.Decoder(float_hook=Decimal).decode


def on_hand(caller: Integration, product: int) -> int:
    return int(caller.get(f"{STOCK}/{product}").json["data"]["qty"])


def sell(caller: Integration, items: Any, payments: Any, **fields: Any) -> Any:
    return caller.post(SALES, {"items": items, "payments": payments, **fields})


def cash(amount: float) -> list[dict[str, Any]]:
    return [{"method": "Cash", "amount": amount}]


def counts(database: Database, new: NewSandbox) -> list[int]:
    with database.reader.connect() as connection:
        return [
            connection.scalar(select(func.count()).where(table_of(model).c.tenant_id == new.tenant.id)) or 0
            for model in WRITTEN
        ]


def income_of(caller: Integration, sale: dict[str, Any]) -> list[dict[str, Any]]:
    found = caller.get("/api/v2/transactions?sort=-id&limit=20").json["data"]
    return [row for row in reversed(found) if row["description"] == f"Sale {sale['receipt_number']}"]


def test_a_sale_takes_goods_out_and_money_in(alice: Integration) -> None:
    before = on_hand(alice, PAPER)
    items = [{"product_id": PAPER, "qty": 2}, {"product_id": SUPPORT, "qty": 1.5}]
    answer = sell(alice, items, [{"method": "Card", "amount": 100}, {"method": "Cash", "amount": 45.97}], customer_id=1)
    assert answer.status_code == 201, answer.text
    sale = exact(answer.data)["data"]
    assert [(row["product_id"], row["qty"], row["price"], row["amount"]) for row in sale["items"]] == [
        (PAPER, 2, Decimal("5.90"), Decimal("13.22")),
        (SUPPORT, Decimal("1.5"), Decimal("75.00"), Decimal("132.75")),
    ]
    assert (sale["amount"], sale["change"], sale["customer_id"]) == (Decimal("145.97"), 0, 1)
    assert on_hand(alice, PAPER) == before - 2
    (movement,) = alice.get(f"{MOVEMENTS}?sort=-id&limit=1").json["data"]
    assert (movement["type"], movement["qty"], movement["reference"]) == ("out", 2, sale["receipt_number"])
    income = income_of(alice, sale)
    assert [(row["type"], row["amount"], row["account_id"]) for row in income] == [
        ("Income", 100, 5),
        ("Income", 45.97, 3),
    ]
    assert exact(alice.get(answer.headers["Location"]).data)["data"] == sale
    assert exact(alice.get(f"{SALES}/{sale['public_id']}").data)["data"] == sale


@pytest.mark.parametrize(("method", "account"), [("Bank Transfer", 1), ("Cheque", 1), ("Card", 5), ("Cash", 3)])
def test_each_method_arrives_on_its_account(alice: Integration, method: str, account: int) -> None:
    sale = sell(alice, [{"product_id": SUPPORT, "qty": 1}], [{"method": method, "amount": 88.50}]).json["data"]
    (income,) = income_of(alice, sale)
    assert (income["account_id"], income["category_id"], income["date"]) == (account, 1, sale["date"])


def test_receipts_go_on_from_the_seed_without_a_gap(alice: Integration) -> None:
    first = sell(alice, [{"product_id": SUPPORT, "qty": 1}], cash(88.50)).json["data"]
    assert sell(alice, [{"product_id": SUPPORT, "qty": 1}], cash(1)).status_code == 400
    assert sell(alice, [{"product_id": PRINTER, "qty": 10**6}], cash(10**9)).status_code == 409
    second = sell(alice, [{"product_id": SUPPORT, "qty": 1}], cash(88.50)).json["data"]
    year, number = first["receipt_number"].split("-")[1:]
    assert year == first["date"][:4]
    assert second["receipt_number"] == f"REC-{year}-{int(number) + 1:04d}"
    assert second["id"] == first["id"] + 1
    known = alice.get(f"{SALES}?date_from={year}-01-01&date_to={year}-12-31").json["meta"]["total_records"]
    assert int(number) == known - 1


def test_a_price_of_ones_own_takes_the_place_of_the_products(alice: Integration) -> None:
    items = [{"product_id": PAPER, "qty": 3, "price": 5.99}, {"product_id": LICENCE, "qty": 1, "price": 0}]
    sale = sell(alice, items, cash(20.13)).json["data"]
    assert [(row["price"], row["amount"]) for row in sale["items"]] == [(5.99, 20.13), (0, 0)]


def test_one_product_on_two_lines_is_counted_together(alice: Integration) -> None:
    there = on_hand(alice, PAPER)
    lines = [{"product_id": PAPER, "qty": there, "price": 1}, {"product_id": PAPER, "qty": 1, "price": 1}]
    refused = sell(alice, lines, cash(2 * there))
    assert refused.json["shortages"] == [
        {"product_id": PAPER, "name": "Copy Paper A4, 500 Sheets", "asked": there + 1, "available": there}
    ]
    lines[0]["qty"] = there - 1
    assert sell(alice, lines, cash(2 * there)).status_code == 201
    assert on_hand(alice, PAPER) == 0
    balances = [row["balance"] for row in alice.get(f"{MOVEMENTS}?sort=-id&limit=2").json["data"]]
    assert balances == [0, 1]


def test_change_is_given_on_cash_and_income_is_what_stays(alice: Integration) -> None:
    parts = [{"method": "Cash", "amount": 20}, {"method": "Card", "amount": 60}, {"method": "Cash", "amount": 10}]
    sale = sell(alice, [{"product_id": SUPPORT, "qty": 1}], parts).json["data"]
    assert (sale["amount"], sale["change"]) == (88.5, 1.5)
    assert [(row["method"], row["amount"]) for row in sale["payments"]] == [("Cash", 20), ("Card", 60), ("Cash", 8.5)]
    assert [row["amount"] for row in income_of(alice, sale)] == [20, 60, 8.5]
    bigger = [{"method": "Card", "amount": 80}, {"method": "Cash", "amount": 10}, {"method": "Cash", "amount": 5}]
    sale = sell(alice, [{"product_id": SUPPORT, "qty": 1}], bigger).json["data"]
    assert sale["change"] == 6.5
    assert [row["amount"] for row in sale["payments"]] == [80, 8.5]


def test_the_report_counts_what_was_sold(alice: Integration) -> None:
    sale = sell(alice, [{"product_id": SUPPORT, "qty": 1}], cash(100)).json["data"]
    day = sale["date"]
    report = alice.get(f"/api/tenants/{alice.tenant}/reports/sales?from={day}&to={day}").json["data"]
    assert (report["totals"]["sales"], report["totals"]["amount"]) == (1, 88.5)
    assert report["by_payment_method"] == [{"method": "Cash", "payments": 1, "amount": 88.5}]


ONE = [{"product_id": SUPPORT, "qty": 1}]
BAD = [
    ({"items": []}, {"items": "Items must have at least 1 entry"}),
    ({"items": ONE * 101}, {"items": "Items may have 100 entries at most"}),
    ({"payments": []}, {"payments": "Payments must have at least 1 entry"}),
    ({"payments": cash(1) * 11}, {"payments": "Payments may have 10 entries at most"}),
    ({"payments": cash(88.49)}, {"payments": "Payments must cover the total of 88.50; 0.01 is missing"}),
    ({"payments": cash(0)}, {"payments.0.amount": "Amount must be greater than 0"}),
    (
        {"payments": [{"method": "Card", "amount": 88.51}]},
        {"payments": "Payments exceed the total of 88.50 by 0.01; change is given on cash only"},
    ),
    (
        {"payments": [{"method": "Card", "amount": 88.50}, *cash(5)]},
        {"payments": "Payments exceed the total of 88.50 by 5.00; change is given on cash only"},
    ),
    (
        {"payments": [{"method": "Shells", "amount": 88.50}]},
        {"payments.0.method": "Method must be one of 'Bank Transfer', 'Card', 'Cash' or 'Cheque'"},
    ),
    (
        {"items": [{"product_id": 9999, "qty": 1}, *ONE, {"product_id": 8888, "qty": 1}], "customer_id": 7777},
        {
            "items.0.product_id": "No such product",
            "items.2.product_id": "No such product",
            "customer_id": "No such customer",
        },
    ),
    ({"items": [{"product_id": SUPPORT, "qty": 0}]}, {"items.0.qty": "Qty must be greater than 0"}),
    ({"items": [{"product_id": SUPPORT, "qty": 1, "price": -1}]}, {"items.0.price": "Price must be at least 0"}),
    (
        {"items": [{"product_id": SUPPORT, "qty": 1, "price": 0}]},
        {"items": "The items must come to 0.01 at least"},
    ),
    (
        {"items": [{"product_id": SUPPORT, "qty": 999999, "price": 99999999}]},
        {"items": "The items come to more than a receipt can hold"},
    ),
    (
        {"receipt_number": "REC-1", "amount": 1, "change": 1, "sold_at": "2024-01-01T00:00:00Z", "till": 2},
        {
            "receipt_number": "Receipt number is read-only",
            "amount": "Amount is read-only",
            "change": "Change is read-only",
            "sold_at": "Sold at is read-only",
            "till": "Unknown field",
        },
    ),
]


@pytest.mark.parametrize(("fields", "errors"), BAD)
def test_a_bad_sale_is_refused_by_name_and_nothing_is_written(
    alice: Integration,
    alices_sandbox: NewSandbox,
    database: Database,
    fields: dict[str, Any],
    errors: dict[str, str],
) -> None:
    before = counts(database, alices_sandbox)
    answer = alice.post(SALES, {"items": ONE, "payments": cash(88.50), **fields})
    assert (answer.status_code, answer.json["errors"]) == (400, errors)
    assert counts(database, alices_sandbox) == before


def test_a_sale_that_is_short_of_one_product_sells_nothing(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    before = counts(database, alices_sandbox), on_hand(alice, PAPER)
    items = [{"product_id": PAPER, "qty": 1}, {"product_id": PRINTER, "qty": 500}, {"product_id": 16, "qty": 400}]
    answer = sell(alice, items, cash(10**6))
    assert (answer.status_code, answer.json["code"]) == (409, "insufficient_stock")
    assert [(row["product_id"], row["asked"]) for row in answer.json["shortages"]] == [(15, 500), (16, 400)]
    assert (counts(database, alices_sandbox), on_hand(alice, PAPER)) == before


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_receipt_is_not_changed_afterwards(alice: Integration, method: str) -> None:
    assert alice.call(method, f"{SALES}/1", {"customer_id": 1}).status_code == 405


def test_receipts_of_the_seed_are_listed_with_lines_and_payments(alice: Integration) -> None:
    found = exact(alice.get(f"{SALES}?date_from=2026-05-01&date_to=2026-05-31&limit=100").data)["data"]
    assert len(found) == 30
    for sale in found:
        assert "2026-05-01" <= sale["date"] <= "2026-05-31"
        assert sale["amount"] == sum(row["amount"] for row in sale["items"])
        assert sale["amount"] == sum(row["amount"] for row in sale["payments"])
        assert sale["change"] == 0


def test_mallory_sees_and_sells_nothing_of_alices(alice: Integration, mallory: Integration) -> None:
    sale = alice.get(f"{SALES}/1").json["data"]["public_id"]
    product = alice.get("/api/v2/products/8").json["data"]["public_id"]
    customer = alice.get("/api/v2/customers/1").json["data"]["public_id"]
    assert mallory.get(f"{SALES}/{sale}").status_code == 404
    answer = sell(mallory, [{"product_id": product, "qty": 1}], cash(88.5), customer_id=customer)
    assert answer.json["errors"] == {"items.0.product_id": "No such product", "customer_id": "No such customer"}


def test_bob_may_look_but_not_sell(alice: Integration, bob: Integration) -> None:
    before = alice.get(SALES).json["meta"]
    assert bob.get(SALES).status_code == 200
    assert sell(bob, ONE, cash(88.5)).json["required"] == "pos:write"
    assert alice.get(SALES).json["meta"] == before


def test_a_starter_plan_has_no_till(new_sandbox: SandboxMaker, as_role: Any) -> None:
    small = as_role(new_sandbox("Small", plan="starter"), "administrator")
    for path, module in ((SALES, "pos"), (STOCK, "inventory"), ("/api/v2/procurement/vendors", "procurement")):
        assert small.get(path).json["upgrade"]["module"] == module


def test_a_company_without_accounts_can_take_no_money(database: Database) -> None:
    with database.transaction() as session:
        create_tenant(session, name="Bare", mode="sandbox")
        product = add_product(session, ProductBody(name="Hour", price=Decimal(1), type="service"))
        line = SaleItemBody(product_id=product.id, qty=Decimal(1))
        body = SaleBody(items=[line], payments=[SalePaymentBody(method="Card", amount=Decimal(1))])
        with pytest.raises(Conflict, match="no account of the type Card"):
            record_sale(session, body)
        session.rollback()


def test_forty_tills_sell_the_last_pieces_once_each(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    product = alice.post("/api/v2/products", {"name": "Last", "price": 10, "tracks_stock": True}).json["data"]["id"]
    assert alice.post(MOVEMENTS, {"product_id": product, "type": "in", "qty": 9}).status_code == 201
    before = counts(database, alices_sandbox)
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda _: sell(alice, [{"product_id": product, "qty": 1}], cash(10)), range(40)))
    assert sorted(answer.status_code for answer in answers) == [201] * 9 + [409] * 31
    assert {answer.json["code"] for answer in answers if answer.status_code == 409} == {"insufficient_stock"}
    assert on_hand(alice, product) == 0
    assert counts(database, alices_sandbox) == [count + 9 for count in before]
    numbers = sorted(answer.json["data"]["receipt_number"] for answer in answers if answer.status_code == 201)
    first = int(numbers[0].split("-")[2])
    assert [int(number.split("-")[2]) for number in numbers] == list(range(first, first + 9))


def test_baskets_and_deliveries_in_every_order_never_wait_for_each_other(alice: Integration) -> None:
    """Each client names the same two products; deliveries name them the other way round."""
    ids = [
        alice.post("/api/v2/products", {"name": name, "price": 1, "tracks_stock": True}).json["data"]["id"]
        for name in ("One", "Two")
    ]
    for id_ in ids:
        assert alice.post(MOVEMENTS, {"product_id": id_, "type": "in", "qty": 20}).status_code == 201

    def act(number: int) -> Any:
        if number % 3 == 0:
            items = [{"product_id": id_, "qty": 1} for id_ in reversed(ids)]
            note = {"vendor_id": 1, "reference": f"DN-{number}", "items": items}
            return alice.post("/api/v2/procurement/receipts", note)
        order = ids if number % 3 == 1 else ids[::-1]
        return sell(alice, [{"product_id": id_, "qty": 1} for id_ in order], cash(2))

    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(act, range(30)))
    assert {answer.status_code for answer in answers} == {201}
    assert [on_hand(alice, id_) for id_ in ids] == [10, 10]


def test_a_long_receipt_takes_no_more_statements_than_a_short_one(alice: Integration, database: Database) -> None:
    statements: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        statements.append(statement)

    def count(lines: int) -> int:
        statements.clear()
        items = [{"product_id": id_, "qty": 1, "price": 1} for id_ in range(16, 16 + lines)]
        assert sell(alice, items, cash(2 * lines)).status_code == 201
        return len(statements)

    delivery = [{"product_id": id_, "qty": 100} for id_ in range(16, 36)]
    note_of_it = {"vendor_id": 1, "reference": "DN-1", "items": delivery}
    assert alice.post("/api/v2/procurement/receipts", note_of_it).status_code == 201
    event.listen(database.engine, "before_cursor_execute", note)
    try:
        assert count(2) == count(20) <= 20
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
