"""What the events of the examples carry: the records of the other examples, with public ids in place of numbers."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from decimal import Decimal
from typing import Any

from portal.api.events import EventType
from sandbox.desk_examples import CONVERTED_LEAD, NEW_LEAD, OPENED, QUOTE, REPLY, TICKET, TOUCH
from sandbox.example_phones import with_e164
from sandbox.examples import HOURS, INVOICE, NOW, PAID, SEEDED
from sandbox.store_examples import LEVEL, VENDOR

Record = dict[str, Any]
CHANGED = {"updated_at": NOW, "version": 2}
CUSTOMER, PRODUCT = SEEDED["customers"][0], SEEDED["products"][0]
RECEIPT = SEEDED["receipts"][0]
PAID_INVOICE = (
    INVOICE | {"paid": INVOICE["amount"], "balance": Decimal("0.00"), "status": "Paid", "overdue": False} | CHANGED
)
PAYMENT = {
    "public_id": "txn_adc7ffe1031821d5f8ce2b8e",
    "amount": Decimal("500.00"),
    "account_id": 1,
    "date": "2024-02-01",
    "method": "Bank Transfer",
    "created_at": NOW,
    "invoice": INVOICE | PAID | CHANGED,
}
SECOND_TOUCH = TOUCH | {
    "id": 24,
    "public_id": "led_77b0a3b7a6b5de2e1f1d3c04",
    "lead_id": NEW_LEAD["id"],
    "name": "Kenji Deshpande",
    "email": NEW_LEAD["email"],
    "phone": "+91 98765 43210",
    "company": None,
    "source": "website",
    "message": "Please call me on this number.",
    "utm_campaign": "spring",
    "created_at": NOW,
}
TOUCHED_LEAD = NEW_LEAD | CHANGED | {"phone": SECOND_TOUCH["phone"], "touched_at": NOW, "touch": SECOND_TOUCH}
RECORDS: dict[str, Record] = {
    "customer": CUSTOMER,
    "product": PRODUCT,
    "invoice": INVOICE,
    "quote": QUOTE,
    "lead": NEW_LEAD,
    "ticket": TICKET | OPENED,
    "vendor": VENDOR,
}
PREFIXES = {"customer_id": "cus", "product_id": "prd", "account_id": "acc", "invoice_id": "inv", "vendor_id": "ven"} | {
    "department_id": "dep",
    "ticket_id": "tkt",
    "lead_id": "led",
}
SPECIAL: dict[str, Record] = {
    "invoice.approved": INVOICE | CHANGED | {"approved_at": NOW},
    "invoice.paid": PAID_INVOICE,
    "invoice.voided": HOURS | CHANGED | {"status": "Void", "overdue": False},
    "quote.accepted": QUOTE | CHANGED | {"status": "Accepted"},
    "quote.declined": QUOTE | CHANGED | {"status": "Declined"},
    "quote.converted": QUOTE | CHANGED | {"status": "Converted", "invoice_id": 323},
    "lead.converted": CONVERTED_LEAD,
    "lead.touched": TOUCHED_LEAD,
    "ticket.closed": TICKET,
    "ticket.reopened": TICKET | OPENED | {"version": 3},
    "ticket.replied": REPLY,
    "stock.low": LEVEL,
    "goods_receipt.posted": RECEIPT,
    "payment.received": PAYMENT,
    "sandbox.reset": {"restored": 7575, "removed": 12},
}


def with_event_example(event: EventType) -> EventType:
    """The event with what it carries in the document's example."""
    return replace(event, example=with_e164(_example_of(event.name)))


def _example_of(name: str) -> Record:
    noun, _, verb = name.partition(".")
    if name in SPECIAL:
        return _published(SPECIAL[name])
    record = RECORDS[noun]
    if verb == "deleted":
        return {"public_id": record["public_id"]}
    return _published(record | (CHANGED if verb == "updated" else {}))


def _published(record: Record) -> Record:
    """The record as an event carries it: no `id`, every reference a public id."""
    return {name: _public(name, value) for name, value in record.items() if name != "id"}


def _public(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return _published(value)
    if isinstance(value, list):
        return [_published(item) if isinstance(item, dict) else item for item in value]
    if name in PREFIXES and isinstance(value, int):
        return _reference(PREFIXES[name], value)
    return value


def _reference(prefix: str, number: int) -> str:
    known = {
        (record["public_id"][:3], record["id"]): record["public_id"]
        for record, _ in SEEDED.values()
        if "public_id" in record
    }
    made = hashlib.sha256(f"{prefix} {number}".encode()).hexdigest()[:24]
    return str(known.get((prefix, number), f"{prefix}_{made}"))
