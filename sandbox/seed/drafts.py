"""What the seed decides about an invoice before its rows are made."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal

from sandbox.resources.items import Sums, line_sums, sums_of
from sandbox.seed.days import month_name
from sandbox.seed.words import Words, money


@dataclass(frozen=True)
class Line:
    """One line; `amount` is the price of one unit, before tax."""

    description: str
    product_id: int
    amount: Decimal
    qty: Decimal
    tax_rate: Decimal
    subtotal: Decimal
    tax: Decimal


@dataclass(frozen=True)
class Payment:
    """Money that came in for an invoice."""

    paid_at: dt.datetime
    amount: Decimal
    method: str


@dataclass(frozen=True)
class Draft:
    """One invoice to be: what was sold to whom, when, and what became of it."""

    issued_at: dt.datetime
    customer_id: int
    due_date: dt.date
    lines: tuple[Line, ...]
    notes: str | None = None
    approved_at: dt.datetime | None = None
    voided_at: dt.datetime | None = None
    payments: tuple[Payment, ...] = field(default=())

    @property
    def sums(self) -> Sums:
        return sums_of(vars(line) for line in self.lines)

    @property
    def amount(self) -> Decimal:
        return self.sums.amount

    @property
    def paid(self) -> Decimal:
        return sum((payment.amount for payment in self.payments), Decimal("0.00"))


def total_of(lines: tuple[Line, ...]) -> Decimal:
    """What the lines come to, with tax."""
    return sums_of(vars(line) for line in lines).amount


def draft_line(words: Words, description: str, qty: int, day: dt.date) -> Line:
    """The line of the demo data with this description."""
    line = words.line(description)
    product = words.product(line["sku"])
    amount, tax_rate = money(line["amount"]), money(product["tax_rate"])
    return Line(
        description=description.replace("{month}", month_name(day)),
        product_id=product["id"],
        amount=amount,
        qty=Decimal(qty),
        tax_rate=tax_rate,
        **line_sums(amount, Decimal(qty), tax_rate)._asdict(),
    )
