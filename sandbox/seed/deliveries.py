"""Deliveries of the vendors: each brings what will be needed until the next, and a little more."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

from sandbox.seed.days import LAST_DAY, day_of, dice, instant, next_business_day
from sandbox.seed.demand import Moved
from sandbox.seed.reference import stamped
from sandbox.seed.words import Row, Words, money

Needed = dict[int, list[Moved]]


@dataclass
class Deliveries:
    """The rows, their movements, and the last receipt number of each year."""

    receipts: list[Row] = field(default_factory=list)
    items: list[Row] = field(default_factory=list)
    moves: list[Moved] = field(default_factory=list)
    numbers: Counter[int] = field(default_factory=Counter)


@dataclass(frozen=True)
class _Visit:
    at: dt.datetime
    vendor_id: int
    goods: tuple[int, ...]


def delivery_rows(words: Words, products: list[Row], vendors: list[Row], demand: list[Moved]) -> Deliveries:
    """Goods receipts that keep every product in stock."""
    chance = dice("deliveries")
    visits = sorted(_visits(words, chance, vendors), key=lambda visit: visit.at)
    catalogue = {row["id"]: row for row in products}
    costs = {id_: Decimal(chance.randrange(58, 73)) / 100 for id_ in catalogue}
    needed: Needed = defaultdict(list)
    for move in demand:
        needed[move.product_id].append(move)
    made, received, notes = Deliveries(), Counter[int](), _delivery_notes(chance, vendors)
    for place, visit in enumerate(visits):
        lines = []
        for id_ in visit.goods:
            until = next((later.at for later in visits[place + 1 :] if id_ in later.goods), None)
            qty = _short(chance, catalogue[id_], needed[id_], received[id_], visit.at, until)
            if qty:
                received[id_] += qty
                cost = catalogue[id_]["price"] * costs[id_] * Decimal(100 + 3 * (day_of(visit.at).year - 2024)) / 100
                lines.append((id_, qty, cost))
        if lines:
            _add_receipt(made, visit, next(notes[visit.vendor_id]), lines)
    return made


def _visits(words: Words, chance: Random, vendors: list[Row]) -> Iterator[_Visit]:
    for vendor, row in zip(words.vendors, vendors, strict=True):
        goods = tuple(words.product(sku)["id"] for sku in vendor["goods"])
        day, gap = day_of(row["created_at"]) + dt.timedelta(days=chance.randrange(1, 7)), chance.randrange(20, 90)
        while goods and day <= LAST_DAY:
            day = next_business_day(day)
            yield _Visit(instant(day, chance, 7, 8), row["id"], goods)
            day += dt.timedelta(days=gap)
            gap = 7 * vendor["weeks"] + chance.randrange(-9, 10)


def _short(
    chance: Random, product: Row, needed: list[Moved], received: int, at: dt.datetime, until: dt.datetime | None
) -> int:
    """How many to bring: what goes until the next visit, and some for safety, in whole packs, less what is there."""
    pack, safety = _habit(product["price"])
    on_hand = received + sum(move.difference for move in needed if move.at < at)
    lowest = balance = Decimal(0)
    for move in needed:
        if move.at >= at and (until is None or move.at < until):
            balance += move.difference
            lowest = min(lowest, balance)
    missing = int(chance.randint(*safety) - lowest - on_hand)
    return max(0, -(-missing // pack) * pack)


def _habit(price: Decimal) -> tuple[int, tuple[int, int]]:
    """The pack a product comes in, and how many are left for safety."""
    if price < 20:
        return 10, (25, 60)
    return (5, (6, 14)) if price < 50 else (1, (3, 10))


def _delivery_notes(chance: Random, vendors: list[Row]) -> dict[int, Iterator[str]]:
    """Each vendor's own way to number delivery notes."""

    def notes(vendor: Row) -> Iterator[str]:
        initials = "".join(word[0] for word in vendor["name"].split() if word[0].isalpha())
        number = chance.randrange(200, 9000)
        while True:
            yield f"{initials}-{number:05d}"
            number += chance.randrange(3, 60)

    return {vendor["id"]: notes(vendor) for vendor in vendors}


def _add_receipt(made: Deliveries, visit: _Visit, note: str, lines: list[tuple[int, int, Decimal]]) -> None:
    id_, year = len(made.receipts) + 1, day_of(visit.at).year
    made.numbers[year] += 1
    number = f"GRN-{year}-{made.numbers[year]:04d}"
    details = {"receipt_number": number, "vendor_id": visit.vendor_id, "reference": note, "status": "Posted"}
    made.receipts.append(stamped({"id": id_, **details, "received_at": visit.at}, visit.at))
    for product_id, qty, cost in lines:
        line = {"product_id": product_id, "qty": Decimal(qty), "price": money(str(round(cost, 2)))}
        made.items.append({"id": len(made.items) + 1, "receipt_id": id_, **line})
        made.moves.append(Moved(visit.at, product_id, "in", Decimal(qty), "Goods receipt", number))
