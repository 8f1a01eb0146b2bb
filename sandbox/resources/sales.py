"""Sales at the counter: receipts, their lines and how they were paid."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import func, select

from portal.api.lists import from_day, to_day
from portal.api.records import find_references
from portal.api.resource import Resource
from portal.api.schema import (
    Amount,
    ApiModel,
    Date,
    Identity,
    Instant,
    Money,
    Percentage,
    Price,
    Quantity,
    Reference,
    Stamps,
    rule,
)
from portal.core.counters import take_block, take_number
from portal.core.errors import Conflict, ValidationFailed
from portal.core.session import TenantSession
from sandbox.resources.customers import Customer
from sandbox.resources.items import LARGEST, SUM, line_sums, sums_of
from sandbox.resources.parts import Parts
from sandbox.resources.products import Product
from sandbox.resources.reference import Account
from sandbox.resources.sale_records import Sale, SaleItem, SalePayment
from sandbox.resources.stock import Move, move_stock
from sandbox.resources.transactions import Transaction

PaymentMethod = Literal["Bank Transfer", "Card", "Cash", "Cheque"]
SALES_CATEGORY = 1
_ARRIVES_ON = {"Cash": "Cash", "Card": "Card"}
"""The type of account that money paid by a method arrives on; others arrive at the bank."""


class SaleItemBody(ApiModel):
    """One line as a caller sends it."""

    product_id: Reference
    qty: Quantity
    price: Price | None = Field(None, description="Price of one unit, before tax. The product's own if left out")


class SaleItemView(ApiModel):
    """One line as the API shows it."""

    product_id: int
    qty: Quantity
    price: Money = Field(description="Price of one unit, before tax")
    tax_rate: Percentage = Field(description="The product's rate when it was sold, in percent")
    subtotal: Money = Field(description="The line before tax")
    tax: Money
    amount: Money = Field(description="The line with tax")


class SalePaymentBody(ApiModel):
    """A part of what was paid."""

    method: PaymentMethod
    amount: Amount


class SalePaymentView(ApiModel):
    """A part of what was paid, less the change."""

    method: PaymentMethod
    amount: Money


class SaleBody(ApiModel):
    """A sale as a caller sends it."""

    read_only = ApiModel.read_only | {"receipt_number", "date", "sold_at", "subtotal", "tax", "amount", "change"}

    items: Annotated[list[SaleItemBody], Field(min_length=1, max_length=100)] = Field(json_schema_extra=SUM)
    payments: Annotated[list[SalePaymentBody], Field(min_length=1, max_length=10)] = Field(
        json_schema_extra=rule("cover what the items come to; only cash may be more")
    )
    customer_id: Reference | None = None


class SaleFacts(ApiModel):
    """What was sold to whom and when, and how it was paid."""

    receipt_number: str
    customer_id: int | None
    date: Date
    sold_at: Instant
    items: list[SaleItemView]
    payments: list[SalePaymentView] = Field(description="They come to the amount: cash is shown less the change")
    subtotal: Money = Field(description="The sum of the items before tax")
    tax: Money
    amount: Money = Field(description="The sum of the items with tax")
    change: Money = Field(description="Cash given back")


class SaleView(Stamps, SaleFacts, Identity):
    """A sale as the API shows it."""


@dataclass(frozen=True)
class _Line:
    product: Product
    qty: Decimal
    price: Decimal

    @property
    def fields(self) -> dict[str, Any]:
        """The columns of the line, less the keys."""
        rate = self.product.tax_rate
        sums = line_sums(self.price, self.qty, rate)
        return {"qty": self.qty, "price": self.price, "tax_rate": rate, **sums.fields()}


@dataclass(frozen=True)
class _Part:
    method: str
    amount: Decimal


def record_sale(session: TenantSession, data: SaleBody) -> Sale:
    """Sell goods and services at the counter: the receipt under the next number of its year, its stock, its income.

    Raises ValidationFailed, and InsufficientStock where a tracked product is short.
    """
    customer_id, lines = _read_lines(session, data)
    sums = sums_of(line.fields for line in lines)
    parts, change = _settle(sums.amount, data.payments)
    now = session.clock.now()
    today = session.calendar.date_of(now)
    number = f"REC-{today.year}-{take_number(session, f'sales:{today.year}'):04d}"
    details = {"receipt_number": number, "customer_id": customer_id, "date": today, "sold_at": now}
    sale = Sale(**details, **sums.fields(), change=change)
    session.add(sale)
    session.flush()
    _write_lines(session, sale, lines)
    moves = [Move(line.product, "out", line.qty) for line in lines if line.product.tracks_stock]
    move_stock(session, moves, reason="Sale", reference=number)
    _write_payments(session, sale, parts)
    return sale


def _read_lines(session: TenantSession, data: SaleBody) -> tuple[int | None, list[_Line]]:
    """The buyer's id, and the lines with their prices. Raises ValidationFailed."""
    products = {f"items.{place}.product_id": (Product, item.product_id) for place, item in enumerate(data.items)}
    found = find_references(session, {"customer_id": (Customer, data.customer_id), **products})
    lines = []
    for field, item in zip(products, data.items, strict=True):
        product = found[field]
        lines.append(_Line(product, item.qty, product.price if item.price is None else item.price))
    customer = found.get("customer_id")
    return customer.id if customer else None, lines


