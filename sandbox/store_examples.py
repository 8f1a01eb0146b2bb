"""What a fresh sandbox answers about sales, stock, vendors and goods receipts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from portal.api.operation import Answer, Done

Record = dict[str, Any]
NOW = "2026-11-21T09:12:44Z"


def _stamps(instant: str, updated_at: str = "", version: int = 1) -> Record:
    return {"created_at": instant, "updated_at": updated_at or instant, "version": version}


def _item(product_id: int, qty: int, price: str, tax_rate: str, subtotal: str, tax: str, amount: str) -> Record:
    sums = {"subtotal": Decimal(subtotal), "tax": Decimal(tax), "amount": Decimal(amount)}
    return {"product_id": product_id, "qty": qty, "price": Decimal(price), "tax_rate": Decimal(tax_rate), **sums}


SALE: Record = {
    "id": 1,
    "public_id": "sal_9100e33f8cfdcee2dec7ebf9",
    "receipt_number": "REC-2025-0001",
    "customer_id": None,
    "date": "2025-07-01",
    "sold_at": "2025-07-01T10:12:16Z",
    "items": [
        _item(20, 5, "18.50", "12.00", "92.50", "11.10", "103.60"),
        _item(18, 1, "69.90", "18.00", "69.90", "12.58", "82.48"),
        _item(29, 2, "118.00", "18.00", "236.00", "42.48", "278.48"),
    ],
    "payments": [{"method": "Card", "amount": Decimal("464.56")}],
    "subtotal": Decimal("398.40"),
    "tax": Decimal("66.16"),
    "amount": Decimal("464.56"),
    "change": Decimal("0.00"),
    **_stamps("2025-07-01T10:12:16Z"),
}
LEVEL: Record = {
    "id": 15,
    "public_id": "stk_6d095e668a7bc8bba1179f22",
    "product_id": 15,
    "sku": "PRT-LASER",
    "name": "Laser Printer",
    "qty": 4,
    "reorder_level": 5,
    "is_low": True,
    **_stamps("2024-01-03T10:45:00Z", "2026-06-27T17:29:11Z", 45),
}
MOVEMENT: Record = {
    "id": 1,
    "public_id": "mov_ed78e04792587c04b32e9ef9",
    "product_id": 17,
    "type": "in",
    "qty": 3,
    "reason": "Goods receipt",
    "reference": "GRN-2024-0001",
    "balance": 3,
    **_stamps("2024-01-04T07:05:09Z"),
}
VENDOR: Record = {
    "id": 1,
    "public_id": "ven_53edc2800e5d9f63d3a96da6",
    "vendor_code": "VEND-1001",
    "name": "Coromandel Paper Mart",
    "gst_no": "33XHEXC0964X1ZG",
    "contact_person": "Leela Subramani",
    "phone": "+91 44 0055 0164",
    "email": "orders@coromandel-paper-mart.example",
    "city": "Chennai",
    **_stamps("2024-01-03T08:20:34Z"),
}
RECEIPT: Record = {
    "id": 1,
    "public_id": "grn_00fbca21a20d8bdb45bdc87b",
    "receipt_number": "GRN-2024-0001",
    "vendor_id": 4,
    "reference": "YTC-01959",
    "status": "Posted",
    "received_at": "2024-01-04T07:05:09Z",
    "items": [
        {"product_id": 17, "qty": 3, "price": Decimal("126.63")},
        {"product_id": 25, "qty": 4, "price": Decimal("52.93")},
        {"product_id": 26, "qty": 5, "price": Decimal("38.34")},
        {"product_id": 20, "qty": 40, "price": Decimal("12.76")},
    ],
    **_stamps("2024-01-04T07:05:09Z"),
}

SEEDED: dict[str, tuple[Record, int]] = {
    "sales": (SALE, 365),
    "stock": (LEVEL, 25),
    "movements": (MOVEMENT, 1160),
    "vendors": (VENDOR, 22),
    "receipts": (RECEIPT, 120),
}

OTHERS: dict[str, Answer] = {
    "sales.create": Done(
        SALE
        | {"id": 366, "public_id": "sal_dc64f39bfdf477030429d4af", "receipt_number": "REC-2026-0183"}
        | {"customer_id": 1, "date": NOW[:10], "sold_at": NOW}
        | {
            "items": [
                _item(19, 2, "5.90", "12.00", "11.80", "1.42", "13.22"),
                _item(8, 1, "60.00", "18.00", "60.00", "10.80", "70.80"),
            ],
            "payments": [{"method": "Cash", "amount": Decimal("84.02")}],
            "subtotal": Decimal("71.80"),
            "tax": Decimal("12.22"),
            "amount": Decimal("84.02"),
            "change": Decimal("5.98"),
        }
        | _stamps(NOW)
    ),
    "stock.read": LEVEL
    | {"id": 19, "public_id": "stk_813c372be22633c58fb39465", "product_id": 19, "sku": "PAP-A4"}
    | {"name": "Copy Paper A4, 500 Sheets", "qty": 61, "reorder_level": 20, "is_low": False}
    | _stamps("2024-01-03T11:13:00Z", "2026-06-29T15:06:28Z", 126),
    "movements.create": Done(
        MOVEMENT
        | {"id": 1161, "public_id": "mov_7c519d298564ddc55b1da17f", "product_id": 19, "type": "adjustment", "qty": -2}
        | {"reason": "Two packs torn", "reference": "COUNT-07", "balance": 59}
        | _stamps(NOW)
    ),
    "vendors.create": Done(
        {"id": 23, "public_id": "ven_832bfa30dbf0724894aa788b", "vendor_code": "VEND-1023"}
        | {"name": "Coastline Paper Traders", "gst_no": "27CPTXC4417J1Z2", "contact_person": "Meera Joshi"}
        | {"phone": "+91 22 0055 0143", "email": "orders@coastline-paper.example", "city": "Mumbai"}
        | _stamps(NOW)
    ),
    "receipts.create": Done(
        RECEIPT
        | {"id": 121, "public_id": "grn_00cfb5745a94c2dce27042a9", "receipt_number": "GRN-2026-0027", "vendor_id": 1}
        | {"reference": "DN-90417", "received_at": NOW}
        | {
            "items": [
                {"product_id": 19, "qty": 40, "price": Decimal("3.60")},
                {"product_id": 18, "qty": 6, "price": None},
            ]
        }
        | _stamps(NOW)
    ),
}
