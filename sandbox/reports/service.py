"""Figures of a period, summed by the database on whole numbers (contract sections 5 and 6)."""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select

from portal.core.errors import ValidationFailed
from portal.core.session import TenantSession
from sandbox.resources.invoice_records import Invoice
from sandbox.resources.products import Product
from sandbox.resources.sale_records import Sale, SaleItem, SalePayment
from sandbox.resources.transactions import Transaction

LONGEST = 366
NOTHING = Decimal("0.00")
SUMS = ("amount", "subtotal", "tax")
Figures = dict[str, Any]


@dataclass(frozen=True)
class Period:
    """Days from `first` to `last`, both included."""

    first: dt.date
    last: dt.date

    def covers(self, column: Any) -> ColumnElement[bool]:
        condition: ColumnElement[bool] = column.between(self.first, self.last)
        return condition


def month_or_year(year: int, month: int | None) -> Period:
    """One month, or the whole year."""
    last = month or 12
    return Period(dt.date(year, month or 1, 1), dt.date(year, last, monthrange(year, last)[1]))


def report_finances(session: TenantSession, period: Period) -> Figures:
    """Income, expenses and profit booked in the period; what its invoices, void ones aside, are still owed."""
    booked = select(Transaction.type, func.sum(Transaction.amount)).where(period.covers(Transaction.date))
    sums = {row[0]: row[1] for row in session.execute(booked.group_by(Transaction.type))}
    owed = select(func.sum(Invoice.balance)).where(period.covers(Invoice.date), Invoice.status != "Void")
    income, expenses = sums.get("Income", NOTHING), sums.get("Expense", NOTHING)
    return {
        "income": income,
        "expenses": expenses,
        "profit": income - expenses,
        "outstanding_invoices": session.scalar(owed) or NOTHING,
    }


def report_sales(session: TenantSession, period: Period) -> Figures:
    """Sales at the counter: in all, by day, by product, by payment method. Raises ValidationFailed."""
    _refuse_bad_period(period)
    days = _by_day(session, period)
    products = _by_product(session, period)
    return {
        "from": period.first,
        "to": period.last,
        "totals": {
            "sales": sum(row["sales"] for row in days),
            "quantity": sum((row["quantity"] for row in products), Decimal(0)),
            **{name: sum((row[name] for row in days), NOTHING) for name in SUMS},
        },
        "by_day": days,
        "by_product": products,
        "by_payment_method": _by_payment_method(session, period),
    }


def _refuse_bad_period(period: Period) -> None:
    if period.first > period.last:
        raise ValidationFailed({"from": "From must not be after to"})
    if (period.last - period.first).days >= LONGEST:
        raise ValidationFailed({"to": f"A report covers {LONGEST} days at most"})


def _by_day(session: TenantSession, period: Period) -> list[Figures]:
    wanted = select(Sale.date, func.count().label("sales"), *_sums_of(Sale))
    return _rows(session, wanted.where(period.covers(Sale.date)).group_by(Sale.date).order_by(Sale.date))


def _by_product(session: TenantSession, period: Period) -> list[Figures]:
    sums = _sums_of(SaleItem)
    wanted = (
        select(Product.id, Product.public_id, Product.name, func.sum(SaleItem.qty).label("quantity"), *sums)
        .join_from(Sale, SaleItem, _same(SaleItem.tenant_id, Sale.tenant_id, SaleItem.sale_id, Sale.id))
        .join(Product, _same(SaleItem.tenant_id, Product.tenant_id, SaleItem.product_id, Product.id))
        .where(period.covers(Sale.date))
    )
    grouped = wanted.group_by(Product.id, Product.public_id, Product.name)
    return _rows(session, grouped.order_by(sums[0].desc(), Product.id))


def _sums_of(model: type[Sale | SaleItem]) -> list[Any]:
    return [func.sum(getattr(model, name)).label(name) for name in SUMS]


def _by_payment_method(session: TenantSession, period: Period) -> list[Figures]:
    amount = func.sum(SalePayment.amount).label("amount")
    wanted = (
        select(SalePayment.method, func.count().label("payments"), amount)
        .join_from(Sale, SalePayment, _same(SalePayment.tenant_id, Sale.tenant_id, SalePayment.sale_id, Sale.id))
        .where(period.covers(Sale.date))
    )
    return _rows(session, wanted.group_by(SalePayment.method).order_by(amount.desc(), SalePayment.method))


def _same(tenant: Any, other_tenant: Any, reference: Any, id_: Any) -> ColumnElement[bool]:
    return and_(tenant == other_tenant, reference == id_)


def _rows(session: TenantSession, statement: Any) -> list[Figures]:
    return [dict(row) for row in session.execute(statement).mappings()]
