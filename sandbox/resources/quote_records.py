"""Quotes as they are kept: the paper, and its lines in the order in which they were sent."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    ForeignKeyConstraint,
    Index,
    String,
    and_,
    bindparam,
    case,
    delete,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.api.lists import TODAY
from portal.core import types
from portal.core.database import Base
from portal.core.derived import order_key
from portal.core.ownership import TenantOwned, TenantRecord
from portal.core.session import TenantSession
from sandbox.resources.items import ITEM_FIELDS, Row, show_item
from sandbox.resources.series import document_order


class Quote(TenantRecord, Base):
    """What a customer was offered. Only an open one changes; a converted one names its invoice."""

    __tablename__ = "quotes"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "customer_id"], ["customers.tenant_id", "customers.id"]),
        ForeignKeyConstraint(["tenant_id", "invoice_id"], ["invoices.tenant_id", "invoices.id"]),
        Index("uq_quotes_quote_number", "tenant_id", "quote_number", unique=True),
        Index(None, "tenant_id", "quote_number_order", "id"),
        Index("uq_quotes_invoice_id", "tenant_id", "invoice_id", unique=True),
        Index(None, "tenant_id", "customer_id"),
        Index(None, "tenant_id", "status"),
    )
    public_prefix = "qte"

    quote_number: Mapped[str] = mapped_column(String(20))
    quote_number_order: Mapped[int | None] = order_key("quote_number", document_order)
    customer_id: Mapped[int] = mapped_column(BigInteger)
    issued_on: Mapped[dt.date]
    valid_until: Mapped[dt.date]
    notes: Mapped[str | None] = mapped_column(String(5000))
    subtotal: Mapped[Decimal] = mapped_column(types.Money)
    tax: Mapped[Decimal] = mapped_column(types.Money)
    amount: Mapped[Decimal] = mapped_column(types.Money)
    status: Mapped[str] = mapped_column(String(10))
    invoice_id: Mapped[int | None] = mapped_column(BigInteger)

    @property
    def series(self) -> str:
        """The series its number is of."""
        return f"quotes:{self.issued_on.year}"


class QuoteItem(TenantOwned, Base):
    """One line of a quote. `amount` is the price of one unit, before tax."""

    __tablename__ = "quote_items"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "quote_id"], ["quotes.tenant_id", "quotes.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["tenant_id", "product_id"], ["products.tenant_id", "products.id"]),
        Index(None, "tenant_id", "quote_id"),
        Index(None, "tenant_id", "product_id"),
    )
    is_audited = False

    quote_id: Mapped[int] = mapped_column(BigInteger)
    product_id: Mapped[int | None] = mapped_column(BigInteger)
    description: Mapped[str] = mapped_column(String(200))
    amount: Mapped[Decimal] = mapped_column(types.Money)
    qty: Mapped[Decimal] = mapped_column(types.Quantity)
    tax_rate: Mapped[Decimal] = mapped_column(types.Rate)
    subtotal: Mapped[Decimal] = mapped_column(types.Money)
    tax: Mapped[Decimal] = mapped_column(types.Money)


def has_expired(status: str, valid_until: dt.date, today: dt.date) -> bool:
    """Return True for an open quote whose last day is over: it shows the status Expired."""
    return status == "Open" and valid_until < today


def shows_status(status: Any, wanted: Any) -> ColumnElement[bool]:
    """The condition that a quote shows the wanted status on the day TODAY."""
    table = status.table
    is_over = and_(status == "Open", table.c.valid_until < bindparam(TODAY, type_=Date()))
    is_stored = status == case((wanted == "Expired", "Open"), else_=wanted)
    return and_(is_stored, case((is_over, "Expired"), else_=status) == wanted)


def replace_items(session: TenantSession, quote_id: int, items: list[Row]) -> None:
    """Make these the lines of a quote, in place of those it has."""
    session.execute(delete(QuoteItem).where(QuoteItem.quote_id == quote_id))
    session.add_all(QuoteItem(quote_id=quote_id, **item) for item in items)
    session.flush()


def items_of(session: TenantSession, quote_id: int) -> list[Row]:
    """Return the lines of one quote as they are stored."""
    lines = session.scalars(select(QuoteItem).where(QuoteItem.quote_id == quote_id).order_by(QuoteItem.id))
    return [{name: getattr(line, name) for name in ITEM_FIELDS} for line in lines]


def add_items(session: TenantSession, rows: list[Row]) -> None:
    """Put each quote's lines on its row, with one query for the page.

    The quotes are read again together with them, so that an amount is always the sum of the lines shown. What is
    gone by now is left out. An open quote whose last day is over is shown as Expired.
    """
    by_id, names = {row["id"]: row for row in rows}, list(rows[0])
    columns = [Quote.id, *(getattr(QuoteItem, name) for name in ITEM_FIELDS), *(getattr(Quote, name) for name in names)]
    wanted = select(*columns).join(QuoteItem, Quote.id == QuoteItem.quote_id).where(Quote.id.in_(by_id))
    for row in rows:
        row["items"] = []
    for id_, *values in session.execute(wanted.order_by(QuoteItem.id)):
        by_id[id_]["items"].append(show_item(dict(zip(ITEM_FIELDS, values, strict=False))))
        by_id[id_].update(zip(names, values[len(ITEM_FIELDS) :], strict=True))
    rows[:] = [row for row in rows if row["items"]]
    for row in rows:
        if has_expired(row["status"], row["valid_until"], session.current_day()):
            row["status"] = "Expired"
