"""Invoices from February 2024 on: a few a week, most of them paid, some late, some never."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from random import Random

from sandbox.seed.days import LAST_DAY, business_days, day_of, dice, instant, months, next_business_day
from sandbox.seed.drafts import Draft, Line, Payment, draft_line, total_of
from sandbox.seed.words import Row, Words

OUTCOMES = {"paid": 78, "in parts": 11, "half": 3, "never": 4, "void": 4}
TERMS = (14, 30, 30, 30, 45)


def trade_drafts(words: Words, customers: list[Row]) -> list[Draft]:
    """The invoices of every month but the first."""
    chance = dice("trade")
    habits = [min(chance.paretovariate(1.3), 3.0) if chance.random() < 0.85 else 0.0 for _ in customers]
    drafts = []
    for index, month in enumerate(months()[1:]):
        for day in chance.choices(business_days(month), k=9 + index // 7 + chance.randrange(-1, 3)):
            known = [row for row in customers if day_of(row["created_at"]) < day]
            customer = chance.choices(known, habits[: len(known)])[0]
            drafts.append(_draft(words, chance, customer["id"], instant(day, chance)))
    return drafts


def _draft(words: Words, chance: Random, customer_id: int, issued_at: dt.datetime) -> Draft:
    date = day_of(issued_at)
    lines = _lines(words, chance, date)
    outcome = chance.choices(list(OUTCOMES), list(OUTCOMES.values()))[0]
    return Draft(
        issued_at=issued_at,
        customer_id=customer_id,
        due_date=date + dt.timedelta(days=chance.choice(TERMS)),
        lines=lines,
        notes=chance.choice(words.texts["invoice_notes"]) or None,
        approved_at=_soon(issued_at, chance) if _is_approved(outcome, chance) else None,
        voided_at=_soon(issued_at, chance) if outcome == "void" else None,
        payments=_payments(words, chance, outcome, date, total_of(lines)),
    )


def _is_approved(outcome: str, chance: Random) -> bool:
    return outcome != "void" and (outcome != "never" or chance.random() < 0.5)


def _lines(words: Words, chance: Random, date: dt.date) -> tuple[Line, ...]:
    chosen = chance.sample(words.texts["invoice_lines"], chance.choice((1, 1, 2, 2, 3)))
    return tuple(draft_line(words, row["description"], chance.randint(*row["qty"]), date) for row in chosen)


def _soon(issued_at: dt.datetime, chance: Random) -> dt.datetime | None:
    """Some moment of the next working days, if that is not yet to come."""
    day = next_business_day(day_of(issued_at) + dt.timedelta(days=chance.choice((1, 1, 1, 2, 3))))
    return instant(day, chance) if day <= LAST_DAY else None


def _payments(words: Words, chance: Random, outcome: str, date: dt.date, amount: Decimal) -> tuple[Payment, ...]:
    if outcome in {"never", "void"}:
        return ()
    methods = words.reference["payment_methods"]
    parts = [amount]
    if outcome in {"in parts", "half"}:
        first = (amount * chance.choice((30, 40, 50, 60)) / 100).quantize(Decimal(1)) * Decimal("1.00")
        parts = [first, amount - first] if outcome == "in parts" else [first]
    paid, day = [], date
    for part in parts:
        day = next_business_day(day + dt.timedelta(days=chance.randrange(6, 42)))
        if day > LAST_DAY:
            break
        paid.append(Payment(instant(day, chance), part, chance.choices(methods, (70, 15, 5, 10))[0]))
    return tuple(paid)
