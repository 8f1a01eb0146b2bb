"""Invoices: what customers owe, and their payments."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, String, select
from sqlalchemy.orm import Mapped, mapped_column

from portal.api.events import announce
from portal.api.lists import equals, from_day, refers_to, to_day
from portal.api.operation import Call, Done, Operation
from portal.api.records import find_record, find_reference
from portal.api.resource import Resource
from portal.api.schema import (
    Amount,
    ApiModel,
    Code,
    Date,
    Instant,
    Line,
    Money,
    Paragraph,
    Percentage,
    Quantity,
    Reference,
)
from portal.core import types
from portal.core.counters import take_number
from portal.core.database import Base
from portal.core.errors import Conflict, NotFound, ValidationFailed
from portal.core.ownership import TenantOwned, TenantRecord
from portal.core.session import TenantSession
from sandbox.resources.customers import Customer
from sandbox.resources.products import Product
from sandbox.resources.reference import Account, Category
from sandbox.resources.transactions import Transaction

Status = Literal["Unpaid", "Partially Paid", "Paid", "Void"]
SALES_CATEGORY = 1


class Invoice(TenantRecord, Base):
    """What a customer owes for some items. `balance` is `amount` less `paid`."""

    __tablename__ = "invoices"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "customer_id"], ["customers.tenant_id", "customers.id"]),
        Index("uq_invoices_invoice_number", "tenant_id", "invoice_number", unique=True),
        Index(None, "tenant_id", "customer_id"),
        Index(None, "tenant_id", "date"),
        Index(None, "tenant_id", "status"),
    )
    public_prefix = "inv"

    invoice_number: Mapped[str] = mapped_column(String(20))
    customer_id: Mapped[int] = mapped_column(BigInteger)
    date: Mapped[dt.date]
    due_date: Mapped[dt.date]
    notes: Mapped[str | None] = mapped_column(String(5000))
    amount: Mapped[Decimal] = mapped_column(types.Money)
    paid: Mapped[Decimal] = mapped_column(types.Money)
    balance: Mapped[Decimal] = mapped_column(types.Money)
    status: Mapped[str] = mapped_column(String(20))
    approved_at: Mapped[dt.datetime | None] = mapped_column(types.UtcDateTime)


class InvoiceItem(TenantOwned, Base):
    """One line of an invoice. `amount` is the price of one unit, before tax."""

    __tablename__ = "invoice_items"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "invoice_id"], ["invoices.tenant_id", "invoices.id"]),
        ForeignKeyConstraint(["tenant_id", "product_id"], ["products.tenant_id", "products.id"]),
        Index(None, "tenant_id", "invoice_id"),
        Index(None, "tenant_id", "product_id"),
    )
    is_audited = False

    invoice_id: Mapped[int] = mapped_column(BigInteger)
    product_id: Mapped[int | None] = mapped_column(BigInteger)
    description: Mapped[str] = mapped_column(String(200))
    amount: Mapped[Decimal] = mapped_column(types.Money)
    qty: Mapped[Decimal] = mapped_column(types.Quantity)
    tax_rate: Mapped[Decimal] = mapped_column(types.Rate)


class ItemBody(ApiModel):
    """One line as a caller sends it; `amount` is the price of one unit, before tax."""

    description: Line
    amount: Amount
    qty: Quantity = Decimal(1)
    product_id: Reference | None = None
    tax_rate: Percentage = Decimal("0.00")


class ItemView(ApiModel):
    """One line as the API shows it; `total` includes tax."""

    description: str
    amount: Money
    qty: Quantity
    product_id: int | None
    tax_rate: Percentage
    total: Money


class InvoiceBody(ApiModel):
    """What a caller may say of an invoice."""

    read_only = ApiModel.read_only | {"invoice_number", "amount", "paid", "balance", "status", "approved_at"}

    customer_id: Reference
    date: Date | None = Field(None, description="When left out: today, or the due date where that is earlier")
    due_date: Date
    items: Annotated[list[ItemBody], Field(min_length=1, max_length=100)]
    notes: Paragraph | None = None


class InvoiceView(ApiModel):
    """An invoice as the API shows it."""

    id: int
    public_id: str
    invoice_number: str
    customer_id: int
    date: Date
    due_date: Date
    items: list[ItemView]
    notes: str | None
    amount: Money
    paid: Money
    balance: Money
    status: Status
    approved_at: Instant | None
    created_at: Instant
    updated_at: Instant
    version: int


class PaymentBody(ApiModel):
    """A payment: how much, onto which account, when, how."""

    amount: Amount
    account_id: Reference
    date: Date | None = Field(None, description="Today when left out")
    method: Code | None = None


class PaymentView(ApiModel):
    """A payment as the API shows it: the income it recorded, and the invoice as it stands now."""

    id: int
    public_id: str
    amount: Money
    account_id: int
    date: Date
    method: str | None
    created_at: Instant
    invoice: InvoiceView


def line_total(amount: Decimal, qty: Decimal, tax_rate: Decimal) -> Decimal:
    """One line in money, tax included, rounded half up to the cent."""
    return (amount * qty * (100 + tax_rate) / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)


def issue_invoice(session: TenantSession, data: InvoiceBody) -> Invoice:
    """Issue an invoice under the next number of its year. Raises ValidationFailed."""
    date = data.date or min(session.clock.today(), data.due_date)
    if data.due_date < date:
        raise ValidationFailed({"due_date": "Due date must not be before the invoice date"})
    customer = find_reference(session, Customer, data.customer_id, "customer_id")
    products = _find_products(session, data.items)
    total = sum((line_total(item.amount, item.qty, item.tax_rate) for item in data.items), Decimal("0.00"))
    if total.adjusted() >= 12:
        raise ValidationFailed({"items": "The items come to more than an invoice can hold"})
    invoice = Invoice(
        invoice_number=f"INV-{date.year}-{take_number(session, f'invoices:{date.year}'):03d}",
        customer_id=customer.id,
        date=date,
        due_date=data.due_date,
        notes=data.notes,
        amount=total,
        paid=Decimal("0.00"),
        balance=total,
        status="Unpaid",
    )
    session.add(invoice)
    session.flush()
    for item, product in zip(data.items, products, strict=True):
        line = item.model_dump() | {"product_id": product.id if product else None}
        session.add(InvoiceItem(invoice_id=invoice.id, **line))
    session.flush()
    return invoice


def pay_invoice(session: TenantSession, invoice: Invoice, data: PaymentBody) -> Transaction:
    """Record a payment as income. Raises Conflict for a void invoice, ValidationFailed for an overpayment."""
    if invoice.status == "Void":
        raise Conflict("This invoice is void; it takes no payment.")
    account = find_reference(session, Account, data.account_id, "account_id")
    if data.amount > invoice.balance:
        raise ValidationFailed({"amount": f"Amount must not exceed the balance of {invoice.balance}"})
    payment = Transaction(
        type="Income",
        account_id=account.id,
        category_id=find_record(session, Category, SALES_CATEGORY).id,
        invoice_id=invoice.id,
        amount=data.amount,
        method=data.method,
        description=f"Payment of {invoice.invoice_number}",
        date=data.date or session.clock.today(),
    )
    session.add(payment)
    invoice.paid += data.amount
    invoice.balance = invoice.amount - invoice.paid
    invoice.status = "Paid" if invoice.balance == 0 else "Partially Paid"
    session.flush()
    return payment


def add_items(session: TenantSession, rows: list[dict[str, Any]]) -> None:
    """Put each invoice's lines on its row, with one query for the page."""
    by_invoice: dict[int, list[dict[str, Any]]] = {row["id"]: [] for row in rows}
    wanted = select(InvoiceItem).where(InvoiceItem.invoice_id.in_(by_invoice)).order_by(InvoiceItem.id)
    for item in session.scalars(wanted):
        line = {name: getattr(item, name) for name in ItemView.model_fields if name != "total"}
        line["total"] = line_total(item.amount, item.qty, item.tax_rate)
        by_invoice[item.invoice_id].append(line)
    for row in rows:
        row["items"] = by_invoice[row["id"]]


