"""Transactions: every sum earned or spent. The reports are sums over these."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.api.events import announce
from portal.api.lists import equals, from_day, refers_to, to_day
from portal.api.records import find_record, find_reference
from portal.api.resource import Resource, set_fields
from portal.api.schema import Amount, ApiModel, Date, Identity, Instant, Line, Money, Reference, Stamps, rule
from portal.core import types
from portal.core.database import Base
from portal.core.errors import TransactionLocked, ValidationFailed
from portal.core.ownership import TenantRecord
from portal.core.remedies import Remedy
from portal.core.session import TenantSession
from sandbox.resources.invoice_records import Invoice
from sandbox.resources.invoices import InvoiceView, invoices, pay_invoice, unpay_invoice
from sandbox.resources.reference import Account, Category

Kind = Literal["Income", "Expense"]
FIXED_IN_PAYMENTS = ("type", "amount", "invoice_id")


class Transaction(TenantRecord, Base):
    """Income or expense on an account. One that names an invoice is a payment of it; a sale's is the till's."""

    __tablename__ = "transactions"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "account_id"], ["accounts.tenant_id", "accounts.id"]),
        ForeignKeyConstraint(["tenant_id", "category_id"], ["categories.tenant_id", "categories.id"]),
        ForeignKeyConstraint(["tenant_id", "invoice_id"], ["invoices.tenant_id", "invoices.id"]),
        ForeignKeyConstraint(["tenant_id", "sale_id"], ["sales.tenant_id", "sales.id"]),
        Index(None, "tenant_id", "account_id"),
        Index(None, "tenant_id", "category_id"),
        Index(None, "tenant_id", "date"),
        Index(None, "tenant_id", "invoice_id"),
        Index(None, "tenant_id", "sale_id"),
    )
    public_prefix = "txn"

    type: Mapped[str] = mapped_column(String(10))
    account_id: Mapped[int] = mapped_column(BigInteger)
    category_id: Mapped[int] = mapped_column(BigInteger)
    invoice_id: Mapped[int | None] = mapped_column(BigInteger)
    sale_id: Mapped[int | None] = mapped_column(BigInteger)
    amount: Mapped[Decimal] = mapped_column(types.Money)
    method: Mapped[str | None] = mapped_column(String(40))
    description: Mapped[str | None] = mapped_column(String(200))
    date: Mapped[dt.date]


class TransactionBody(ApiModel):
    """What a caller may say of a transaction."""

    read_only = ApiModel.read_only | {"method"}

    type: Kind
    account_id: Reference
    amount: Amount = Field(json_schema_extra=rule("not more than the balance of the invoice it pays"))
    category_id: Reference = Field(description="A category of the transaction's type, by id or public id")
    date: Date
    invoice_id: Reference | None = Field(None, description="The invoice that this income pays, by id or public id")
    description: Line | None = None


class TransactionFacts(ApiModel):
    """A transaction's own fields as the API shows them."""

    type: Kind
    account_id: int
    amount: Money
    category_id: int
    date: Date
    invoice_id: int | None = Field(description="The invoice it pays")
    method: str | None = Field(description="How it was paid, where that was recorded")
    description: str | None


class TransactionView(Stamps, TransactionFacts, Identity):
    """A transaction as the API shows it."""


class PaymentFacts(Identity):
    """A payment: the income it recorded."""

    amount: Money
    account_id: int
    date: Date
    method: str | None
    created_at: Instant


class PaymentView(PaymentFacts):
    """A payment, and the invoice as it stands now."""

    invoice: InvoiceView


def record_transaction(session: TenantSession, data: TransactionBody) -> Transaction:
    """Record a sum earned or spent; income that names an invoice pays it.

    Raises ValidationFailed, and InvoiceVoid where the invoice takes no payment.
    """
    fields, invoice = _resolve(session, data.model_dump(), data.type)
    transaction = Transaction(**fields)
    if invoice is None:
        session.add(transaction)
    else:
        record_payment(session, transaction, invoice)
    return transaction


def record_payment(session: TenantSession, payment: Transaction, invoice: Invoice) -> dict[str, Any]:
    """Store income as a payment of an invoice, which is locked, and announce it. Returns what a caller is shown.

    Raises InvoiceVoid, and ValidationFailed for an overpayment.
    """
    pay_invoice(invoice, payment.amount)
    payment.invoice_id = invoice.id
    session.add(payment)
    session.flush()
    data = {name: getattr(payment, name) for name in PaymentFacts.model_fields}
    data["invoice"] = invoices.present(session, invoice)
    announce(session, "payment.received", data)
    if invoice.status == "Paid":
        announce(session, "invoice.paid", data["invoice"])
    return data


