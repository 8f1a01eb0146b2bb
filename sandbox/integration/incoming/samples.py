"""The mappings that a new sandbox has: ready to be called, and to learn from (contract sections 7 and 8)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

Document = dict[str, Any]
GSTIN = "[0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][1-9A-Z]Z[0-9A-Z]"
_TRIM = {"kind": "trim"}


def _row(source: str, field: str, *transformations: Document, **said: Any) -> Document:
    steps = {"transformations": list(transformations)} if transformations else {}
    return {"source": source, "field": field, **steps, **said}


_GST = {"code": "INVALID_GST", "message": "GST number is invalid"}
VENDOR_CREATION: Document = {
    "rows": [
        _row("vendorName", "name", _TRIM, required=True),
        _row(
            "gstNumber",
            "gst_no",
            _TRIM,
            {"kind": "case", "case": "upper"},
            required=True,
            checks=[
                {"kind": "pattern", "pattern": GSTIN, **_GST},
                {"kind": "unique", "message": "A vendor with this GST number exists already"},
            ],
            **_GST,
        ),
        _row("contactPerson", "contact_person"),
        _row("mobile", "phone", checks=[{"kind": "phone"}]),
        _row("email", "email", checks=[{"kind": "email"}]),
        _row("city", "city", checks=[{"kind": "master", "master": "cities", "code": "UNKNOWN_CITY"}]),
    ],
    "duplicates": {"fields": ["gst_no"], "action": "refuse"},
    "answers": {"record_id": "vendor_code"},
}
WEBSITE_LEAD: Document = {
    "rows": [
        _row("firstName", "first_name", _TRIM, {"kind": "case", "case": "title"}, required=True),
        _row("lastName", "last_name", _TRIM, {"kind": "case", "case": "title"}, required=True),
        _row("email", "email", _TRIM, {"kind": "case", "case": "lower"}, required=True, checks=[{"kind": "email"}]),
        _row("phone", "phone", checks=[{"kind": "phone"}]),
        _row("company", "company"),
        {
            "source": "campaign.channel",
            "field": "source",
            "transformations": [
                {"kind": "default", "value": "web"},
                {
                    "kind": "lookup",
                    "table": {"web": "Website", "ads": "Search", "fair": "Trade fair"},
                    "value": "Partner",
                },
            ],
            "checks": [{"kind": "master", "master": "lead_sources"}],
        },
        {
            "source": "interest",
            "field": "message",
            "transformations": [{"kind": "join", "sources": ["comment"], "separator": ": "}],
        },
    ],
    "duplicates": {"fields": ["email"], "action": "update"},
}
BIOMETRIC_ATTENDANCE: Document = {
    "rows": [
        _row("empCode", "employee_code", _TRIM, {"kind": "case", "case": "upper"}, required=True),
        {
            "source": "punchTime",
            "field": "at",
            "type": "date-time",
            "required": True,
            "transformations": [{"kind": "date_format", "format": "DD/MM/YYYY HH:mm:ss", "zone": "Asia/Kolkata"}],
            "code": "INVALID_PUNCH_TIME",
        },
        {
            "source": "state",
            "field": "direction",
            "transformations": [{"kind": "lookup", "table": {"0": "in", "1": "out", "I": "in", "O": "out"}}],
            "code": "UNKNOWN_STATE",
        },
        _row("deviceName", "device"),
    ],
    "duplicates": {"fields": ["employee_code", "at"], "action": "skip"},
}
GOODS_RECEIPT: Document = {
    "rows": [
        _row("supplierCode", "vendor_code", _TRIM, {"kind": "case", "case": "upper"}, required=True),
        _row("challanNo", "reference", _TRIM, required=True),
        {
            "source": "lines",
            "field": "items",
            "type": "list",
            "required": True,
            "rows": [
                {"source": "itemCode", "field": "sku", "required": True},
                {
                    "source": "quantity",
                    "field": "qty",
                    "type": "number",
                    "required": True,
                    "checks": [{"kind": "range", "min": 1, "max": 10000, "code": "INVALID_QUANTITY"}],
                },
                {
                    "source": "rate",
                    "field": "price",
                    "type": "number",
                    "transformations": [{"kind": "number_format", "decimal": ".", "thousands": ","}],
                },
            ],
        },
    ],
    "duplicates": {"fields": ["vendor_code", "reference"], "action": "refuse"},
    "answers": {"created": {"message": "Goods receipt posted"}, "record_id": "receipt_number"},
}
INVOICE_UPDATE: Document = {
    "rows": [
        _row("invoiceNo", "invoice_number", _TRIM, {"kind": "case", "case": "upper"}, required=True),
        {
            "source": "payment.amount",
            "field": "payment_amount",
            "type": "number",
            "transformations": [{"kind": "number_format", "decimal": ".", "thousands": ","}],
            "checks": [{"kind": "range", "min": Decimal("0.01")}],
        },
        {
            "source": "payment.date",
            "field": "payment_date",
            "type": "date",
            "transformations": [{"kind": "date_format", "format": "DD-MM-YYYY"}],
        },
        {
            "source": "payment.mode",
            "field": "payment_method",
            "transformations": [
                {"kind": "lookup", "table": {"NEFT": "Bank Transfer", "CARD": "Card", "CASH": "Cash"}},
            ],
        },
        {"source": "remarks", "field": "notes"},
    ],
    "duplicates": {"fields": ["payment_amount", "payment_date", "payment_method"], "action": "refuse"},
}

MAPPINGS: tuple[tuple[str, str, str, Document], ...] = (
    ("vendor-creation", "Vendor creation", "vendor", VENDOR_CREATION),
    ("website-lead", "Website lead", "lead", WEBSITE_LEAD),
    ("biometric-attendance", "Biometric attendance", "attendance", BIOMETRIC_ATTENDANCE),
    ("goods-receipt", "Goods receipt", "goods_receipt", GOODS_RECEIPT),
    ("invoice-update", "Invoice update", "invoice_update", INVOICE_UPDATE),
)
"""Slug, name, target and definition; the first one is the default."""

PAYLOADS: dict[str, Any] = {
    "vendor-creation": {
        "vendorName": "ABC Traders",
        "gstNumber": "27ABCDE1234F1Z5",
        "contactPerson": "Rahul Sharma",
        "mobile": "9876543210",
        "email": "accounts@abctraders.example",
        "city": "Mumbai",
    },
    "website-lead": {
        "firstName": "asha",
        "lastName": "rao",
        "email": "Asha.Rao@buyers.example",
        "phone": "+91 98765 43210",
        "company": "Rao Exports",
        "campaign": {"channel": "ads"},
        "interest": "Inventory",
        "comment": "Three warehouses",
    },
    "biometric-attendance": [
        {"empCode": "EMP-1002", "punchTime": "01/07/2026 14:32:11", "state": "0", "deviceName": "Main gate"},
        {"empCode": "EMP-1005", "punchTime": "01/07/2026 14:33:05", "state": "0", "deviceName": "Main gate"},
    ],
    "goods-receipt": {
        "supplierCode": "VEND-1001",
        "challanNo": "CH-88213",
        "lines": [{"itemCode": "PAP-A4", "quantity": 40, "rate": "3.60"}],
    },
    "invoice-update": {
        "invoiceNo": "INV-2024-001",
        "payment": {"amount": "500.00", "date": "01-02-2024", "mode": "NEFT"},
        "remarks": "Paid by NEFT",
    },
}
"""A payload that works on a fresh sandbox, for each of them."""
