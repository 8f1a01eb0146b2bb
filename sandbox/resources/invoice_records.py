"""Invoices as they are kept."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.core import types
from portal.core.database import Base
from portal.core.derived import order_key
from portal.core.ownership import TenantRecord
from sandbox.resources.series import document_order


class Invoice(TenantRecord, Base):
    """What a customer owes for some items. `reference` is the caller's own number.

    `balance` is `amount` less `paid`, for a void one too.
    """

    __tablename__ = "invoices"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "customer_id"], ["customers.tenant_id", "customers.id"]),
        Index("uq_invoices_invoice_number", "tenant_id", "invoice_number", unique=True),
        Index(None, "tenant_id", "invoice_number_order", "id"),
        Index(None, "tenant_id", "customer_id"),
        Index(None, "tenant_id", "date"),
        Index(None, "tenant_id", "status"),
        Index("uq_invoices_reference", "tenant_id", "reference", unique=True),
    )
    public_prefix = "inv"

    invoice_number: Mapped[str] = mapped_column(String(20))
    invoice_number_order: Mapped[int | None] = order_key("invoice_number", document_order)
    customer_id: Mapped[int] = mapped_column(BigInteger)
    reference: Mapped[str | None] = mapped_column(String(40))
    date: Mapped[dt.date]
    due_date: Mapped[dt.date]
    notes: Mapped[str | None] = mapped_column(String(5000))
    subtotal: Mapped[Decimal] = mapped_column(types.Money)
    tax: Mapped[Decimal] = mapped_column(types.Money)
    amount: Mapped[Decimal] = mapped_column(types.Money)
    paid: Mapped[Decimal] = mapped_column(types.Money)
    balance: Mapped[Decimal] = mapped_column(types.Money)
    status: Mapped[str] = mapped_column(String(20))
    approved_at: Mapped[dt.datetime | None] = mapped_column(types.UtcDateTime)

    @property
    def series(self) -> str:
        """The series of its number: one for each year."""
        return f"invoices:{self.date.year}"