def change_transaction(session: TenantSession, transaction: Transaction, fields: dict[str, Any]) -> None:
    """Change a transaction; one that begins to name an invoice pays it.

    Raises ValidationFailed, TransactionLocked, InvoiceVoid.
    """
    if "type" in fields:
        fields = {"category_id": transaction.category_id} | fields
    resolved, invoice = _resolve(session, fields, fields.get("type", transaction.type))
    _refuse_sale(transaction)
    if transaction.invoice_id is not None:
        _refuse_fixed(transaction, resolved)
        invoice = None
    set_fields(transaction, resolved)
    if invoice is not None:
        record_payment(session, transaction, invoice)


def delete_transaction(session: TenantSession, transaction: Transaction) -> None:
    """Make a transaction ready to be deleted; a payment is taken back from its invoice. Raises TransactionLocked."""
    _refuse_sale(transaction)
    if transaction.invoice_id is None:
        return
    invoice = find_record(session, Invoice, transaction.invoice_id, lock=True)
    unpay_invoice(invoice, transaction.amount)
    session.flush()
    announce(session, "invoice.updated", invoices.present(session, invoice))


def _resolve(session: TenantSession, fields: dict[str, Any], type_: str) -> tuple[dict[str, Any], Invoice | None]:
    """The fields as they are stored, references by id; and the invoice named, locked. Raises ValidationFailed."""
    found: dict[str, Any] = {}
    errors: dict[str, str] = {}
    finders = {
        "account_id": _find_account,
        "category_id": _category_finder(type_),
        "invoice_id": _payable_finder(type_),
    }
    for name, find in finders.items():
        if fields.get(name) is not None:
            try:
                found[name] = find(session, fields[name])
            except ValidationFailed as error:
                errors |= error.errors
    if errors:
        raise ValidationFailed(errors)
    return fields | {name: record.id for name, record in found.items()}, found.get("invoice_id")


def _category_finder(type_: str) -> Callable[[TenantSession, Any], Category]:
    def find(session: TenantSession, reference: Any) -> Category:
        category = _find_category(session, reference)
        if category.type != type_:
            raise ValidationFailed({"category_id": f"Category must be one of type {type_}"})
        return category

    return find


def _payable_finder(type_: str) -> Callable[[TenantSession, Any], Invoice]:
    def find(session: TenantSession, reference: Any) -> Invoice:
        if type_ != "Income":
            raise ValidationFailed({"invoice_id": "Only Income pays an invoice"})
        return find_reference(session, Invoice, reference, "invoice_id", lock=True)

    return find


def _refuse_sale(transaction: Transaction) -> None:
    if transaction.sale_id is not None:
        message = "This is the income of a receipt and stays as it is; record another transaction against it."
        raise TransactionLocked(message, remedy=Remedy("state", "receipt"))


def _refuse_fixed(payment: Transaction, fields: dict[str, Any]) -> None:
    changed = [name for name in FIXED_IN_PAYMENTS if name in fields and fields[name] != getattr(payment, name)]
    if changed:
        names = " and ".join(changed)
        message = f"This transaction pays an invoice; its {names} cannot be changed. Delete it and record it again."
        raise TransactionLocked(message, remedy=Remedy("state", "payment"))


def _find_account(session: TenantSession, reference: Any) -> Account:
    return find_reference(session, Account, reference, "account_id")


def _find_category(session: TenantSession, reference: Any) -> Category:
    return find_reference(session, Category, reference, "category_id")


transactions = Resource(
    name="transactions",
    singular="transaction",
    module="accounting",
    description=(
        "Every sum earned or spent. An Income that names an invoice pays it; deleting it takes the payment back. "
        "What receipts brought in can be read only."
    ),
    model=Transaction,
    shows=TransactionView,
    accepts=TransactionBody,
    filters={
        "type": equals(Transaction.type, Kind),
        "account_id": refers_to(Transaction.account_id, _find_account, "The account's id or public id"),
        "category_id": refers_to(Transaction.category_id, _find_category, "The category's id or public id"),
        "date_from": from_day(Transaction.date, Date),
        "date_to": to_day(Transaction.date, Date),
    },
    sorts=("id", "date", "amount", "created_at", "updated_at"),
    create=record_transaction,
    change=change_transaction,
    remove=delete_transaction,
    codes={
        "create": ("invoice_void",),
        "replace": ("transaction_locked", "invoice_void"),
        "update": ("transaction_locked", "invoice_void"),
        "delete": ("transaction_locked",),
    },
    sample={
        "type": "Expense",
        "account_id": 1,
        "amount": Decimal("89.90"),
        "category_id": 8,
        "date": "2024-01-18",
        "description": "Calendar add-on, yearly licence",
    },
)