def _find_products(session: TenantSession, items: list[ItemBody]) -> list[Product | None]:
    errors, found = {}, []
    for position, item in enumerate(items):
        product = None
        if item.product_id is not None:
            try:
                product = find_record(session, Product, item.product_id)
            except NotFound:
                errors[f"items.{position}.product_id"] = "No such product"
        found.append(product)
    if errors:
        raise ValidationFailed(errors)
    return found


def _find_customer(session: TenantSession, reference: Any) -> Customer:
    return find_reference(session, Customer, reference, "customer_id")


def _take_payment(call: Call) -> Done:
    payment = pay_invoice(call.session, call.record, call.body)
    data = {name: getattr(payment, name) for name in PaymentView.model_fields if name != "invoice"}
    data["invoice"] = invoices.present(call.session, call.record)
    announce(call.session, "payment.received", data)
    if call.record.status == "Paid":
        announce(call.session, "invoice.paid", data["invoice"])
    return Done(data)


pay = Operation(
    id="invoices.pay",
    method="POST",
    path="/api/v2/invoices/{id}/payments",
    summary="Record a payment",
    outcome="Payment recorded",
    description="Records income on an account and lowers the invoice's balance. Nothing above the balance is taken.",
    permission="accounting:write",
    find=lambda call: find_record(call.session, Invoice, call.path["id"], lock=True),
    handle=_take_payment,
    body=PaymentBody,
    returns=PaymentView,
    status=201,
    codes=("conflict",),
    sample={"amount": Decimal("500.00"), "account_id": 1, "date": "2024-02-01", "method": "Bank Transfer"},
    sample_path={"id": 1},
)

invoices = Resource(
    name="invoices",
    singular="invoice",
    module="accounting",
    description="What customers owe. Numbers have no gaps within a year; balance is amount less paid.",
    model=Invoice,
    shows=InvoiceView,
    accepts=InvoiceBody,
    verbs=("list", "create", "read"),
    filters={
        "status": equals(Invoice.status, Status),
        "customer_id": refers_to(Invoice.customer_id, _find_customer, "The customer's id or public id"),
        "date_from": from_day(Invoice.date, Date),
        "date_to": to_day(Invoice.date, Date),
    },
    sorts=("id", "date", "due_date", "amount", "invoice_number", "created_at", "updated_at"),
    computed=("items",),
    create=issue_invoice,
    enrich=add_items,
    actions=(pay,),
    announces={
        "invoice.created": "An invoice was issued",
        "invoice.updated": "An invoice was changed",
        "invoice.paid": "An invoice was paid in full",
    },
    sample={
        "customer_id": 1,
        "date": "2024-01-20",
        "due_date": "2024-02-20",
        "items": [{"description": "Web Development", "amount": Decimal("1500.00"), "qty": 1}],
        "notes": "Payable within 30 days",
    },
)
