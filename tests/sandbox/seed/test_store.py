"""The seed's store: what came, what went and what is on hand agree, line by line."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any

from tests.conftest import Integration
from tests.sandbox.seed.conftest import Rows

GSTIN = re.compile(r"[0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][1-9A-Z]Z[0-9A-Z]")
FIRST, LAST = dt.date(2024, 1, 1), dt.date(2026, 6, 30)


def difference(row: dict[str, Any]) -> Decimal:
    return Decimal(-row["qty"] if row["type"] == "out" else row["qty"])


def test_each_balance_is_what_was_there_and_never_below_nothing(books: Rows) -> None:
    on_hand: dict[int, Decimal] = defaultdict(Decimal)
    for row in books["stock_movements"]:
        on_hand[row["product_id"]] += difference(row)
        assert row["balance"] == on_hand[row["product_id"]] >= 0
    assert {row["id"]: row["qty"] for row in books["stock_levels"]} == on_hand


def test_movements_stand_in_the_order_in_which_they_happened(books: Rows) -> None:
    moments = [row["created_at"] for row in books["stock_movements"]]
    assert moments == sorted(moments)
    assert moments[0].date() >= FIRST and moments[-1].date() <= LAST


def test_only_tracked_products_are_moved_and_each_has_its_level(books: Rows) -> None:
    tracked = {row["id"] for row in books["products"] if row["tracks_stock"]}
    assert {row["product_id"] for row in books["stock_movements"]} == tracked
    assert [row["id"] for row in books["stock_levels"]] == sorted(tracked)


def test_each_tracked_item_of_a_receipt_went_out_when_it_was_sold(books: Rows) -> None:
    tracked = {row["id"] for row in books["products"] if row["tracks_stock"]}
    sales = {row["id"]: row for row in books["sales"]}
    sold = Counter(
        (sales[item["sale_id"]]["receipt_number"], sales[item["sale_id"]]["sold_at"], item["product_id"], item["qty"])
        for item in books["sale_items"]
        if item["product_id"] in tracked
    )
    moved = Counter(
        (row["reference"], row["created_at"], row["product_id"], row["qty"])
        for row in books["stock_movements"]
        if row["reason"] == "Sale"
    )
    assert moved == sold


def test_each_item_of_a_goods_receipt_came_in_when_it_was_posted(books: Rows) -> None:
    receipts = {row["id"]: row for row in books["goods_receipts"]}
    posted = Counter(
        (receipts[item["receipt_id"]]["receipt_number"], item["product_id"], item["qty"])
        for item in books["goods_receipt_items"]
    )
    moved = Counter(
        (row["reference"], row["product_id"], row["qty"]) for row in books["stock_movements"] if row["type"] == "in"
    )
    assert moved == posted
    assert all(item["qty"] > 0 and item["price"] > 0 for item in books["goods_receipt_items"])


def test_goods_receipts_are_numbered_by_year_and_come_in_every_quarter(books: Rows) -> None:
    numbers: Counter[int] = Counter()
    for row in books["goods_receipts"]:
        year = row["received_at"].year
        numbers[year] += 1
        assert row["receipt_number"] == f"GRN-{year}-{numbers[year]:04d}"
    quarters = {(row["received_at"].year, (row["received_at"].month - 1) // 3) for row in books["goods_receipts"]}
    assert len(quarters) == 10
    notes = [(row["vendor_id"], row["reference"]) for row in books["goods_receipts"]]
    assert len(set(notes)) == len(notes)


def test_nothing_is_delivered_by_a_vendor_not_yet_known(books: Rows) -> None:
    known = {row["id"]: row["created_at"] for row in books["vendors"]}
    assert all(row["received_at"] > known[row["vendor_id"]] for row in books["goods_receipts"])
    assert list(known.values()) == sorted(known.values())


def test_the_vendors_are_those_the_contract_names(books: Rows) -> None:
    vendors = books["vendors"]
    assert [row["vendor_code"] for row in vendors] == [f"VEND-{number}" for number in range(1001, 1023)]
    gst_numbers = {row["gst_no"] for row in vendors}
    assert len(gst_numbers) == 22 and "27ABCDE1234F1Z5" not in gst_numbers
    assert all(GSTIN.fullmatch(number) for number in gst_numbers)
    assert "Mumbai" in {row["city"] for row in vendors}
    assert all(row["email"].endswith(".example") for row in vendors)


def test_a_few_products_are_low(books: Rows) -> None:
    low = [row for row in books["stock_levels"] if row["is_low"]]
    assert 2 <= len(low) <= 6
    assert all(row["is_low"] == (row["qty"] <= row["reorder_level"]) for row in books["stock_levels"])


def test_every_kind_of_movement_is_there_to_browse(books: Rows) -> None:
    kinds = Counter(row["type"] for row in books["stock_movements"])
    assert min(kinds[kind] for kind in ("in", "out", "adjustment")) >= 20


def test_new_papers_of_the_store_go_on_from_the_seed(alice: Integration, books: Rows) -> None:
    note = {"vendor_id": 1, "reference": "DN-1", "items": [{"product_id": 19, "qty": 1}]}
    posted = alice.post("/api/v2/procurement/receipts", note).json["data"]
    assert posted["id"] == len(books["goods_receipts"]) + 1
    moved = alice.post("/api/v2/inventory/movements", {"product_id": 19, "qty": 1}).json["data"]
    assert moved["id"] == len(books["stock_movements"]) + 2


def test_a_reset_puts_the_store_back(alice: Integration) -> None:
    before = alice.get("/api/v2/inventory/stock?limit=100").json
    assert alice.post("/api/v2/inventory/movements", {"product_id": 19, "qty": -1}).status_code == 201
    assert alice.patch("/api/v2/products/40", {"tracks_stock": True}).status_code == 200
    sale = {"items": [{"product_id": 19, "qty": 1}], "payments": [{"method": "Cash", "amount": 10}]}
    assert alice.post("/api/v2/pos/sales", sale).status_code == 201
    assert alice.get("/api/v2/inventory/stock?limit=100").json != before
    assert alice.post("/api/v2/sandbox/reset").status_code == 200
    assert alice.get("/api/v2/inventory/stock?limit=100").json == before
