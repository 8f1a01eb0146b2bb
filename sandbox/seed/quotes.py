"""Quotes: some became invoices we know, some were accepted or declined, the latest are still open."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from random import Random

from sandbox.resources.items import sums_of
from sandbox.seed.days import LAST_DAY, day_of, dice, instant, next_business_day
from sandbox.seed.drafts import draft_line
from sandbox.seed.invoices import Invoices
from sandbox.seed.reference import stamped
from sandbox.seed.words import Row, Words

CONVERTED, DECLINED, ACCEPTED, LEFT_OPEN, OPEN = 48, 26, 14, 8, 20
FIRST_DAY = dt.date(2024, 1, 22)
FIRST_CONVERTED = dt.date(2024, 3, 1)
LATELY = dt.timedelta(days=45)
VALID_FOR = dt.timedelta(days=30)
FRAMEWORK_DAYS = (dt.date(2024, 1, 17), LAST_DAY, LAST_DAY, LAST_DAY)
FRAMEWORK_END = dt.date(2030, 12, 31)
"""The first quote and the last three can be accepted for years: the samples of the reference rely on it."""


@dataclass
class Quotes:
    """The rows, and the last number taken in each year."""

    quotes: list[Row] = field(default_factory=list)
    items: list[Row] = field(default_factory=list)
    numbers: Counter[int] = field(default_factory=Counter)


def quote_rows(words: Words, customers: list[Row], invoices: Invoices) -> Quotes:
    """The rows, oldest first. John Doe, the first customer, was offered nothing: the guides quote what he has."""
    chance = dice("quotes")
    drafts = [
        *_framework(words, chance, customers),
        *_converted(chance, customers, invoices),
        *_answered(words, chance, customers, "Declined", DECLINED, FIRST_DAY),
        *_answered(words, chance, customers, "Accepted", ACCEPTED, LAST_DAY - 2 * LATELY),
        *(_open(words, chance, customers, _day(chance, FIRST_DAY, LAST_DAY - 2 * LATELY)) for _ in range(LEFT_OPEN)),
        *(_open(words, chance, customers, _day(chance, LAST_DAY - LATELY, _yesterday())) for _ in range(OPEN)),
    ]
    made = Quotes()
    for id_, draft in enumerate(sorted(drafts, key=lambda draft: draft["created_at"]), 1):
        _number(made, id_, draft)
    return made


def _number(made: Quotes, id_: int, draft: Row) -> None:
    lines, day = draft.pop("items"), day_of(draft["created_at"])
    made.numbers[day.year] += 1
    own = {"id": id_, "quote_number": f"QUO-{day.year}-{made.numbers[day.year]:03d}", "issued_on": day}
    made.quotes.append(own | draft | sums_of(lines).fields())
    for line in lines:
        made.items.append({"id": len(made.items) + 1, "quote_id": id_, **line})


def _framework(words: Words, chance: Random, customers: list[Row]) -> list[Row]:
    drafts = []
    for day, hour in zip(FRAMEWORK_DAYS, (9, 12, 14, 16), strict=True):
        known = [row for row in customers[1:] if day_of(row["created_at"]) < day]
        fields = {
            "customer_id": chance.choice(known)["id"],
            "valid_until": FRAMEWORK_END,
            "items": _lines(words, chance, day),
            "notes": words.quotes["framework"],
            "status": "Open",
            "invoice_id": None,
        }
        drafts.append(stamped(fields, instant(day, chance, hour, hour + 1)))
    return drafts


def _converted(chance: Random, customers: list[Row], invoices: Invoices) -> list[Row]:
    """What invoices were made of: same customer, lines and notes. Their invoices are paid, so that none is deleted."""
    drafts = []
    paid = [row for row in invoices.invoices if row["paid"] and row["date"] >= FIRST_CONVERTED]
    for invoice in chance.sample(paid, len(paid)):
        offered_on = next_business_day(invoice["date"] - dt.timedelta(days=chance.randrange(4, 26)))
        offered_at = instant(offered_on, chance)
        joined_at = customers[invoice["customer_id"] - 1]["created_at"]
        if invoice["customer_id"] == 1 or not joined_at < offered_at < invoice["created_at"]:
            continue
        fields = {
            "customer_id": invoice["customer_id"],
            "valid_until": offered_on + VALID_FOR,
            "items": [_without_keys(row) for row in invoices.items if row["invoice_id"] == invoice["id"]],
            "notes": invoice["notes"],
            "status": "Converted",
            "invoice_id": invoice["id"],
        }
        drafts.append(stamped(fields, offered_at, invoice["created_at"], version=chance.choice((2, 3, 3))))
    return drafts[:CONVERTED]


def _without_keys(item: Row) -> Row:
    return {name: value for name, value in item.items() if name not in {"id", "invoice_id"}}


def _answered(words: Words, chance: Random, customers: list[Row], status: str, count: int, since: dt.date) -> list[Row]:
    """Quotes the customer answered some days later."""
    drafts = []
    for _ in range(count):
        draft = _open(words, chance, customers, _day(chance, since, LAST_DAY - dt.timedelta(days=25)))
        answered_on = next_business_day(day_of(draft["created_at"]) + dt.timedelta(days=chance.randrange(2, 20)))
        drafts.append(stamped(draft | {"status": status}, draft["created_at"], instant(answered_on, chance), version=2))
    return drafts


def _open(words: Words, chance: Random, customers: list[Row], day: dt.date) -> Row:
    known = [row for row in customers[1:] if day_of(row["created_at"]) < day]
    fields = {
        "customer_id": chance.choice(known)["id"],
        "valid_until": day + VALID_FOR,
        "items": _lines(words, chance, day),
        "notes": chance.choice(words.quotes["notes"]) or None,
        "status": "Open",
        "invoice_id": None,
    }
    return stamped(fields, instant(day, chance))


def _day(chance: Random, first: dt.date, last: dt.date) -> dt.date:
    day = next_business_day(first + dt.timedelta(days=chance.randrange((last - first).days)))
    return min(day, last)


def _yesterday() -> dt.date:
    return LAST_DAY - dt.timedelta(days=1)


def _lines(words: Words, chance: Random, day: dt.date) -> list[Row]:
    chosen = chance.sample(words.texts["invoice_lines"], chance.choice((1, 2, 2, 3)))
    return [vars(draft_line(words, row["description"], chance.randint(*row["qty"]), day)) for row in chosen]
