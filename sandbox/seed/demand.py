"""What left the store, and what counts found: sales, deliveries to customers, counts. Goods receipts answer it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from sandbox.seed.days import business_days, dice, instant, months
from sandbox.seed.invoices import Invoices
from sandbox.seed.ledger import TILL_OPENS
from sandbox.seed.sales import Sales
from sandbox.seed.words import Row, Words

_FOUND = {
    -3: "Count: missing",
    -2: "Damaged in the store",
    -1: "Count: missing",
    1: "Count: found",
    2: "Returned unused",
}


@dataclass(frozen=True)
class Moved:
    """A line of the stock ledger before it has its number and balance."""

    at: dt.datetime
    product_id: int
    type: str
    qty: Decimal
    reason: str
    reference: str | None = None

    @property
    def difference(self) -> Decimal:
        return -self.qty if self.type == "out" else self.qty


def stock_demand(words: Words, products: list[Row], invoices: Invoices, sales: Sales) -> list[Moved]:
    """Every movement but those of goods receipts, in the order in which they happened."""
    counted = [row for row in products if row["tracks_stock"]]
    ids = {row["id"] for row in counted}
    chance = dice("stock")
    moves = [
        *_sold(sales, ids),
        *_delivered(invoices, ids),
        *_sold_before_the_till(words, chance, counted),
        *_found_by_counts(chance, counted),
    ]
    return sorted(moves, key=lambda move: move.at)


def _sold(sales: Sales, ids: set[int]) -> Iterator[Moved]:
    by_id = {row["id"]: row for row in sales.sales}
    for item in sales.items:
        sale = by_id[item["sale_id"]]
        if item["product_id"] in ids:
            yield Moved(sale["sold_at"], item["product_id"], "out", item["qty"], "Sale", sale["receipt_number"])


def _delivered(invoices: Invoices, ids: set[int]) -> Iterator[Moved]:
    """Goods on an invoice leave the store while it is written; those of a void one came back unopened."""
    by_id = {row["id"]: row for row in invoices.invoices if row["status"] != "Void"}
    for item in invoices.items:
        invoice = by_id.get(item["invoice_id"])
        if invoice and item["product_id"] in ids:
            words = "Delivered to the customer", invoice["invoice_number"]
            yield Moved(invoice["created_at"], item["product_id"], "out", item["qty"], *words)


def _sold_before_the_till(words: Words, chance: Random, counted: list[Row]) -> Iterator[Moved]:
    """Until the till opens, what the counter sold is booked at the end of the month."""
    weights = [words.products[row["id"] - 1]["weight"] for row in counted]
    for month in months():
        if month < TILL_OPENS:
            closing = instant(business_days(month)[-1], chance, 18, 19)
            for row in {row["id"]: row for row in chance.choices(counted, weights, k=4)}.values():
                qty = Decimal(chance.randint(5, 14) if row["price"] < 20 else chance.randint(1, 3))
                yield Moved(closing, row["id"], "out", qty, "Sold at the counter this month")


def _found_by_counts(chance: Random, counted: list[Row]) -> Iterator[Moved]:
    for month in months():
        if month.month % 3 == 0:
            reference = f"COUNT-{month.year}-Q{month.month // 3}"
            counting = instant(business_days(month)[-1], chance, 19, 20)
            for row in chance.sample(counted, 3):
                found = chance.choice(tuple(_FOUND))
                yield Moved(counting, row["id"], "adjustment", Decimal(found), _FOUND[found], reference)
