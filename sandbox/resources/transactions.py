"""Transactions: every sum earned or spent. The reports are sums over these."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.core import types
from portal.core.database import Base
from portal.core.ownership import TenantRecord


class Transaction(TenantRecord, Base):
    """Income or expense on an account. One that names an invoice is a payment of it."""

    __tablename__ = "transactions"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "account_id"], ["accounts.tenant_id", "accounts.id"]),
        ForeignKeyConstraint(["tenant_id", "category_id"], ["categories.tenant_id", "categories.id"]),
        ForeignKeyConstraint(["tenant_id", "invoice_id"], ["invoices.tenant_id", "invoices.id"]),
        Index(None, "tenant_id", "date"),
        Index(None, "tenant_id", "invoice_id"),
    )
    public_prefix = "txn"

    type: Mapped[str] = mapped_column(String(10))
    account_id: Mapped[int] = mapped_column(BigInteger)
    category_id: Mapped[int] = mapped_column(BigInteger)
    invoice_id: Mapped[int | None] = mapped_column(BigInteger)
    amount: Mapped[Decimal] = mapped_column(types.Money)
    method: Mapped[str | None] = mapped_column(String(40))
    description: Mapped[str | None] = mapped_column(String(200))
    date: Mapped[dt.date]
