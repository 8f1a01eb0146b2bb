"""Rows that send a record's lines as an array, and transformations on the way out."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.conftest import Integration
from tests.sandbox.delivery.conftest import CourierMaker
from tests.sandbox.delivery.sink import Sink
from tests.sandbox.integration.outgoing.conftest import ROOT, Connect, Map, row

pytestmark = pytest.mark.usefixtures("store")
Preview = Callable[..., dict[str, Any]]
UPPER = {"kind": "case", "case": "upper"}
LINES = row(
    "positionen", "items", type="List", required=True,
    rows=[
        row("nr", "position", type="Number"),
        row("text", "description", required=True, transformations=[{"kind": "trim"}, UPPER]),
        row("preis.netto", "amount", transformations=[{"kind": "number_format", "decimal": ",", "thousands": "."}]),
        row("menge", "qty", type="Number"),
        row("sku", "product.sku", transformations=[{"kind": "default", "value": "none"}]),
    ],
)  # fmt: skip


def line(amount: str, qty: int = 1, text: str = "Work") -> dict[str, Any]:
    return {"description": text, "amount": float(amount), "qty": qty}


def test_an_invoices_lines_arrive_as_an_array(
    alice: Integration, connect: Connect, map_out: Map, partner: Sink, courier: CourierMaker
) -> None:
    rows = [row("number", "invoice_number"), LINES]
    mapping = map_out(alice, connect(alice), rows=rows, events=["invoice.created"])
    assert mapping["rows"][1]["rows"][0]["parameter"] == "nr"
    product = alice.post("/api/v2/products", {"name": "Paper", "price": 1, "sku": "PAP-1"}).json["data"]
    items = [line("1234567.5", 2, " Web design "), line("3.6") | {"product_id": product["id"]}]
    due = {"customer_id": 1, "due_date": "2099-01-01", "items": items}
    assert alice.post("/api/v2/invoices", due).status_code == 201
    courier().deliver_due()
    (arrival,) = partner.arrivals
    assert json.loads(arrival.body, parse_float=Decimal)["positionen"] == [
        {"nr": 1, "text": "WEB DESIGN", "preis": {"netto": "1.234.567,50"}, "menge": 2, "sku": "none"},
        {"nr": 2, "text": "WORK", "preis": {"netto": "3,60"}, "menge": 1, "sku": "PAP-1"},
    ]


@pytest.fixture
def preview(alice: Integration, connect: Connect, map_out: Map) -> Preview:
    """What a mapping of these rows would send of a record."""

    def show(*rows: dict[str, Any], source: str = "invoice", record: Any = 1) -> dict[str, Any]:
        slug = f"m{len(alice.get(f'{ROOT}/outgoing-mappings?limit=100').json['data'])}"
        mapping = map_out(alice, connect(alice), slug=slug, source=source, rows=list(rows))
        return dict(alice.post(f"{ROOT}/outgoing-mappings/{mapping['id']}/preview", {"record": record}).json["data"])

    return show


@pytest.mark.parametrize(
    ("field", "steps", "sent"),
    [
        ("date", [{"kind": "date_format", "format": "DD.MM.YYYY"}], "15.01.2024"),
        ("amount", [{"kind": "number_format", "decimal": ",", "thousands": "."}], "1.500,00"),
        ("amount", [{"kind": "number_format", "decimal": "."}], "1500.00"),
        ("status", [{"kind": "lookup", "table": {"Unpaid": "O"}, "value": "?"}], "O"),
        ("status", [{"kind": "lookup", "table": {"Paid": "P"}, "value": "?"}], "?"),
        ("notes", [{"kind": "default", "value": "nothing"}], "nothing"),
        ("status", [{"kind": "join", "sources": ["customer.account"], "separator": "/"}], "Unpaid/John Doe"),
        ("customer.account", [{"kind": "case", "case": "upper"}], "JOHN DOE"),
        (None, [{"kind": "constant", "value": "7"}], "7"),
        (None, [{"kind": "join", "sources": ["invoice_number", "date"]}], "INV-2024-001 2024-01-15"),
    ],
)  # fmt: skip
@pytest.mark.one_store
def test_each_transformation_of_incoming_rows_works_on_the_way_out(
    preview: Preview, field: str | None, steps: list[dict[str, Any]], sent: str
) -> None:
    shown = preview(row("x", field, transformations=steps))
    assert (shown["body"], shown["reason"]) == ({"x": sent}, None)


@pytest.mark.one_store
def test_subtotal_and_tax_are_sent_of_an_invoice_and_of_its_lines(alice: Integration, preview: Preview) -> None:
    item = line("100") | {"product_id": 8, "tax_rate": 8.875}
    body = {"customer_id": 1, "due_date": "2099-01-01", "items": [item]}
    made = alice.post("/api/v2/invoices", body).json["data"]
    sums = [row("net", "subtotal", type="Number"), row("vat", "tax", type="Number")]
    lines = row("lines", "items", type="List", rows=[*sums, row("rate", "tax_rate", type="Number")])
    shown = preview(*sums, lines, record=made["id"])["body"]
    assert shown == {"net": 100.0, "vat": 8.88, "lines": [{"net": 100.0, "vat": 8.88, "rate": 8.875}]}


@pytest.mark.one_store
def test_an_instant_is_written_in_the_tenants_zone_or_the_steps(preview: Preview) -> None:
    steps = {"kind": "date_format", "format": "DD.MM.YYYY HH:mm"}
    shown = preview(
        row("here", "created_at", transformations=[steps]),
        row("there", "created_at", transformations=[steps | {"zone": "Asia/Kolkata"}]),
        source="customer",
    )
    assert shown["body"] == {"here": "15.01.2024 10:00", "there": "15.01.2024 15:30"}


@pytest.mark.one_store
def test_a_time_without_a_zone_is_the_tenants_on_the_way_out_too(alice: Integration, preview: Preview) -> None:
    assert alice.patch(f"/api/tenants/{alice.tenant}", {"time_zone": "Asia/Kolkata"}).status_code == 200
    local = {"kind": "constant", "value": "2026-11-30T10:00:00"}
    steps = [local, {"kind": "date_format", "format": "DD.MM.YYYY HH:mm"}]
    shown = preview(
        row("typed", None, type="Date", format="DD.MM.YYYY HH:mm", transformations=[local]),
        row("stepped", None, transformations=steps),
    )
    assert shown["body"] == {"typed": "30.11.2026 10:00", "stepped": "30.11.2026 10:00"}


@pytest.mark.one_store
def test_what_cannot_be_transformed_keeps_the_message_back_with_its_place(preview: Preview) -> None:
    shown = preview(
        row("amount", "customer.account", type="Number", transformations=[{"kind": "trim"}]),
        row("state", "status", transformations=[{"kind": "lookup", "table": {"Paid": "P"}}]),
    )
    assert shown["reason"] == "amount: customer.account is not a number; state: status is not in the lookup table"


@pytest.mark.one_store
def test_a_required_value_of_an_entry_is_named_with_its_entry(alice: Integration, preview: Preview) -> None:
    due = {"customer_id": 1, "due_date": "2099-01-01", "items": [line("1")]}
    made = alice.post("/api/v2/invoices", due).json["data"]
    rows = row("lines", "items", type="List", rows=[row("sku", "product.sku", required=True)])
    shown = preview(rows, record=made["id"])
    assert (shown["would_send"], shown["body"]) == (False, {"lines": [{}]})
    assert shown["reason"] == "lines[0].sku is required, and items[0].product.sku has no value"


@pytest.mark.parametrize(
    ("rows", "errors"),
    [
        ([row("positionen[0].text", "items", type="List", rows=[row("a", "description")])], {"rows.0.parameter"}),
        ([row("a", "items", type="List")], {"rows.0.rows"}),
        ([row("a", "items")], {"rows.0.type"}),
        ([row("a", "date", type="List", rows=[row("b", "description")])], {"rows.0.field"}),
        ([row("a", "items", type="List", constant="x", rows=[row("b", "description")])], {"rows.0.constant"}),
        ([row("a", "items", type="List", rows=[row("b", "invoice_number")])], {"rows.0.rows.0.field"}),
        ([row("a", "items", type="List", rows=[row("b", "amount"), row("b", "qty")])], {"rows.0.rows.1.parameter"}),
        ([row("a", "date", rows=[row("b", "description")])], {"rows.0.rows"}),
        ([row("a", "date", transformations=[{"kind": "date_format", "format": "QQ"}])],
         {"rows.0.transformations.0.format"}),
        ([row("a", "date", transformations=[{"kind": "join", "sources": ["nothing"]}])],
         {"rows.0.transformations.0.sources.0"}),
        ([row("a", "amount", type="Number", transformations=[{"kind": "number_format", "decimal": ","}])],
         {"rows.0.transformations.0.kind"}),
        ([row("a", transformations=[{"kind": "trim"}])], {"rows.0.field"}),
        ([row("a", "items", type="List", rows=[row("b", "amount", type="List")])], {"rows.0.rows.0.type"}),
    ],
)  # fmt: skip
@pytest.mark.one_store
def test_what_cannot_work_is_refused_at_its_place(
    alice: Integration, connect: Connect, rows: list[dict[str, Any]], errors: set[str]
) -> None:
    body = {"name": "X", "slug": "x", "connection_id": connect(alice)["id"], "source": "invoice", "rows": rows}
    answer = alice.post(f"{ROOT}/outgoing-mappings", body)
    assert (answer.status_code, set(answer.json["errors"])) == (400, errors), answer.text
    assert len(alice.get(f"{ROOT}/outgoing-mappings").json["data"]) == 3


@pytest.mark.one_store
def test_a_failed_send_that_lacks_a_value_in_an_entry_is_not_retried(
    alice: Integration, connect: Connect, map_out: Map, partner: Sink, courier: CourierMaker
) -> None:
    map_out(alice, connect(alice), rows=[LINES])
    partner.decide = lambda arrival: (400, {})
    sent = alice.post("/api/v2/invoices/1/send", {"mapping": "test"}).json["data"]
    courier().deliver_due()
    body = {"body": '{"positionen": [{"text": "A"}, {}]}', "retry": True}
    refused = alice.patch(f"{ROOT}/failed/{sent['public_id']}", body)
    assert refused.json["errors"] == {"retry": "positionen[1].text is required"}


@pytest.mark.one_store
def test_a_goods_receipts_lines_arrive_too(preview: Preview) -> None:
    rows = row("lines", "items", type="List", rows=[row("sku", "product.sku"), row("qty", "qty", type="Number")])
    shown = preview(rows, source="goods_receipt")
    assert shown["would_send"] is True
    assert set(shown["body"]["lines"][0]) == {"sku", "qty"}
