"""Payments: money that comes in for an invoice, recorded as income."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pydantic import Field

from portal.api.events import EventType
from portal.api.lists import equals, query_schema
from portal.api.operation import Call, Done, Operation, Page
from portal.api.paging import ListPlan, Reader
from portal.api.records import find_reference
from portal.api.registrar import represents
from portal.api.schema import Amount, ApiModel, Code, Date, Reference, rule
from portal.core.session import TenantSession
from sandbox.resources.invoice_records import Invoice
from sandbox.resources.invoices import invoices
from sandbox.resources.reference import Account
from sandbox.resources.transactions import PaymentFacts, PaymentView, Transaction, record_payment

SALES_CATEGORY = 1


class PaymentBody(ApiModel):
    """A payment: how much, onto which account, when, how."""

    amount: Amount = Field(json_schema_extra=rule("not more than the balance"))
    account_id: Reference
    date: Date | None = Field(None, description="Today when left out")
    method: Code | None = None


PaymentQuery = query_schema("PaymentQuery", {}, ("id", "date", "amount"), searches=False, keeps_deletions=False)
_PLAN = ListPlan(
    Transaction,
    tuple(getattr(Transaction, name) for name in PaymentFacts.model_fields),
    {"invoice_id": equals(Transaction.invoice_id, int)},
    (),
)


def _list_payments(call: Call) -> Page:
    query = call.query.model_copy(update={"invoice_id": call.record.id, "updated_since": None})
    return Reader(call.session, _PLAN, query, call.signer(f"cursor {call.record.id}")).read()


def take_payment(session: TenantSession, invoice: Invoice, data: PaymentBody) -> dict[str, Any]:
    """Record a payment of an invoice, which is locked. Returns it as an answer shows it.

    Raises InvoiceVoid, and ValidationFailed for an unknown account or an overpayment.
    """
    account = find_reference(session, Account, data.account_id, "account_id")
    payment = Transaction(
        type="Income",
        account_id=account.id,
        category_id=SALES_CATEGORY,
        amount=data.amount,
        method=data.method,
        description=f"Payment of {invoice.invoice_number}",
        date=data.date or session.clock.today(),
    )
    return record_payment(session, payment, invoice)


pay = Operation(
    id="invoices.pay",
    method="POST",
    path="/api/v2/invoices/{id}/payments",
    summary="Record a payment",
    outcome="Payment recorded",
    description=(
        "Records income on an account and lowers the invoice's balance, approved or not. Nothing above the balance "
        "is taken. The payment is a transaction: delete that to take it back."
    ),
    permission="accounting:write",
    find=invoices.find,
    represent=represents(invoices),
    handle=lambda call: Done(take_payment(call.session, call.record, call.body)),
    body=PaymentBody,
    returns=PaymentView,
    status=201,
    codes=("invoice_void",),
    sample={"amount": Decimal("500.00"), "account_id": 1, "date": "2024-02-01", "method": "Bank Transfer"},
    sample_path={"id": 1},
)
list_payments = Operation(
    id="invoices.list_payments",
    method="GET",
    path="/api/v2/invoices/{id}/payments",
    summary="List an invoice's payments",
    outcome="One page of payments",
    description="The income that paid the invoice so far. Each is a transaction of the same id.",
    permission="accounting:read",
    find=invoices.find,
    handle=_list_payments,
    query=PaymentQuery,
    returns=PaymentFacts,
    is_list=True,
    sample_path={"id": 2},
)
OPERATIONS = (list_payments, pay)
EVENTS = (EventType("payment.received", "Money came in for an invoice", PaymentView),)
