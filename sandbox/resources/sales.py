"""Sales at the counter: receipts, their lines and how they were paid."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.core import types
from portal.core.database import Base
from portal.core.ownership import TenantOwned, TenantRecord


class Sale(TenantRecord, Base):
    """One receipt. `amount` is the sum of its lines, taxes included."""

    __tablename__ = "sales"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "customer_id"], ["customers.tenant_id", "customers.id"]),
        Index(None, "tenant_id", "date"),
        Index("uq_sales_receipt_number", "tenant_id", "receipt_number", unique=True),
    )
    public_prefix = "sal"

    receipt_number: Mapped[str] = mapped_column(String(20))
    customer_id: Mapped[int | None] = mapped_column(BigInteger)
    date: Mapped[dt.date]
    sold_at: Mapped[dt.datetime] = mapped_column(types.UtcDateTime)
    amount: Mapped[Decimal] = mapped_column(types.Money)


class SaleItem(TenantOwned, Base):
    """One line of a receipt. `price` is for one unit, `amount` for the line, taxes included."""

    __tablename__ = "sale_items"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "sale_id"], ["sales.tenant_id", "sales.id"]),
        ForeignKeyConstraint(["tenant_id", "product_id"], ["products.tenant_id", "products.id"]),
        Index(None, "tenant_id", "sale_id"),
        Index(None, "tenant_id", "product_id"),
    )

    sale_id: Mapped[int] = mapped_column(BigInteger)
    product_id: Mapped[int] = mapped_column(BigInteger)
    qty: Mapped[Decimal] = mapped_column(types.Quantity)
    price: Mapped[Decimal] = mapped_column(types.Money)
    amount: Mapped[Decimal] = mapped_column(types.Money)


class SalePayment(TenantOwned, Base):
    """How much of a receipt was paid by what method."""

    __tablename__ = "sale_payments"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "sale_id"], ["sales.tenant_id", "sales.id"]),
        Index(None, "tenant_id", "sale_id"),
    )

    sale_id: Mapped[int] = mapped_column(BigInteger)
    method: Mapped[str] = mapped_column(String(40))
    amount: Mapped[Decimal] = mapped_column(types.Money)
