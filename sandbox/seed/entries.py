"""Entries of the ledger: income and expenses, before they are numbered in the order in which they were made."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from sandbox.seed.days import day_of, month_name
from sandbox.seed.reference import stamped
from sandbox.seed.words import Row, Words

OPERATING, SAVINGS, CASH_DESK, PETTY_CASH, TERMINAL, COMPANY_CARD = range(1, 7)
"""The accounts of the reference data."""

_METHODS = {
    **dict.fromkeys((OPERATING, SAVINGS), "Bank Transfer"),
    **dict.fromkeys((CASH_DESK, PETTY_CASH), "Cash"),
    **dict.fromkeys((TERMINAL, COMPANY_CARD), "Card"),
}
_ACCOUNTS = {"Bank Transfer": OPERATING, "Cheque": OPERATING, "Card": TERMINAL, "Cash": CASH_DESK}


def entry(
    words: Words,
    made_at: dt.datetime,
    category: str,
    description: str,
    amount: Decimal,
    account_id: int,
    *,
    method: str | None = None,
    invoice_id: int | None = None,
    sale_id: int | None = None,
) -> Row:
    """A transaction without its id. The category says whether it is income or an expense."""
    category_id = words.category(category)
    fields = {
        "type": words.reference["categories"][category_id - 1]["type"],
        "account_id": account_id,
        "category_id": category_id,
        "invoice_id": invoice_id,
        "sale_id": sale_id,
        "amount": amount,
        "method": method or _METHODS[account_id],
        "description": description.replace("{month}", month_name(day_of(made_at))),
        "date": day_of(made_at),
    }
    return stamped(fields, made_at)


def receipt(words: Words, made_at: dt.datetime, description: str, amount: Decimal, method: str, **cause: int) -> Row:
    """Income from sales, on the account that money paid by `method` arrives on; `cause` is an invoice or a sale."""
    return entry(words, made_at, "Sales", description, amount, _ACCOUNTS[method], method=method, **cause)


def numbered(entries: list[Row]) -> list[Row]:
    """The entries in the order in which they were made, with ids from 1."""
    return [{"id": id_, **row} for id_, row in enumerate(sorted(entries, key=_made), 1)]


def _made(row: Row) -> tuple[dt.datetime, str]:
    return row["created_at"], row["description"]
