"""Rows of invoices, their lines and their payments, numbered without gaps in the order of issue."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

from sandbox.seed.days import day_of
from sandbox.seed.drafts import Draft
from sandbox.seed.entries import receipt
from sandbox.seed.reference import stamped
from sandbox.seed.words import Row, Words


@dataclass
class Invoices:
    """The rows, and the last number taken in each year. Payments are entries, not yet numbered."""

    invoices: list[Row] = field(default_factory=list)
    items: list[Row] = field(default_factory=list)
    payments: list[Row] = field(default_factory=list)
    numbers: Counter[int] = field(default_factory=Counter)


def invoice_rows(words: Words, drafts: list[Draft]) -> Invoices:
    """The rows for the drafts, oldest first."""
    made = Invoices()
    for id_, draft in enumerate(sorted(drafts, key=lambda draft: draft.issued_at), 1):
        year = day_of(draft.issued_at).year
        made.numbers[year] += 1
        number = f"INV-{year}-{made.numbers[year]:03d}"
        made.invoices.append(_invoice(id_, number, draft))
        for line in draft.lines:
            made.items.append({"id": len(made.items) + 1, "invoice_id": id_, **vars(line)})
        for payment in draft.payments:
            words_of_it = f"Payment of {number}"
            made.payments.append(
                receipt(words, payment.paid_at, words_of_it, payment.amount, payment.method, invoice_id=id_)
            )
    return made


def _invoice(id_: int, number: str, draft: Draft) -> Row:
    fields = {
        "id": id_,
        "invoice_number": number,
        "customer_id": draft.customer_id,
        "reference": f"PO-{20_000 + 7 * id_}" if id_ % 4 == 0 else None,
        "date": day_of(draft.issued_at),
        "due_date": draft.due_date,
        "notes": draft.notes,
        **draft.sums.fields(),
        "paid": draft.paid,
        "balance": draft.amount - draft.paid,
        "status": _status(draft),
        "approved_at": draft.approved_at,
    }
    moments = [draft.approved_at, draft.voided_at, *(payment.paid_at for payment in draft.payments)]
    happened = [moment for moment in moments if moment]
    return stamped(fields, draft.issued_at, max(happened, default=None), version=1 + len(happened))


def _status(draft: Draft) -> str:
    if draft.voided_at:
        return "Void"
    if draft.paid == draft.amount:
        return "Paid"
    return "Partially Paid" if draft.paid > Decimal(0) else "Unpaid"
