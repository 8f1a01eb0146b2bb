"""Income and expenses from February 2024 on that no invoice and no receipt explains."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from random import Random

from sandbox.seed.days import business_days, days_of, dice, instant, is_open, months
from sandbox.seed.entries import CASH_DESK, COMPANY_CARD, OPERATING, PETTY_CASH, SAVINGS, entry
from sandbox.seed.words import Row, Words

TILL_OPENS = dt.date(2025, 7, 1)
"""From this day on counter sales have receipts of their own."""

# Category, account, chance in a month, smallest and largest amount in whole units.
_EXPENSES = (
    ("Goods for resale", OPERATING, 1.0, 700, 2600),
    ("Goods for resale", OPERATING, 0.6, 300, 1900),
    ("Travel", COMPANY_CARD, 0.9, 25, 190),
    ("Travel", PETTY_CASH, 0.5, 8, 45),
    ("Marketing", COMPANY_CARD, 0.45, 120, 1400),
    ("Repairs", OPERATING, 0.2, 80, 620),
)
# Description, account, usual amount; the bill varies by a tenth.
_BILLS = (
    ("Utilities", "Electricity, {month}", OPERATING, 118),
    ("Utilities", "Water, {month}", OPERATING, 31),
    ("Utilities", "Telephone, {month}", OPERATING, 43),
)
# The month it began, category, description, account, amount each month from then on.
_STANDING = (
    ("2024-02", "Rent", "Office and store, {month}", OPERATING, "1200.00"),
    ("2025-01", "Rent", "Office and store, {month}", OPERATING, "1260.00"),
    ("2026-01", "Rent", "Office and store, {month}", OPERATING, "1320.00"),
    ("2024-02", "Utilities", "Internet line, {month}", OPERATING, "49.00"),
    ("2024-02", "Software", "Accounting package, monthly fee", COMPANY_CARD, "39.00"),
    ("2024-02", "Software", "Hosting of customer websites", COMPANY_CARD, "58.00"),
    ("2024-02", "Bank charges", "Account fees, {month}", OPERATING, "12.50"),
    ("2025-07", "Bank charges", "Card terminal fees, {month}", OPERATING, "24.90"),
)
_ONCE = (
    ("2024-02", "Marketing", "Stand at the trade fair", "2950.00"),
    ("2025-03", "Marketing", "Stand at the trade fair", "3180.00"),
    ("2026-03", "Repairs", "Heating repaired", "1840.00"),
)
_SALARIES = (("2024-02", 3200), ("2024-05", 5100), ("2024-11", 6900), ("2025-07", 8200), ("2026-02", 9600))
_INCOME = (
    ("Services", OPERATING, 0.9, 180, 640),
    ("Services", CASH_DESK, 0.6, 60, 240),
    ("Other income", OPERATING, 0.25, 20, 400),
)


def ledger_entries(words: Words) -> list[Row]:
    """The entries of every month but the first."""
    chance = dice("ledger")
    return [row for month in months()[1:] for row in _month(words, chance, month)]


def _month(words: Words, chance: Random, month: dt.date) -> list[Row]:
    days = business_days(month)
    rows = [
        _at_some_time(words, chance, days[0], category, description, Decimal(amount), account)
        for category, description, account, amount in _standing(month)
    ]
    rows.append(_at_some_time(words, chance, days[-2], "Salaries", "Salaries, {month}", _salaries(month), OPERATING))
    for category, description, account, usual in _BILLS:
        amount = _some_amount(chance, usual * 9 // 10, usual * 11 // 10)
        rows.append(_at_some_time(words, chance, chance.choice(days), category, description, amount, account))
    rows += [
        _at_some_time(words, chance, chance.choice(days), category, _phrase(words, chance, category), amount, account)
        for category, account, odds, least, most in (*_EXPENSES, *_INCOME)
        for amount in [_some_amount(chance, least, most)]
        if chance.random() < odds
    ]
    return rows + _not_monthly(words, chance, days) + _takings(words, chance, month)


def _standing(month: dt.date) -> list[tuple[str, str, int, str]]:
    """What is due each month; a later line of the same words replaces an earlier one."""
    name = month.isoformat()[:7]
    return list({(row[1], row[2]): row[1:] for row in _STANDING if row[0] <= name}.values())


def _salaries(month: dt.date) -> Decimal:
    return Decimal(max(amount for start, amount in _SALARIES if start <= month.isoformat()[:7])) * Decimal("1.00")


def _not_monthly(words: Words, chance: Random, days: list[dt.date]) -> list[Row]:
    month = days[0].month
    rows = [row[1:] for row in _ONCE if row[0] == days[0].isoformat()[:7]]
    if month % 3 == 1:
        rows.append(("Insurance", "Liability insurance, quarter", "223.00"))
    if month % 3 == 2:
        rows.append(("Insurance", "Contents insurance, quarter", "148.00"))
    if month == 3:
        rows.append(("Software", "Design tools, yearly licence", "690.00"))
    return [_at_some_time(words, chance, days[1], name, text, Decimal(cost), OPERATING) for name, text, cost in rows]


def _takings(words: Words, chance: Random, month: dt.date) -> list[Row]:
    """Interest, the web shop, and until the till opens the counter's better days."""
    last = max(days_of(month))
    rows = [
        _at_some_time(
            words,
            chance,
            last,
            "Interest received",
            "Interest on savings, {month}",
            _some_amount(chance, 9, 26),
            SAVINGS,
        ),
        _at_some_time(
            words, chance, last, "Sales", "Web shop orders, settled", _some_amount(chance, 600, 1900), OPERATING
        ),
    ]
    for day in days_of(month):
        if day.weekday() == 5 and is_open(day) and day < TILL_OPENS:
            amount = _some_amount(chance, 700, 1600)
            rows.append(_at_some_time(words, chance, day, "Sales", "Counter sales of the day", amount, CASH_DESK))
    return rows


def _at_some_time(
    words: Words, chance: Random, day: dt.date, category: str, description: str, amount: Decimal, account: int
) -> Row:
    return entry(words, instant(day, chance), category, description, amount, account)


def _phrase(words: Words, chance: Random, category: str) -> str:
    kind = "income" if category in words.texts["income"] else "expenses"
    text: str = chance.choice(words.texts[kind][category])
    return text


def _some_amount(chance: Random, least: int, most: int) -> Decimal:
    return Decimal(chance.randrange(least * 100, most * 100, 5)) / 100
