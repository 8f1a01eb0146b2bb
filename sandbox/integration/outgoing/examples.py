"""What the operations on outgoing calls take, and answer to their samples."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from portal.api.operation import Answer, Done, Page
from sandbox.integration.outgoing.headers import SHOWN_SECRET
from sandbox.rehearsal.requests_api import SAMPLE_ID

NOW = "2026-11-21T09:12:44Z"
STAMPS = {"created_at": NOW, "updated_at": NOW, "version": 1}
CHANGED = {"updated_at": NOW, "version": 2}
SAMPLE_SEND = "dlv_2b9e64c0a7f15d83e0b46c1a"

CONNECTION_SAMPLE: dict[str, Any] = {
    "name": "Accounting software",
    "url": "https://example.com/api/invoices",
    "method": "POST",
    "headers": [
        {"name": "Authorization", "value": "Bearer the-key-that-your-partner-issued", "secret": True},
        {"name": "X-Company", "value": "Slipway Trading"},
    ],
    "reference_path": "data.id",
    "timeout": 12,
}
CONNECTION: dict[str, Any] = {
    "id": 3,
    "public_id": "con_5d81f30c6ae2947bb0c5e1d7",
    "name": CONNECTION_SAMPLE["name"],
    "url": CONNECTION_SAMPLE["url"],
    "method": "POST",
    "headers": [
        {"name": "Authorization", "value": SHOWN_SECRET, "secret": True},
        {"name": "X-Company", "value": "Slipway Trading", "secret": False},
    ],
    "success_statuses": [],
    "reference_path": "data.id",
    "status_path": None,
    "status_equals": None,
    "active": True,
    "timeout": 12,
    "status": "active",
    "held": 0,
    "closed_at": None,
    "failing_since": None,
    **STAMPS,
}


def row(parameter: str, field: str | None = None, type_: str = "String", **more: Any) -> dict[str, Any]:
    """A row of a mapping; a constant where no field is named."""
    usual = {"constant": None, "type": type_, "format": None, "required": True}
    return {"parameter": parameter, "field": field, **usual, **more}


INVOICE_ROWS = [
    row("invoiceNumber", "invoice_number"),
    row("invoiceDate", "date", "Date", format="YYYY-MM-DD"),
    row("amount", "amount", "Number"),
    row("customerName", "customer.account"),
    row("projectCode", constant="PRJ-2024-07"),
    row("gstNumber", constant="27AAPFU0939F1ZV"),
]
VENDOR_ROWS = [
    row("vendorCode", "vendor_code"),
    row("vendorName", "name"),
    row("gstNumber", "gst_no"),
    row("contact.person", "contact_person", required=False),
    row("contact.email", "email", required=False),
]
RECEIPT_ROWS = [
    row("receiptNumber", "receipt_number"),
    row("receivedOn", "received_at", "Date", format="DD/MM/YYYY"),
    row("deliveryNote", "reference"),
    row("vendor.code", "vendor.vendor_code"),
    row("vendor.gstNumber", "vendor.gst_no"),
    row("lines", "items.count", "Number"),
]
MAPPING_SAMPLE: dict[str, Any] = {
    "name": "Customers to the accounting software",
    "slug": "customer-to-accounting",
    "connection_id": 1,
    "source": "customer",
    "rows": [
        row("party.name", "account"),
        row("party.email", "email"),
        row("party.country", "country", required=False),
        row("active", type_="Boolean", constant="true"),
    ],
    "events": ["customer.created", "customer.updated"],
    "schedule": "0 6 * * 1-5",
    "manual": True,
}
REPLACEMENT: dict[str, Any] = {
    "name": "Invoices to the project portal",
    "slug": "invoice-to-project-portal",
    "connection_id": 1,
    "source": "invoice",
    "rows": INVOICE_ROWS,
    "events": ["invoice.approved", "invoice.voided"],
    "manual": True,
}
MAPPING: dict[str, Any] = {
    "id": 1,
    "public_id": "omp_c4e07a91d35b28f6a1c0b94e",
    "name": "Invoices to the project portal",
    "slug": "invoice-to-project-portal",
    "connection_id": 1,
    "source": "invoice",
    "rows": INVOICE_ROWS,
    "events": ["invoice.approved"],
    "schedule": None,
    "active": True,
    "manual": True,
    "last_run_at": None,
    "next_run_at": None,
    "live_version": 1,
    "draft_version": None,
    **STAMPS,
}
VERSION: dict[str, Any] = {
    "number": 1,
    "status": "live",
    "source": "invoice",
    "rows": INVOICE_ROWS,
    "author": "Seed",
    "created_at": NOW,
    "published_at": NOW,
}
SEND: dict[str, Any] = {
    "public_id": SAMPLE_SEND,
    "status": "pending",
    "mapping": "invoice-to-project-portal",
    "subject": "inv_646d4a25bde0dc47b4e00ab3",
    "connection_id": 1,
    "url": "https://developers.example.com/inbox/8f3b61d07ae9",
    "record_version": 1,
    "idempotency_key": "snd_90c1e57a3bd8f2640e7c15a9",
    "previous_idempotency_key": None,
    "attempts": 0,
    "answer_status": None,
    "retryable": None,
    "reason": None,
    "reference": None,
    "trace": "req_5f0d8c1b7a3e9d2460c8b1f7",
    "created_at": NOW,
    "attempted_at": None,
    "next_attempt_at": NOW,
    "ended_at": None,
}
FILLED = {
    "invoiceNumber": "INV-2024-001",
    "invoiceDate": "2024-01-15",
    "amount": Decimal("1500.00"),
    "customerName": "John Doe",
    "projectCode": "PRJ-2024-07",
    "gstNumber": "27AAPFU0939F1ZV",
}
WHOLE = {
    "body": '{"invoiceNumber":"INV-2024-001","invoiceDate":"2024-01-15","amount":1500.00,"customerName":"John Doe",'
    '"projectCode":"PRJ-2024-07","gstNumber":"27AAPFU0939F1ZV"}',
    "history": [],
}
FAILED = SEND | {
    "status": "failed",
    "mapping": "customer-to-accounting",
    "subject": "cus_b83f1d6a40c79e25d1806ca3",
    "reason": "party.email is required, and email has no value",
    "next_attempt_at": None,
    "ended_at": NOW,
}
EDITED_KEYS = {
    "idempotency_key": "snd_e81b4f09c6d25a37b0f94c12",
    "previous_idempotency_key": SEND["idempotency_key"],
}
FAILED_SAMPLE = {
    "body": '{"party": {"name": "Jane Smith", "email": "jane@example.com"}, "active": true}',
    "retry": False,
}
PREVIEW = {
    "would_send": True,
    "reason": None,
    "body": FILLED,
    "rows": [
        {
            "parameter": one["parameter"],
            "origin": one["field"] or "constant",
            "value": FILLED[one["parameter"]],
            "is_left_out": False,
            "fault": None,
        }
        for one in INVOICE_ROWS
    ],
}
PORTAL = CONNECTION | {
    "id": 1,
    "name": "Project portal",
    "url": SEND["url"],
    "headers": [{"name": "X-Api-Key", "value": SHOWN_SECRET, "secret": True}],
    "reference_path": "reference",
    "timeout": 10,
}
MADE = MAPPING | MAPPING_SAMPLE | {"active": True, "last_run_at": NOW, "next_run_at": "2026-11-23T06:00:00Z"}

TRACE: dict[str, Any] = {
    "request_id": SAMPLE_ID,
    "calls": [
        {
            "operation": "invoices.approve",
            "method": "POST",
            "path": "/api/v2/invoices/1/approve",
            "status": 200,
            "code": None,
            "created_at": NOW,
        }
    ],
    "incoming": [],
    "records": [{"table": "invoices", "public_id": SEND["subject"], "verb": "changed"}],
    "events": [
        {
            "public_id": "evt_0c7b5f3e91a84d62c0b7f15e",
            "type": "invoice.approved",
            "subject": SEND["subject"],
            "created_at": NOW,
        }
    ],
    "deliveries": [
        {
            "public_id": SAMPLE_SEND,
            "kind": "send",
            "type": "invoice-to-project-portal",
            "subject": SEND["subject"],
            "status": "pending",
            "reason": None,
            "reference": None,
            "created_at": NOW,
            "ended_at": None,
            "attempts": [],
        }
    ],
}
EXAMPLES: dict[str, Answer] = {
    "connections.list": Page([PORTAL], limit=20, page=1, total=2),
    "connections.create": Done(CONNECTION),
    "connections.read": PORTAL,
    "connections.replace": Done(CONNECTION | CHANGED | {"id": 1}),
    "connections.update": Done(PORTAL | CHANGED | {"timeout": 12}),
    "connections.delete": Done({"id": 2, "public_id": "con_0e4b7d1c93f6a825c07d41be"}),
    "outgoing-mappings.list": Page([MAPPING], limit=20, page=1, total=3),
    "outgoing-mappings.create": Done(MADE | {"id": 4}),
    "outgoing-mappings.read": MAPPING,
    "outgoing-mappings.replace": Done(MAPPING | REPLACEMENT | CHANGED),
    "outgoing-mappings.update": Done(MAPPING | {"version": 1}),
    "outgoing-mappings.delete": Done({"id": 3, "public_id": "omp_7a31d9e05c84b2f6d1a0c37e"}),
    "outgoing-mappings.versions": Page([VERSION], limit=20, page=1, total=1),
    "outgoing-mappings.draft": Done(MAPPING | CHANGED | {"draft_version": 2}),
    "outgoing-mappings.replay": Done({"records": [], "same": 0, "better": 0, "worse": 0, "left_out": 0}),
    "outgoing-mappings.publish": Done(MAPPING | CHANGED | {"version": 3, "live_version": 2}),
    "outgoing-mappings.preview": Done(PREVIEW),
    "outgoing-mappings.send": Done(SEND),
    "invoices.send": Done(SEND),
    "vendors.send": Done(SEND | {"mapping": "vendor-to-project-portal", "subject": "ven_1f60b9c3d72e4a850b9c6e1d"}),
    "outgoing-logs.list": Page([SEND], limit=20, page=1, total=1),
    "outgoing-logs.read": SEND | WHOLE,
    "failed.list": Page([FAILED], limit=20, page=1, total=1),
    "failed.update": Done(FAILED | EDITED_KEYS | {"body": FAILED_SAMPLE["body"], "history": []}),
    "failed.retry": Done({"matched": 0, "done": 0, "refused": []}),
    "failed.discard": Done({"matched": 0, "done": 0, "refused": []}),
    "receipts.send": Done(
        SEND | {"mapping": "goods-receipt-to-project-portal", "subject": "grn_47d0c8e1a95b36f2c0d81a7e"}
    ),
}