def _settle(total: Decimal, payments: list[SalePaymentBody]) -> tuple[list[_Part], Decimal]:
    """The payments less the change, which is taken from the cash, and the change. Raises ValidationFailed."""
    if not total:
        raise ValidationFailed({"items": "The items must come to 0.01 at least"})
    if total.adjusted() >= LARGEST:
        raise ValidationFailed({"items": "The items come to more than a receipt can hold"})
    change = sum((payment.amount for payment in payments), Decimal("0.00")) - total
    if change < 0:
        raise ValidationFailed({"payments": f"Payments must cover the total of {total}; {-change} is missing"})
    cash = sum((payment.amount for payment in payments if payment.method == "Cash"), Decimal("0.00"))
    if change and change >= cash:
        raise ValidationFailed(
            {"payments": f"Payments exceed the total of {total} by {change}; change is given on cash only"}
        )
    return _less_change(payments, change), change


def _less_change(payments: list[SalePaymentBody], change: Decimal) -> list[_Part]:
    parts = []
    for payment in reversed(payments):
        back = min(change, payment.amount) if payment.method == "Cash" else Decimal("0.00")
        change -= back
        parts.append(_Part(payment.method, payment.amount - back))
    return [part for part in reversed(parts) if part.amount]


def _write_lines(session: TenantSession, sale: Sale, lines: list[_Line]) -> None:
    for id_, line in zip(take_block(session, "sale_items", len(lines)), lines, strict=True):
        session.add(SaleItem(id=id_, sale_id=sale.id, product_id=line.product.id, **line.fields))


def _write_payments(session: TenantSession, sale: Sale, parts: list[_Part]) -> None:
    """The payments, and each as income on the account it arrives on."""
    accounts = _first_accounts(session)
    payment_ids = take_block(session, "sale_payments", len(parts))
    income_ids = take_block(session, "transactions", len(parts))
    for payment_id, income_id, part in zip(payment_ids, income_ids, parts, strict=True):
        session.add(SalePayment(id=payment_id, sale_id=sale.id, **vars(part)))
        income = {
            "type": "Income",
            "account_id": _account_for(part.method, accounts),
            "category_id": SALES_CATEGORY,
            "sale_id": sale.id,
            "description": f"Sale {sale.receipt_number}",
            "date": sale.date,
        }
        session.add(Transaction(id=income_id, **vars(part), **income))
    session.flush()


def _first_accounts(session: TenantSession) -> dict[str, int]:
    """The first account of each type."""
    wanted = select(Account.type, func.min(Account.id)).group_by(Account.type)
    return dict(session.execute(wanted).all())


def _account_for(method: str, accounts: dict[str, int]) -> int:
    type_ = _ARRIVES_ON.get(method, "Bank")
    if type_ not in accounts:
        raise Conflict(f"There is no account of the type {type_} for a payment by {method} to arrive on.")
    return accounts[type_]


_ITEMS, _PAYMENTS = Parts(SaleItem.sale_id, SaleItemView), Parts(SalePayment.sale_id, SalePaymentView)


def _add_parts(session: TenantSession, rows: list[dict[str, Any]]) -> None:
    """Put each sale's lines and payments on its row, with one query each. What a reset took meanwhile is left out."""
    ids = [row["id"] for row in rows]
    items, payments = _ITEMS.of(session, ids), _PAYMENTS.of(session, ids)
    rows[:] = [row | {"items": items[row["id"]], "payments": payments[row["id"]]} for row in rows if items[row["id"]]]


sales = Resource(
    name="sales",
    singular="sale",
    module="pos",
    path="/api/v2/pos/sales",
    description="Sales at the counter. A sale is one act: its receipt under the next number of the year, the goods "
    "out of stock, the payments as income on the accounts they arrive on. Either all of it happens or nothing. "
    "Prices are before tax, which is added by the product's rate. Payments must cover the total with tax; only cash "
    "may exceed it, and the change is told. A receipt is not changed afterwards.",
    model=Sale,
    shows=SaleView,
    accepts=SaleBody,
    verbs=("list", "create", "read"),
    filters={"date_from": from_day(Sale.date, Date), "date_to": to_day(Sale.date, Date)},
    sorts=("id", "sold_at", "amount", "receipt_number", "created_at", "updated_at"),
    computed=("items", "payments"),
    create=record_sale,
    enrich=_add_parts,
    codes={"create": ("insufficient_stock", "conflict")},
    sample={
        "items": [{"product_id": 19, "qty": 2}, {"product_id": 8, "qty": 1, "price": Decimal("60.00")}],
        "payments": [{"method": "Cash", "amount": Decimal("90.00")}],
        "customer_id": 1,
    },
)
