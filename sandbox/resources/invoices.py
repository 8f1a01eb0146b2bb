"""Invoices: what customers owe."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy.orm.attributes import flag_modified

from portal.api.events import announce
from portal.api.lists import equals, from_day, refers_to, to_day
from portal.api.operation import Call, Done, Operation
from portal.api.records import Unique, find_reference
from portal.api.resource import Resource, set_fields
from portal.api.schema import ApiModel, Code, Date, Instant, Money, Paragraph, Reference, rule
from portal.core.errors import InvoiceApproved, InvoicePaid, InvoiceVoid, ValidationFailed
from portal.core.ownership import TenantOwned
from portal.core.remedies import Remedy
from portal.core.session import TenantSession
from sandbox.resources.customers import Customer
from sandbox.resources.invoice_items import add_items, clear_items, write_items
from sandbox.resources.invoice_records import Invoice
from sandbox.resources.items import SUM, ItemBody, ItemView, Row, fill_tax_rates, find_items, sums_of
from sandbox.resources.series import give_back, take_from_series

Status = Literal["Unpaid", "Partially Paid", "Paid", "Void"]
OWED = ("Unpaid", "Partially Paid")
NOTHING = Decimal("0.00")


class InvoiceBody(ApiModel):
    """What a caller may say of an invoice."""

    read_only = ApiModel.read_only | {
        *("invoice_number", "subtotal", "tax", "amount", "paid", "balance", "status", "overdue", "approved_at")
    }

    customer_id: Reference
    date: Date | None = Field(
        None,
        description="When left out: today, or the due date where that is earlier",
        json_schema_extra=rule("in the year of the invoice's number, once it has one"),
    )
    due_date: Date = Field(json_schema_extra=rule("not before the date"))
    items: Annotated[list[ItemBody], Field(min_length=1, max_length=100)] = Field(json_schema_extra=SUM)
    reference: Code | None = Field(None, description="Your own number of it. No two invoices have the same")
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
    reference: str | None
    notes: str | None
    subtotal: Money = Field(description="The sum of the items before tax")
    tax: Money
    amount: Money = Field(description="The sum of the items with tax")
    paid: Money
    balance: Money
    status: Status
    overdue: bool = Field(description="True from the day after `due_date` until it is paid or void")
    approved_at: Instant | None
    created_at: Instant
    updated_at: Instant
    version: int


def issue_invoice(session: TenantSession, data: InvoiceBody, lines: list[Row] | None = None) -> Invoice:
    """Issue an invoice under the next number of its year. Raises ValidationFailed.

    `lines` are those of a quote, which the invoice takes as they are stored in place of the items of `data`.
    """
    fields = _resolve(session, data.model_dump())
    items = lines or fields["items"]
    del fields["items"]
    invoice = Invoice(paid=NOTHING, **fields)
    invoice.invoice_number = f"INV-{invoice.date.year}-{take_from_series(session, invoice.series):03d}"
    set_fields(invoice, sums_of(items).fields())
    _settle(invoice)
    session.add(invoice)
    session.flush()
    write_items(session, invoice.id, items)
    return invoice


def change_invoice(session: TenantSession, invoice: Invoice, fields: dict[str, Any]) -> None:
    """Change an open invoice. Raises ValidationFailed, and what `refuse_closed` raises."""
    known = {"date": invoice.date, "due_date": invoice.due_date}
    fields = _resolve(session, known | fields, year=invoice.date.year)
    refuse_closed(invoice)
    items = fields.pop("items", None)
    set_fields(invoice, fields)
    if items is not None:
        clear_items(session, invoice.id)
        write_items(session, invoice.id, items)
        set_fields(invoice, sums_of(items).fields())
        _settle(invoice)
        flag_modified(invoice, "updated_at")


def delete_invoice(session: TenantSession, invoice: Invoice) -> None:
    """Make an open invoice ready to be deleted: its number goes back to its series. Raises as `refuse_closed`."""
    refuse_closed(invoice)
    clear_items(session, invoice.id)
    give_back(session, invoice.series, int(invoice.invoice_number.rpartition("-")[2]))


def refuse_closed(invoice: Invoice) -> None:
    """Raises InvoiceVoid, InvoicePaid, InvoiceApproved: only an open invoice may be changed or deleted."""
    if invoice.status == "Void":
        raise InvoiceVoid("This invoice is void and stays as it is; issue another in its place.")
    if invoice.paid:
        raise _paid(invoice, "delete its payments first, or issue a further invoice.")
    if invoice.approved_at:
        raise InvoiceApproved("This invoice is approved; void it and issue another in its place.")


def approve_invoice(session: TenantSession, invoice: Invoice) -> None:
    """Approve an invoice. Raises InvoiceVoid, InvoiceApproved."""
    if invoice.status == "Void":
        raise InvoiceVoid("This invoice is void; issue another and approve that.")
    if invoice.approved_at:
        raise InvoiceApproved("This invoice is approved already; there is nothing left to do.")
    invoice.approved_at = session.clock.now()


def void_invoice(session: TenantSession, invoice: Invoice) -> None:
    """Declare that an invoice is owed by nobody. Raises InvoiceVoid, InvoicePaid."""
    if invoice.status == "Void":
        raise InvoiceVoid("This invoice is void already; there is nothing left to do.")
    if invoice.paid:
        raise _paid(invoice, "delete its payments first, then void it.")
    invoice.status = "Void"


def pay_invoice(invoice: Invoice, amount: Decimal) -> None:
    """Count money that came in; the invoice is locked. Raises InvoiceVoid, ValidationFailed for an overpayment."""
    if invoice.status == "Void":
        raise InvoiceVoid("This invoice is void; it takes no payment.")
    if amount > invoice.balance:
        raise ValidationFailed({"amount": f"Amount must not exceed the balance of {invoice.balance}"})
    invoice.paid += amount
    _settle(invoice)


def unpay_invoice(invoice: Invoice, amount: Decimal) -> None:
    """Take a payment back; the invoice is locked."""
    invoice.paid -= amount
    _settle(invoice)


def _paid(invoice: Invoice, way_out: str) -> InvoicePaid:
    return InvoicePaid(f"Money was paid on this invoice; {way_out}", remedy=Remedy("state", invoice.status, "Unpaid"))


def _settle(invoice: Invoice) -> None:
    invoice.balance = invoice.amount - invoice.paid
    invoice.status = "Paid" if not invoice.balance else "Partially Paid" if invoice.paid else "Unpaid"


def _resolve(session: TenantSession, fields: dict[str, Any], *, year: int | None = None) -> dict[str, Any]:
    """The fields as they are stored: references by id, a date where there is none. Raises ValidationFailed."""
    date = fields["date"] or min(session.clock.today(), fields["due_date"])
    wanted: dict[str, tuple[type[TenantOwned], Any]] = {}
    errors = _wrong_dates(date, fields["due_date"], year)
    if "customer_id" in fields:
        wanted["customer_id"] = (Customer, fields["customer_id"])
    found, lines = find_items(session, fields.get("items", []), wanted, errors)
    resolved = fields | {"date": date} | {name: record.id for name, record in found.items() if name in wanted}
    return resolved | {"items": lines} if lines else resolved


def _wrong_dates(date: dt.date, due_date: dt.date, year: int | None) -> dict[str, str]:
    errors = {}
    if due_date < date:
        errors["due_date"] = "Due date must not be before the invoice date"
    if year and date.year != year:
        errors["date"] = f"Date must stay in {year}, the year of the invoice's number"
    return errors


def _complete(session: TenantSession, rows: list[Row]) -> None:
    """Put its lines on each row, and whether it is overdue on the tenant's day."""
    add_items(session, rows)
    for row in rows:
        row["overdue"] = row["status"] in OWED and row["due_date"] < session.current_day()


