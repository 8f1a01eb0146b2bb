"""January 2024, line by line: the month whose figures the guides quote (contract section 8).

Income 15000.00, expenses 5000.00, outstanding invoices 3000.00.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from random import Random

from sandbox.seed.days import dice, instant
from sandbox.seed.drafts import Draft, Payment, draft_line, total_of
from sandbox.seed.entries import entry
from sandbox.seed.words import Row, Words, money

MONTH = dt.date(2024, 1, 1)
INCOME = Decimal("15000.00")

_Sold = tuple[tuple[str, int], ...]
_Paid = tuple[tuple[int, int, str | None], ...]

# Day, customer, lines (description, quantity), payments (month, day, amount or None for the whole).
_INVOICES: tuple[tuple[int, int, _Sold, _Paid], ...] = (
    (15, 1, (("Web Development", 1),), ()),
    (16, 2, (("Workstations installed and handed over", 10),), ((1, 24, None),)),
    (17, 3, (("Survey of the wireless network", 1), ("Network outlets laid and tested", 24)), ((1, 29, None),)),
    (18, 4, (("Online shop, first stage", 1), ("Workshop on connecting the web shop", 1)), ((1, 25, "1844.00"),)),
    (19, 2, (("Laser printer", 2), ("Toner for the laser printer", 4)), ((1, 30, None),)),
    (24, 6, (("Security review with report", 1),), ()),
    (26, 7, (("Monitors, 24 inches", 4), ("Docking stations", 2)), ((1, 31, None),)),
    (29, 3, (("Support contract, {month}", 1),), ((2, 9, None),)),
    (
        *(30, 5),
        (("Customer records moved from the old system", 1), ("Half-day training for new staff", 1)),
        ((2, 20, None),),
    ),
)
_TAKEN_BACK = {6: dt.datetime(2024, 1, 26, 9, 12, 40, tzinfo=dt.UTC)}
"""When a customer's invoice became void."""

# Day, category, description, account, amount. The last counter sales of the month make up the sum.
_LEDGER = (
    (2, "Rent", "Office and store, {month}", 1, "1200.00"),
    (3, "Insurance", "Liability insurance, quarter", 1, "223.00"),
    (4, "Goods for resale", "Network material, restock", 1, "742.30"),
    (5, "Software", "Accounting package, monthly fee", 6, "39.00"),
    (6, "Sales", "Counter sales of the day", 3, "1204.80"),
    (8, "Software", "Hosting of customer websites", 6, "58.00"),
    (9, "Utilities", "Electricity, {month}", 1, "118.40"),
    (10, "Other income", "Deposit returned", 1, "250.00"),
    (11, "Utilities", "Water, {month}", 1, "31.20"),
    (12, "Services", "Workshop fee", 1, "480.00"),
    (13, "Sales", "Counter sales of the day", 3, "1387.25"),
    (16, "Utilities", "Internet line, {month}", 1, "49.00"),
    (17, "Utilities", "Telephone, {month}", 1, "42.60"),
    (19, "Sales", "Sale of a demonstration unit", 3, "890.00"),
    (20, "Sales", "Counter sales of the day", 3, "1466.90"),
    (22, "Travel", "Fuel for the van", 6, "84.00"),
    (23, "Services", "On-site help, paid at once", 3, "240.00"),
    (30, "Salaries", "Salaries, {month}", 1, "2400.00"),
    (31, "Bank charges", "Account fees, {month}", 1, "12.50"),
    (31, "Interest received", "Interest on savings, {month}", 2, "11.40"),
    (31, "Sales", "Web shop orders, settled", 1, "1318.60"),
)
_LAST_COUNTER_SALES = 27


def opening_drafts(words: Words, customers: list[Row]) -> list[Draft]:
    """The invoices of the month; two of them still owe 1500.00 each."""
    chance = dice("opening invoices")
    return [
        _draft(words, chance, MONTH.replace(day=day), customers[customer_id - 1], sold, paid)
        for day, customer_id, sold, paid in _INVOICES
    ]


def _draft(words: Words, chance: Random, date: dt.date, customer: Row, sold: _Sold, paid: _Paid) -> Draft:
    lines = tuple(draft_line(words, description, qty, date) for description, qty in sold)
    amounts = [money(some) if some else total_of(lines) for *_, some in paid]
    paid_at = [instant(dt.date(2024, month, day), chance) for month, day, _ in paid]
    return Draft(
        issued_at=max(instant(date, chance), customer["created_at"] + dt.timedelta(minutes=30)),
        customer_id=customer["id"],
        due_date=dt.date(2024, 2, 15) if customer["id"] == 1 else date + dt.timedelta(days=30),
        lines=lines,
        approved_at=instant(date + dt.timedelta(days=1), chance) if paid else None,
        voided_at=_TAKEN_BACK.get(customer["id"]),
        payments=tuple(Payment(at, amount, "Bank Transfer") for at, amount in zip(paid_at, amounts, strict=True)),
    )


def opening_entries(words: Words, paid: Decimal) -> list[Row]:
    """The month's ledger beside the payments of invoices, which came to `paid`."""
    chance = dice("opening ledger")
    rows = [
        entry(words, instant(MONTH.replace(day=day), chance), category, description, money(amount), account)
        for day, category, description, account, amount in _LEDGER
    ]
    missing = INCOME - paid - sum(row["amount"] for row in rows if row["type"] == "Income")
    assert missing > 0
    last = instant(MONTH.replace(day=_LAST_COUNTER_SALES), chance)
    return [*rows, entry(words, last, "Sales", "Counter sales of the day", missing, 3)]
