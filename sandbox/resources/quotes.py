"""Quotes: what the company offers a customer; an accepted one becomes an invoice."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy.orm.attributes import flag_modified

from portal.api.events import announce
from portal.api.lists import Filter, refers_to
from portal.api.operation import Call, Done, Operation
from portal.api.records import find_reference
from portal.api.resource import Resource, set_fields
from portal.api.schema import ApiModel, Date, Identity, Money, Paragraph, Reference, Stamps, rule
from portal.core.errors import Conflict, QuoteAlreadyConverted
from portal.core.ownership import TenantOwned
from portal.core.remedies import Remedy
from portal.core.session import TenantSession
from sandbox.resources.customers import Customer
from sandbox.resources.invoice_records import Invoice
from sandbox.resources.invoices import InvoiceBody, InvoiceView, invoices, issue_invoice
from sandbox.resources.items import SUM, ItemBody, ItemView, fill_tax_rates, find_items, sums_of
from sandbox.resources.quote_records import Quote, add_items, has_expired, items_of, replace_items, shows_status
from sandbox.resources.series import give_back, take_from_series

Status = Literal["Open", "Accepted", "Declined", "Converted", "Expired"]
TIME_TO_PAY = dt.timedelta(days=30)


class QuoteBody(ApiModel):
    """What a caller may say of a quote."""

    read_only = ApiModel.read_only | {
        *("quote_number", "issued_on", "subtotal", "tax", "amount", "status", "invoice_id")
    }

    customer_id: Reference
    valid_until: Date = Field(description="The last day on which it can be accepted")
    items: Annotated[list[ItemBody], Field(min_length=1, max_length=100)] = Field(json_schema_extra=SUM)
    notes: Paragraph | None = None


class QuoteFacts(ApiModel):
    """A quote's own fields as the API shows them."""

    quote_number: str
    customer_id: int
    issued_on: Date
    valid_until: Date
    items: list[ItemView]
    notes: str | None
    subtotal: Money = Field(description="The sum of the items before tax")
    tax: Money
    amount: Money = Field(description="The sum of the items with tax")
    status: Status = Field(description="An Open quote is Expired from the day after `valid_until`")
    invoice_id: int | None = Field(description="The invoice it was converted to")


class QuoteView(Stamps, QuoteFacts, Identity):
    """A quote as the API shows it."""


class ConversionBody(ApiModel):
    """What a caller may say of the invoice to be."""

    due_date: Date | None = Field(
        None, description="In 30 days when left out", json_schema_extra=rule("not before today")
    )


def issue_quote(session: TenantSession, data: QuoteBody) -> Quote:
    """Offer something under the next number of the year. Raises ValidationFailed."""
    fields = _resolve(session, data.model_dump())
    items, today = fields.pop("items"), session.clock.today()
    quote = Quote(issued_on=today, status="Open", **fields, **sums_of(items).fields())
    quote.quote_number = f"QUO-{today.year}-{take_from_series(session, quote.series):03d}"
    session.add(quote)
    session.flush()
    replace_items(session, quote.id, items)
    return quote


def change_quote(session: TenantSession, quote: Quote, fields: dict[str, Any]) -> None:
    """Change an open quote. Raises Conflict for another, ValidationFailed."""
    changes = _resolve(session, fields)
    refuse_settled(quote)
    items = changes.pop("items", None)
    set_fields(quote, changes)
    if items is not None:
        set_fields(quote, sums_of(items).fields())
        flag_modified(quote, "updated_at")
        replace_items(session, quote.id, items)


def delete_quote(session: TenantSession, quote: Quote) -> None:
    """Make an open quote ready to be deleted: its number goes back to its series. Raises Conflict for another."""
    refuse_settled(quote)
    give_back(session, quote.series, int(quote.quote_number.rpartition("-")[2]))


def refuse_settled(quote: Quote) -> None:
    """Raises Conflict unless the quote is open, expired or not."""
    if quote.status != "Open":
        message = f"This quote is {quote.status}; only an Open one takes this. Create another one instead."
        raise Conflict(message, remedy=Remedy("state", quote.status, "Open"))


def accept_quote(session: TenantSession, quote: Quote) -> None:
    """The customer says yes. Raises Conflict for a quote that is not open, or no longer valid."""
    refuse_settled(quote)
    refuse_expired(session, quote)
    quote.status = "Accepted"


def refuse_expired(session: TenantSession, quote: Quote) -> None:
    """Raises Conflict for an open quote whose last day is over."""
    if has_expired(quote.status, quote.valid_until, session.clock.today()):
        message = f"This quote was valid until {quote.valid_until}. Give it a later day with PATCH, then try again."
        raise Conflict(message, remedy=Remedy("field", "valid_until", "today or a later day"))


def decline_quote(session: TenantSession, quote: Quote) -> None:
    """The customer says no. Raises Conflict for a quote that is not open."""
    refuse_settled(quote)
    quote.status = "Declined"


