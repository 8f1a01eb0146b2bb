"""Sales as they are kept: receipts, their lines and how they were paid."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.core import types
from portal.core.database import Base
from portal.core.derived import order_key
from portal.core.ownership import TenantOwned, TenantRecord
from sandbox.resources.series import document_order


class Sale(TenantRecord, Base):
    """One receipt. `amount` is the sum of its lines, with tax, and of its payments; `change` was given back."""

    __tablename__ = "sales"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "customer_id"], ["customers.tenant_id", "customers.id"]),
        Index(None, "tenant_id", "date"),
        Index("uq_sales_receipt_number", "tenant_id", "receipt_number", unique=True),
        Index(None, "tenant_id", "receipt_number_order", "id"),
    )
    public_prefix = "sal"

    receipt_number: Mapped[str] = mapped_column(String(20))
    receipt_number_order: Mapped[int | None] = order_key("receipt_number", document_order)
    customer_id: Mapped[int | None] = mapped_column(BigInteger)
    date: Mapped[dt.date]
    sold_at: Mapped[dt.datetime] = mapped_column(types.UtcDateTime)
    subtotal: Mapped[Decimal] = mapped_column(types.Money)
    tax: Mapped[Decimal] = mapped_column(types.Money)
    amount: Mapped[Decimal] = mapped_column(types.Money)
    change: Mapped[Decimal] = mapped_column(types.Money, server_default="0")


class SaleItem(TenantOwned, Base):
    """One line of a receipt. `price` is for one unit, before tax; `amount` for the line, with tax."""

    __tablename__ = "sale_items"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "sale_id"], ["sales.tenant_id", "sales.id"]),
        ForeignKeyConstraint(["tenant_id", "product_id"], ["products.tenant_id", "products.id"]),
        Index(None, "tenant_id", "sale_id"),
        Index(None, "tenant_id", "product_id"),
    )
    is_audited = False

    sale_id: Mapped[int] = mapped_column(BigInteger)
    product_id: Mapped[int] = mapped_column(BigInteger)
    qty: Mapped[Decimal] = mapped_column(types.Quantity)
    price: Mapped[Decimal] = mapped_column(types.Money)
    tax_rate: Mapped[Decimal] = mapped_column(types.Rate)
    subtotal: Mapped[Decimal] = mapped_column(types.Money)
    tax: Mapped[Decimal] = mapped_column(types.Money)
    amount: Mapped[Decimal] = mapped_column(types.Money)


class SalePayment(TenantOwned, Base):
    """How much of a receipt was paid by what method, less the change."""

    __tablename__ = "sale_payments"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "sale_id"], ["sales.tenant_id", "sales.id"]),
        Index(None, "tenant_id", "sale_id"),
    )
    is_audited = False

    sale_id: Mapped[int] = mapped_column(BigInteger)
    method: Mapped[str] = mapped_column(String(40))
    amount: Mapped[Decimal] = mapped_column(types.Money)
