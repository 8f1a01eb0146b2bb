"""Goods receipts: a posted delivery raises stock, once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from portal.core.database import Database
from portal.core.events import Event
from sandbox.resources.receipts import ReceiptBody, post_receipt
from tests.conftest import Integration, NewSandbox

RECEIPTS = "/api/v2/procurement/receipts"
VENDORS = "/api/v2/procurement/vendors"
STOCK = "/api/v2/inventory/stock"
MOVEMENTS = "/api/v2/inventory/movements"
PAPER, TONER, LICENCE = 19, 18, 40
NOTE = {"vendor_id": 1, "reference": "DN-1", "items": [{"product_id": PAPER, "qty": 40, "price": 3.6}]}
exact = msgspec.json.Decoder(float_hook=Decimal).decode


def on_hand(caller: Integration, product: int) -> int:
    return int(caller.get(f"{STOCK}/{product}").json["data"]["qty"])


def state(caller: Integration) -> tuple[Any, ...]:
    """What no refused receipt may change."""
    return caller.get(RECEIPTS).json["meta"], caller.get(MOVEMENTS).json["meta"], on_hand(caller, PAPER)


def events_of(database: Database, new: NewSandbox) -> list[dict[str, Any]]:
    with database.transaction(write=False) as session:
        session.bind_tenant(new.tenant.id)
        wanted = session.query(Event).filter(Event.type == "goods_receipt.posted")
        return [event.payload for event in wanted.order_by(Event.id)]


def test_a_delivery_raises_stock_and_is_announced(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    before = on_hand(alice, PAPER), on_hand(alice, TONER)
    items = [*NOTE["items"], {"product_id": TONER, "qty": 6}, {"product_id": LICENCE, "qty": 1}]  # type: ignore[misc]
    answer = alice.post(RECEIPTS, {**NOTE, "items": items})
    assert answer.status_code == 201, answer.text
    made = exact(answer.data)["data"]
    assert (made["vendor_id"], made["reference"], made["status"]) == (1, "DN-1", "Posted")
    assert [(row["product_id"], row["qty"], row["price"]) for row in made["items"]] == [
        (PAPER, 40, Decimal("3.60")),
        (TONER, 6, None),
        (LICENCE, 1, None),
    ]
    assert (on_hand(alice, PAPER), on_hand(alice, TONER)) == (before[0] + 40, before[1] + 6)
    booked = alice.get(f"{MOVEMENTS}?sort=-id&limit=2").json["data"]
    assert [(row["type"], row["qty"], row["reference"]) for row in booked] == [
        ("in", 6, made["receipt_number"]),
        ("in", 40, made["receipt_number"]),
    ]
    assert exact(alice.get(answer.headers["Location"]).data)["data"] == made
    (told,) = events_of(database, alices_sandbox)
    vendor = alice.get(f"{VENDORS}/1").json["data"]["public_id"]
    paper = alice.get(f"/api/v2/products/{PAPER}").json["data"]["public_id"]
    assert (told["vendor_id"], told["items"][0]["product_id"]) == (vendor, paper)
    assert told["public_id"] == made["public_id"] and "id" not in told


def test_receipts_are_numbered_by_year_without_a_gap(alice: Integration) -> None:
    first = alice.post(RECEIPTS, NOTE).json["data"]
    assert alice.post(RECEIPTS, {**NOTE, "reference": "DN-2", "items": []}).status_code == 400
    assert alice.post(RECEIPTS, NOTE).status_code == 409
    second = alice.post(RECEIPTS, {**NOTE, "reference": "DN-2"}).json["data"]
    year, number = first["receipt_number"].split("-")[1:]
    assert year == first["received_at"][:4]
    assert second["receipt_number"] == f"GRN-{year}-{int(number) + 1:04d}"
    assert second["id"] == first["id"] + 1


def test_a_delivery_note_is_posted_once_for_a_vendor(alice: Integration) -> None:
    first = alice.post(RECEIPTS, NOTE).json["data"]
    before = state(alice)
    answer = alice.post(RECEIPTS, NOTE)
    assert (answer.status_code, answer.json["code"]) == (409, "duplicate")
    assert answer.json["errors"] == {"reference": "This vendor's delivery note was posted before"}
    assert answer.json["existing_id"] == first["id"]
    assert state(alice) == before
    assert alice.post(RECEIPTS, {**NOTE, "vendor_id": 2}).status_code == 201


def test_a_delivery_note_sent_twenty_times_at_once_is_posted_once(alice: Integration) -> None:
    before = on_hand(alice, PAPER)
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: alice.post(RECEIPTS, NOTE), range(20)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
    assert {answer.json["code"] for answer in answers if answer.status_code == 409} == {"duplicate"}
    assert on_hand(alice, PAPER) == before + 40


def test_receipts_and_sales_of_one_product_at_once_add_up(alice: Integration) -> None:
    product = alice.post("/api/v2/products", {"name": "Busy", "price": 1, "tracks_stock": True}).json["data"]["id"]
    assert alice.post(MOVEMENTS, {"product_id": product, "type": "in", "qty": 20}).status_code == 201

    def act(number: int) -> int:
        if number % 2:
            items = [{"product_id": product, "qty": 1}]
            return int(alice.post(RECEIPTS, {**NOTE, "reference": f"B-{number}", "items": items}).status_code)
        sale = {"items": [{"product_id": product, "qty": 1}], "payments": [{"method": "Cash", "amount": 1}]}
        return int(alice.post("/api/v2/pos/sales", sale).status_code)

    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(act, range(40))) == {201}
    assert on_hand(alice, product) == 20
    rows = alice.get(f"{MOVEMENTS}?product_id={product}&limit=100").json["data"]
    balance = 0
    for row in rows:
        balance += row["qty"] if row["type"] == "in" else -row["qty"]
        assert row["balance"] == balance
    assert len(rows) == 41


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"vendor_id": 9999}, {"vendor_id": "No such vendor"}),
        (
            {"vendor_id": "cus_000000000000000000000000", "items": [{"product_id": 9999, "qty": 1}]},
            {"vendor_id": "No such vendor", "items.0.product_id": "No such product"},
        ),
        ({"items": []}, {"items": "Items must have at least 1 entry"}),
        ({"items": [{"product_id": PAPER, "qty": 0}]}, {"items.0.qty": "Qty must be greater than 0"}),
        ({"items": [{"product_id": PAPER, "qty": 1, "price": -1}]}, {"items.0.price": "Price must be at least 0"}),
        ({"reference": ""}, {"reference": "Reference must not be empty"}),
        (
            {"receipt_number": "GRN-1", "status": "Draft", "received_at": "2024-01-01T00:00:00Z"},
            {
                "receipt_number": "Receipt number is read-only",
                "status": "Status is read-only",
                "received_at": "Received at is read-only",
            },
        ),
    ],
)
def test_a_bad_receipt_is_refused_by_name_and_nothing_is_posted(
    alice: Integration, fields: dict[str, Any], errors: dict[str, str]
) -> None:
    before = state(alice)
    answer = alice.post(RECEIPTS, {**NOTE, **fields})
    assert (answer.status_code, answer.json["errors"]) == (400, errors)
    assert state(alice) == before


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_posted_receipt_is_not_changed(alice: Integration, method: str) -> None:
    assert alice.call(method, f"{RECEIPTS}/1", {"reference": "x"}).status_code == 405


def test_receipts_are_filtered_by_vendor_and_searched_by_reference(alice: Integration) -> None:
    public_id = alice.get(f"{VENDORS}/3").json["data"]["public_id"]
    for name in (3, public_id):
        assert {row["vendor_id"] for row in alice.get(f"{RECEIPTS}?vendor_id={name}").json["data"]} == {3}
    first = alice.get(f"{RECEIPTS}/1").json["data"]
    for text in (first["reference"].lower(), first["receipt_number"]):
        assert [row["id"] for row in alice.get(f"{RECEIPTS}?search={text}").json["data"]] == [1]
    assert alice.get(f"{RECEIPTS}?vendor_id=9999").json["errors"] == {"vendor_id": "No such vendor"}


def test_receipts_can_be_posted_without_a_request(alices_sandbox: NewSandbox, database: Database) -> None:
    body = ReceiptBody.model_validate({**NOTE, "items": [{"product_id": PAPER, "qty": Decimal(5)}]})
    with database.transaction() as session:
        session.bind_tenant(alices_sandbox.tenant.id)
        assert post_receipt(session, body).status == "Posted"
    assert len(events_of(database, alices_sandbox)) == 1


def test_mallory_reads_no_receipt_and_names_no_vendor_of_alices(alice: Integration, mallory: Integration) -> None:
    receipt = alice.get(f"{RECEIPTS}/1").json["data"]["public_id"]
    vendor = alice.get(f"{VENDORS}/1").json["data"]["public_id"]
    assert mallory.get(f"{RECEIPTS}/{receipt}").status_code == 404
    assert mallory.get(f"{RECEIPTS}?vendor_id={vendor}").status_code == 400
    assert mallory.post(RECEIPTS, {**NOTE, "vendor_id": vendor}).json["errors"] == {"vendor_id": "No such vendor"}


def test_bob_may_look_but_not_post(alice: Integration, bob: Integration) -> None:
    before = state(alice)
    assert bob.get(RECEIPTS).status_code == 200
    assert bob.post(RECEIPTS, NOTE).json["required"] == "procurement:write"
    assert state(alice) == before
