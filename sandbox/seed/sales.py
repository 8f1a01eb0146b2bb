"""Sales at the counter, from the day the till opened: receipts, their lines, their payments, the income."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

from sandbox.resources.items import line_sums, sums_of
from sandbox.seed.days import LAST_DAY, day_of, dice, instant, is_open
from sandbox.seed.entries import receipt
from sandbox.seed.ledger import TILL_OPENS
from sandbox.seed.reference import stamped
from sandbox.seed.words import Row, Words


@dataclass
class Sales:
    """The rows, and the last receipt number of each year. `income` are entries, not yet numbered."""

    sales: list[Row] = field(default_factory=list)
    items: list[Row] = field(default_factory=list)
    payments: list[Row] = field(default_factory=list)
    income: list[Row] = field(default_factory=list)
    numbers: Counter[int] = field(default_factory=Counter)


def sale_rows(words: Words, products: list[Row], customers: list[Row]) -> Sales:
    """One or two receipts on each day the shop was open."""
    chance = dice("sales")
    goods = [(row, words.products[row["id"] - 1]["weight"]) for row in products if row["type"] == "product"]
    made = Sales()
    for sold_at in _moments(chance):
        lines = _lines(chance, goods)
        _add_sale(made, sold_at, lines, _buyer(chance, customers, sold_at))
        _add_payments(words, chance, made)
    return made


def _moments(chance: Random) -> Iterator[dt.datetime]:
    day = TILL_OPENS
    while day <= LAST_DAY:
        if is_open(day):
            yield from sorted(instant(day, chance, 9, 18) for _ in range(chance.choice((1, 1, 1, 1, 2))))
        day += dt.timedelta(days=1)


def _lines(chance: Random, goods: list[tuple[Row, int]]) -> list[Row]:
    """The lines of a receipt; no product twice."""
    chosen = {row["id"]: row for row in chance.choices(*zip(*goods, strict=True), k=chance.choice((1, 1, 2, 2, 3)))}
    lines = []
    for row in chosen.values():
        most = 6 if row["price"] < 20 else 2
        lines.append(_line(row, Decimal(chance.randint(1, most))))
    return lines


def _line(product: Row, qty: Decimal) -> Row:
    priced = {"qty": qty, "price": product["price"], "tax_rate": product["tax_rate"]}
    return {"product_id": product["id"], **priced, **line_sums(product["price"], qty, product["tax_rate"]).fields()}


def _buyer(chance: Random, customers: list[Row], sold_at: dt.datetime) -> int | None:
    """Most people at the counter remain unknown."""
    known = [row["id"] for row in customers if row["created_at"] < sold_at]
    return chance.choice(known) if chance.random() < 0.25 else None


def _add_sale(made: Sales, sold_at: dt.datetime, lines: list[Row], buyer: int | None) -> None:
    id_, year = len(made.sales) + 1, day_of(sold_at).year
    made.numbers[year] += 1
    for line in lines:
        made.items.append({"id": len(made.items) + 1, "sale_id": id_, **line})
    fields = {
        "id": id_,
        "receipt_number": f"REC-{year}-{made.numbers[year]:04d}",
        "customer_id": buyer,
        "date": day_of(sold_at),
        "sold_at": sold_at,
        **sums_of(lines).fields(),
        "change": Decimal("0.00"),
    }
    made.sales.append(stamped(fields, sold_at))


def _add_payments(words: Words, chance: Random, made: Sales) -> None:
    """Card or cash; now and then a part of each."""
    sale = made.sales[-1]
    parts = {chance.choice(("Card", "Card", "Cash")): sale["amount"]}
    if sale["amount"] > 50 and chance.random() < 0.06:
        cash = Decimal(chance.choice((10, 20, 30))) * Decimal("1.00")
        parts = {"Cash": cash, "Card": sale["amount"] - cash}
    for method, amount in parts.items():
        made.payments.append({"id": len(made.payments) + 1, "sale_id": sale["id"], "method": method, "amount": amount})
        description = f"Sale {sale['receipt_number']}"
        made.income.append(receipt(words, sale["sold_at"], description, amount, method, sale_id=sale["id"]))
