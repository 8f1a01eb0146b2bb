"""Changes of invoices from outside: other dates or notes, and payments that came in elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field
from sqlalchemy import select

from portal.api.schema import Amount, ApiModel, Code, Date, Paragraph, Reference
from portal.core.errors import ValidationFailed
from portal.core.session import TenantSession
from sandbox.integration.incoming.targets.target import Data, Target, change_differing
from sandbox.resources.invoice_records import Invoice
from sandbox.resources.invoices import invoices
from sandbox.resources.payments import PaymentBody, take_payment
from sandbox.resources.transactions import Transaction

USUAL_ACCOUNT = 1
_CHANGED = ("date", "due_date", "notes")
_PAID = {"payment_amount": Transaction.amount, "payment_date": Transaction.date, "payment_method": Transaction.method}


class InvoiceUpdate(ApiModel):
    """What somebody else knows of an invoice."""

    invoice_number: Code = Field(description="Such as INV-2024-001")
    date: Date | None = None
    due_date: Date | None = None
    notes: Paragraph | None = None
    payment_amount: Amount | None = Field(None, description="Money that came in; not more than the balance")
    payment_date: Date | None = Field(None, description="Today when left out")
    payment_method: Code | None = None
    account_id: Reference | None = Field(None, description="Where the money went; the operating account when left out")


def _write(session: TenantSession, body: InvoiceUpdate) -> Data:
    """Change the invoice, then record the payment. Raises ValidationFailed, and as the two services do."""
    invoice = _find_invoice(session, body)
    if invoice is None:
        raise ValidationFailed({"invoice_number": "No such invoice"})
    said = {name: getattr(body, name) for name in _CHANGED if getattr(body, name) is not None}
    if not said and body.payment_amount is None:
        raise ValidationFailed({"invoice_number": "Nothing is said of the invoice: neither a payment nor a change"})
    change_differing(invoices, session, invoice, said)
    if body.payment_amount is not None:
        _pay(session, invoice, body)
    return invoices.present(session, invoice)


def _pay(session: TenantSession, invoice: Invoice, body: InvoiceUpdate) -> None:
    paid = {"amount": body.payment_amount, "account_id": body.account_id or USUAL_ACCOUNT}
    payment = PaymentBody.model_validate(paid)
    payment.date, payment.method = body.payment_date, body.payment_method
    try:
        take_payment(session, invoice, payment)
    except ValidationFailed as refused:
        names = {"amount": "payment_amount"}
        raise ValidationFailed({names.get(name, name): text for name, text in refused.errors.items()}) from None


def _find(session: TenantSession, body: InvoiceUpdate, names: Sequence[str]) -> Any:
    """The invoice, where a payment of it says the same as this one does in the fields named."""
    invoice, paid = _find_invoice(session, body), [name for name in names if name in _PAID]
    if invoice is None or not paid or any(getattr(body, name) is None for name in paid):
        return None
    same = [_PAID[name] == getattr(body, name) for name in paid]
    known = session.scalar(select(Transaction.id).where(Transaction.invoice_id == invoice.id, *same).limit(1))
    return None if known is None else invoice


def _find_invoice(session: TenantSession, body: InvoiceUpdate) -> Invoice | None:
    found = select(Invoice).where(Invoice.invoice_number == body.invoice_number)
    return session.scalar(found.with_for_update().execution_options(populate_existing=True))


invoice_update = Target(
    name="invoice_update",
    title="Invoice update",
    description="A change of an invoice named by its number: dates, notes, a payment.",
    body=InvoiceUpdate,
    model=Invoice,
    record_ids=("invoice_number", "public_id"),
    known_by=tuple(_PAID),
    create=_write,
    find=_find,
    show=invoices.present,
    outcome="updated",
)