def _action(verb: str, act: Callable[[TenantSession, Invoice], None], event: str, **details: Any) -> Operation:
    """An operation that acts on the invoice in the path, announces the event and answers with the invoice."""

    def handle(call: Call) -> Done:
        act(call.session, call.record)
        call.session.flush()
        data = invoices.present(call.session, call.record)
        announce(call.session, event, data)
        return Done(data)

    return Operation(
        id=f"invoices.{verb}",
        method="POST",
        path=f"/api/v2/invoices/{{id}}/{verb}",
        permission="accounting:write",
        find=lambda call: invoices.find(call),
        handle=handle,
        returns=InvoiceView,
        **details,
    )


approve = _action(
    "approve",
    approve_invoice,
    "invoice.approved",
    summary="Approve an invoice",
    outcome="Invoice approved",
    description="An approved invoice can be paid or voided, no longer changed or deleted.",
    sample_path={"id": 1},
    codes=("invoice_approved", "invoice_void"),
)
void = _action(
    "void",
    void_invoice,
    "invoice.voided",
    summary="Void an invoice",
    outcome="Invoice voided",
    description="The invoice keeps its number and its amounts, but nobody owes it and no report counts it.",
    sample_path={"id": 67},
    codes=("invoice_paid", "invoice_void"),
)

invoices = Resource(
    name="invoices",
    singular="invoice",
    module="accounting",
    description="What customers owe. Numbers have no gaps within a year; balance is amount less paid.",
    model=Invoice,
    shows=InvoiceView,
    accepts=InvoiceBody,
    filters={
        "status": equals(Invoice.status, Status),
        "customer_id": refers_to(
            Invoice.customer_id,
            lambda session, value: find_reference(session, Customer, value, "customer_id"),
            "The customer's id or public id",
        ),
        "date_from": from_day(Invoice.date, Date),
        "date_to": to_day(Invoice.date, Date),
        "reference": equals(Invoice.reference, Code, "Your own number of the invoice"),
    },
    searches=(Invoice.invoice_number, Invoice.reference, Invoice.notes),
    unique=(Unique(Invoice.reference, "Another invoice has this reference"),),
    sorts=("id", "date", "due_date", "amount", "invoice_number", "created_at", "updated_at"),
    computed=("items", "overdue"),
    create=issue_invoice,
    change=change_invoice,
    fill=fill_tax_rates,
    remove=delete_invoice,
    enrich=_complete,
    actions=(approve, void),
    codes=dict.fromkeys(("replace", "update", "delete"), ("invoice_approved", "invoice_paid", "invoice_void")),
    announces={
        "invoice.created": "An invoice was issued",
        "invoice.updated": "An invoice was changed, or a payment of it taken back",
        "invoice.approved": "An invoice was approved",
        "invoice.paid": "An invoice was paid in full",
        "invoice.voided": "An invoice was voided",
    },
    sample={
        "customer_id": 1,
        "date": "2024-01-20",
        "due_date": "2024-02-20",
        "items": [{"description": "Web Development", "amount": Decimal("1500.00"), "qty": 1}],
        "notes": "Payable within 30 days",
    },
    removed_id=85,
)
