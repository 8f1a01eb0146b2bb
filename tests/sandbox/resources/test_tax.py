"""Tax on invoices, quotes and counter sales (contract section 5)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from portal.core.database import Database
from portal.core.events import Event
from sandbox.tenants import NewSandbox
from tests.conftest import Integration
from tests.sandbox.resources.test_invoices import events_of

exact = msgspec.json.Decoder(float_hook=Decimal).decode
INVOICES, QUOTES, SALES, PRODUCTS = "/api/v2/invoices", "/api/v2/quotes", "/api/v2/pos/sales", "/api/v2/products"
PAPERS = [INVOICES, QUOTES]
PAPER, SUPPORT = 19, 8  # Taxed at 12 and at 18 percent.


def money(text: str) -> Decimal:
    return Decimal(text)


def body_for(path: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    until = {INVOICES: "due_date", QUOTES: "valid_until"}[path]
    return {"customer_id": 2, until: "2030-12-31", "items": items}


def make(caller: Integration, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = caller.post(path, body)
    assert answer.status_code == 201, answer.text
    return exact(answer.data)["data"]


def new_product(caller: Integration, **fields: Any) -> dict[str, Any]:
    return make(caller, PRODUCTS, {"name": "Taxed", "price": 100, **fields})


def figures(record: dict[str, Any], *names: str) -> list[str]:
    return [str(record[name]) for name in names]


@pytest.mark.parametrize("path", PAPERS)
def test_a_line_that_names_a_product_takes_its_rate(alice: Integration, path: str) -> None:
    product = new_product(alice, tax_rate=18)
    items: list[dict[str, Any]] = [
        {"description": "By id", "amount": 100, "product_id": product["id"]},
        {"description": "By public id", "amount": 100, "product_id": product["public_id"]},
        {"description": "Exempt", "amount": 100, "product_id": product["id"], "tax_rate": 0},
        {"description": "Rate of its own", "amount": 100, "product_id": product["id"], "tax_rate": 5},
        {"description": "No product", "amount": 100},
    ]
    paper = make(alice, path, body_for(path, items))
    assert [str(item["tax_rate"]) for item in paper["items"]] == ["18.00", "18.00", "0.00", "5.00", "0.00"]
    assert figures(paper, "subtotal", "tax", "amount") == ["500.00", "41.00", "541.00"]
    assert exact(alice.get(f"{path}/{paper['id']}").data)["data"] == paper
    assert exact(alice.get(f"{path}?sort=-id&limit=1").data)["data"] == [paper]


@pytest.mark.parametrize("path", PAPERS)
def test_a_rate_that_is_null_is_refused(alice: Integration, path: str) -> None:
    refused = alice.post(path, body_for(path, [{"description": "x", "amount": 1, "tax_rate": None}]))
    assert refused.json["errors"] == {"items.0.tax_rate": "Tax rate must be a number"}


@pytest.mark.parametrize("path", PAPERS)
@pytest.mark.parametrize(
    ("rate", "shown", "tax"),
    [
        (8.875, "8.875", "8.88"),
        (9.975, "9.975", "9.98"),
        (0.0001, "0.0001", "0.00"),
        (12.3456, "12.3456", "12.35"),
        (18, "18.00", "18.00"),
        (7.5, "7.50", "7.50"),
        (100, "100.00", "100.00"),
    ],
)
def test_a_rate_has_up_to_four_decimals(alice: Integration, path: str, rate: Any, shown: str, tax: str) -> None:
    paper = make(alice, path, body_for(path, [{"description": "x", "amount": 100, "tax_rate": rate}]))
    assert (str(paper["items"][0]["tax_rate"]), str(paper["tax"])) == (shown, tax)
    product = new_product(alice, tax_rate=rate)
    assert str(product["tax_rate"]) == shown
    assert str(exact(alice.get(f"{PRODUCTS}/{product['id']}").data)["data"]["tax_rate"]) == shown
    by_product = make(alice, path, body_for(path, [{"description": "x", "amount": 100, "product_id": product["id"]}]))
    assert (str(by_product["items"][0]["tax_rate"]), str(by_product["tax"])) == (shown, tax)


@pytest.mark.parametrize("path", PAPERS)
def test_a_fifth_decimal_is_refused_by_name(alice: Integration, path: str) -> None:
    refused = alice.post(path, body_for(path, [{"description": "x", "amount": 1, "tax_rate": 8.87501}]))
    assert refused.json["errors"] == {"items.0.tax_rate": "Tax rate may have 4 decimals at most"}
    refused = alice.post(PRODUCTS, {"name": "x", "price": 1, "tax_rate": 8.87501})
    assert refused.json["errors"] == {"tax_rate": "Tax rate may have 4 decimals at most"}


@pytest.mark.parametrize("path", PAPERS)
def test_each_line_is_rounded_half_up_and_the_paper_is_their_sum(alice: Integration, path: str) -> None:
    items = [
        {"description": "Half a cent up", "amount": 0.05, "qty": 0.5, "tax_rate": 18},
        {"description": "Tax of 0.005", "amount": 0.10, "qty": 1, "tax_rate": 5},
        {"description": "Manhattan", "amount": 99.99, "qty": 1.5, "tax_rate": 8.875},
        {"description": "Montreal", "amount": 19.99, "qty": 3, "tax_rate": 9.975},
    ]
    paper = make(alice, path, body_for(path, items))
    assert [figures(item, "subtotal", "tax", "total") for item in paper["items"]] == [
        ["0.03", "0.01", "0.04"],
        ["0.10", "0.01", "0.11"],
        ["149.99", "13.31", "163.30"],
        ["59.97", "5.98", "65.95"],
    ]
    assert figures(paper, "subtotal", "tax", "amount") == ["210.09", "19.31", "229.40"]


@pytest.mark.parametrize("path", PAPERS)
def test_a_change_that_says_what_is_stored_changes_nothing(alice: Integration, path: str) -> None:
    product = new_product(alice, tax_rate=18)
    line = {"description": "Care", "amount": 10.0, "product_id": product["public_id"]}
    paper = make(alice, path, body_for(path, [line]))
    record = f"{path}/{paper['id']}"
    for items in ([line], [{**line, "tax_rate": 18}], [{**line, "product_id": product["id"], "qty": 1}]):
        for answer in (
            alice.patch(record, {"items": items}),
            alice.put(record, body_of(path, paper) | {"items": items}),
        ):
            assert answer.status_code == 200, answer.text
            assert exact(answer.data)["data"] == paper


def body_of(path: str, paper: dict[str, Any]) -> dict[str, Any]:
    """A body that repeats a paper, less its items."""
    names = {INVOICES: ("customer_id", "date", "due_date", "notes"), QUOTES: ("customer_id", "valid_until", "notes")}
    return {name: paper[name] for name in names[path]}


@pytest.mark.parametrize("path", PAPERS)
def test_a_line_sent_without_a_rate_takes_the_products_rate_of_today(alice: Integration, path: str) -> None:
    product = new_product(alice, tax_rate=18)
    line = {"description": "Care", "amount": 10, "product_id": product["id"]}
    paper = make(alice, path, body_for(path, [line]))
    alice.patch(f"{PRODUCTS}/{product['id']}", {"tax_rate": 9.975})
    record = f"{path}/{paper['id']}"
    assert exact(alice.patch(record, {"notes": "Later"}).data)["data"]["amount"] == money("11.80")
    changed = exact(alice.patch(record, {"items": [line]}).data)["data"]
    assert figures(changed, "subtotal", "tax", "amount") == ["10.00", "1.00", "11.00"]


def test_a_closed_invoice_that_is_said_again_without_its_rate_is_left_as_it_is(alice: Integration) -> None:
    line = {"description": "Care", "amount": 10, "product_id": SUPPORT}
    invoice = make(alice, INVOICES, body_for(INVOICES, [line]))
    path = f"{INVOICES}/{invoice['id']}"
    assert alice.post(f"{path}/approve").status_code == 200
    assert alice.patch(path, {"items": [line]}).status_code == 200
    assert alice.patch(path, {"items": [{**line, "tax_rate": 0}]}).status_code == 409


@pytest.mark.parametrize("path", PAPERS)
@pytest.mark.parametrize("name", ["subtotal", "tax"])
def test_the_sums_are_read_only(alice: Integration, path: str, name: str) -> None:
    line = {"description": "x", "amount": 1}
    refused = alice.post(path, body_for(path, [line]) | {name: 1})
    assert refused.json["errors"] == {name: f"{name.capitalize()} is read-only"}


def test_an_invoice_made_of_a_quote_keeps_its_rates_and_its_cents(alice: Integration) -> None:
    product = new_product(alice, tax_rate=8.875)
    items = [{"description": "Care", "amount": 99.99, "qty": 1.5, "product_id": product["id"]}]
    quote = make(alice, QUOTES, body_for(QUOTES, items))
    alice.patch(f"{PRODUCTS}/{product['id']}", {"tax_rate": 50})
    invoice = make(alice, f"{QUOTES}/{quote['id']}/convert", {})
    for name in ("items", "subtotal", "tax", "amount"):
        assert invoice[name] == quote[name], name


def test_a_batch_takes_the_products_rate(alice: Integration) -> None:
    row = body_for(INVOICES, [{"description": "Care", "amount": 10, "product_id": SUPPORT}])
    (outcome,) = alice.post("/api/v2/batch/invoices", {"invoices": [row]}).json["data"]["outcomes"]
    invoice = exact(alice.get(f"{INVOICES}/{outcome['id']}").data)["data"]
    assert figures(invoice, "subtotal", "tax", "amount") == ["10.00", "1.80", "11.80"]


def test_an_event_carries_subtotal_and_tax(alice: Integration, alices_sandbox: NewSandbox, database: Database) -> None:
    make(alice, INVOICES, body_for(INVOICES, [{"description": "Care", "amount": 10, "product_id": SUPPORT}]))
    event: Event = events_of(database, alices_sandbox)[-1]
    assert event.type == "invoice.created"
    assert figures(event.payload, "subtotal", "tax", "amount") == ["10.00", "1.80", "11.80"]
    assert figures(event.payload["items"][0], "subtotal", "tax") == ["10.00", "1.80"]


def test_a_counter_sale_adds_tax_to_prices(alice: Integration) -> None:
    items = [{"product_id": PAPER, "qty": 2}, {"product_id": SUPPORT, "qty": 1, "price": 60}]
    sale = make(alice, SALES, {"items": items, "payments": [{"method": "Cash", "amount": 90}]})
    assert [figures(item, "price", "tax_rate", "subtotal", "tax", "amount") for item in sale["items"]] == [
        ["5.90", "12.00", "11.80", "1.42", "13.22"],
        ["60.00", "18.00", "60.00", "10.80", "70.80"],
    ]
    assert figures(sale, "subtotal", "tax", "amount", "change") == ["71.80", "12.22", "84.02", "5.98"]
    assert exact(alice.get(f"{SALES}/{sale['id']}").data)["data"] == sale


def test_a_sale_keeps_the_rate_of_its_day(alice: Integration) -> None:
    product = new_product(alice, price=100, tax_rate=8.875)
    body = {"items": [{"product_id": product["id"], "qty": 1}], "payments": [{"method": "Card", "amount": 108.88}]}
    sale = make(alice, SALES, body)
    alice.patch(f"{PRODUCTS}/{product['id']}", {"tax_rate": 0})
    assert exact(alice.get(f"{SALES}/{sale['id']}").data)["data"] == sale


def test_the_report_of_sales_tells_subtotal_and_tax(alice: Integration) -> None:
    items = [{"product_id": SUPPORT, "qty": 1}]
    sale = make(alice, SALES, {"items": items, "payments": [{"method": "Card", "amount": 88.5}]})
    day = sale["date"]
    report = exact(alice.get(f"/api/tenants/{alice.tenant}/reports/sales?from={day}&to={day}").data)["data"]
    for row in (report["totals"], *report["by_day"], *report["by_product"]):
        assert figures(row, "subtotal", "tax", "amount") == ["75.00", "13.50", "88.50"]
    file = alice.get(f"/api/tenants/{alice.tenant}/reports/sales?from={day}&to={day}&format=csv").text
    assert "total,,,1,1,88.50,75.00,13.50" in file.splitlines()