def convert_quote(session: TenantSession, quote: Quote, due_date: dt.date | None = None) -> Invoice:
    """Issue the invoice for an open or accepted quote, once.

    Raises QuoteAlreadyConverted, Conflict for a declined or expired one, ValidationFailed for a due date in the past.
    """
    if quote.status == "Converted":
        raise QuoteAlreadyConverted(invoice_id=quote.invoice_id)
    if quote.status == "Declined":
        message = "This quote was declined. Create another one to offer it again."
        raise Conflict(message, remedy=Remedy("state", "Declined", ["Open", "Accepted"]))
    refuse_expired(session, quote)
    today = session.clock.today()
    body = InvoiceBody.model_construct(
        customer_id=quote.customer_id,
        date=today,
        due_date=due_date or today + TIME_TO_PAY,
        items=[],
        notes=quote.notes,
    )
    invoice = issue_invoice(session, body, items_of(session, quote.id))
    quote.status, quote.invoice_id = "Converted", invoice.id
    session.flush()
    return invoice


def _accept(call: Call) -> Done:
    accept_quote(call.session, call.record)
    return _settled(call, "accepted")


def _decline(call: Call) -> Done:
    decline_quote(call.session, call.record)
    return _settled(call, "declined")


def _settled(call: Call, verb: str) -> Done:
    call.session.flush()
    data = quotes.present(call.session, call.record)
    announce(call.session, f"quote.{verb}", data)
    return Done(data)


def _convert(call: Call) -> Done:
    invoice = convert_quote(call.session, call.record, call.body.due_date)
    data = invoices.present(call.session, invoice)
    announce(call.session, "invoice.created", data)
    announce(call.session, "quote.converted", quotes.present(call.session, call.record))
    return Done(data, {"Location": f"{invoices.base_path}/{invoice.id}"})


def _resolve(session: TenantSession, fields: dict[str, Any]) -> dict[str, Any]:
    """The fields as they are stored: references by id, lines complete. Raises ValidationFailed."""
    wanted: dict[str, tuple[type[TenantOwned], Any]] = {}
    if "customer_id" in fields:
        wanted["customer_id"] = (Customer, fields["customer_id"])
    found, lines = find_items(session, fields.get("items", []), wanted, {})
    resolved = fields | {name: record.id for name, record in found.items() if name in wanted}
    return resolved | {"items": lines} if lines else resolved


def _find_customer(session: TenantSession, reference: Any) -> Customer:
    return find_reference(session, Customer, reference, "customer_id")


def _action(verb: str, **details: Any) -> Operation:
    return Operation(
        id=f"quotes.{verb}",
        method="POST",
        path=f"/api/v2/quotes/{{id}}/{verb}",
        permission="crm:write",
        find=lambda call: quotes.find(call),
        **details,
    )


accept = _action(
    "accept",
    summary="Accept a quote",
    outcome="Quote accepted",
    description="Notes that the customer said yes. The quote must be Open and today not past `valid_until`.",
    handle=_accept,
    returns=QuoteView,
    codes=("conflict",),
    sample_path={"id": 118},
)
decline = _action(
    "decline",
    summary="Decline a quote",
    outcome="Quote declined",
    description="Notes that the customer said no. The quote must be Open or Expired.",
    handle=_decline,
    returns=QuoteView,
    codes=("conflict",),
    sample_path={"id": 119},
)
convert = _action(
    "convert",
    summary="Convert a quote to an invoice",
    outcome="Invoice issued",
    description=(
        "Issues an Unpaid invoice with the quote's customer, items and notes, dated today, and answers with it. The "
        "quote must be Open or Accepted. It becomes Converted and names the invoice, so that a second call makes no "
        "other. Whoever writes quotes may convert them; the invoice takes a plan with accounting."
    ),
    handle=_convert,
    body=ConversionBody,
    returns=InvoiceView,
    status=201,
    codes=("conflict", "quote_already_converted"),
    modules=("accounting",),
    sample={"due_date": "2030-12-31"},
    sample_path={"id": 120},
)

quotes = Resource(
    name="quotes",
    singular="quote",
    module="crm",
    description=(
        "What customers were offered. Only an Open or Expired quote can be changed or deleted. An Open quote is "
        "Expired from the day after `valid_until`, and a later day makes it Open again. Numbers have no gaps within a "
        "year: that of a deleted quote is the next one given."
    ),
    model=Quote,
    shows=QuoteView,
    accepts=QuoteBody,
    filters={
        "status": Filter(Status, Quote.status, shows_status, is_dated=True),
        "customer_id": refers_to(Quote.customer_id, _find_customer, "The customer's id or public id"),
    },
    sorts=("id", "quote_number", "issued_on", "valid_until", "amount", "created_at", "updated_at"),
    computed=("items",),
    create=issue_quote,
    change=change_quote,
    fill=fill_tax_rates,
    remove=delete_quote,
    enrich=add_items,
    codes={"replace": ("conflict",), "update": ("conflict",)},
    actions=(accept, decline, convert),
    announces={
        "quote.created": "A quote was issued",
        "quote.updated": "A quote was changed",
        "quote.deleted": "A quote was deleted",
        "quote.accepted": "A customer accepted a quote",
        "quote.declined": "A customer declined a quote",
        "quote.converted": "A quote became an invoice",
    },
    sample={
        "customer_id": 1,
        "valid_until": "2030-12-31",
        "items": [{"description": "Web Development", "amount": Decimal("1500.00"), "qty": 1}],
        "notes": "Prices hold until the end of 2030",
    },
    removed_id=13,
)
