"""What a fresh sandbox answers, as the API document and the reference show it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from portal.api.operation import Answer, Done, Operation, Page
from sandbox import desk_examples, staff_examples, store_examples
from sandbox.example_phones import answer_with_e164
from sandbox.integration.incoming import examples as incoming_examples

Record = dict[str, Any]
NOW = "2026-11-21T09:12:44Z"
BOOKED = {"created_at": "2024-01-02T09:00:00Z", "updated_at": "2024-01-02T09:00:00Z", "version": 1}

ITEM = {
    "description": "Web Development",
    "amount": Decimal("1500.00"),
    "qty": 1,
    "product_id": 1,
    "tax_rate": Decimal("0.00"),
    "subtotal": Decimal("1500.00"),
    "tax": Decimal("0.00"),
    "total": Decimal("1500.00"),
}
INVOICE: Record = {
    "id": 1,
    "public_id": "inv_646d4a25bde0dc47b4e00ab3",
    "invoice_number": "INV-2024-001",
    "customer_id": 1,
    "date": "2024-01-15",
    "due_date": "2024-02-15",
    "items": [ITEM],
    "reference": None,
    "notes": None,
    "subtotal": Decimal("1500.00"),
    "tax": Decimal("0.00"),
    "amount": Decimal("1500.00"),
    "paid": Decimal("0.00"),
    "balance": Decimal("1500.00"),
    "status": "Unpaid",
    "overdue": True,
    "approved_at": None,
    "created_at": "2024-01-15T11:21:27Z",
    "updated_at": "2024-01-15T11:21:27Z",
    "version": 1,
}
HOURS: Record = INVOICE | {
    "id": 67,
    "public_id": "inv_f3f09ea5346ea5971a39b59a",
    "invoice_number": "INV-2024-067",
    "customer_id": 23,
    "date": "2024-08-20",
    "due_date": "2024-10-04",
    "items": [
        {
            "description": "Remote support, hours used in August 2024",
            "amount": Decimal("75.00"),
            "qty": 8,
            "product_id": 8,
            "tax_rate": Decimal("18.00"),
            "subtotal": Decimal("600.00"),
            "tax": Decimal("108.00"),
            "total": Decimal("708.00"),
        }
    ],
    "subtotal": Decimal("600.00"),
    "tax": Decimal("108.00"),
    "amount": Decimal("708.00"),
    "balance": Decimal("708.00"),
    "created_at": "2024-08-20T12:24:09Z",
}
PAID = {"paid": Decimal("500.00"), "balance": Decimal("1000.00"), "status": "Partially Paid"}
PAYMENT = {
    "id": 18,
    "public_id": "txn_cb2b052888c36229a381743c",
    "amount": Decimal("1003.00"),
    "account_id": 1,
    "date": "2024-01-24",
    "method": "Bank Transfer",
    "created_at": "2024-01-24T15:45:55Z",
}

# The first record of each resource, and how many there are.
SEEDED: dict[str, tuple[Record, int]] = {
    "customers": (
        {
            "id": 1,
            "public_id": "cus_c086accce55e240cb619697f",
            "account": "John Doe",
            "email": "john@example.com",
            "phone": "1234567890",
            "address": "12 Harbour Road",
            "city": "New York",
            "state": "NY",
            "zip": "10001",
            "country": "US",
            "created_at": "2024-01-15T10:00:00Z",
            "updated_at": "2024-01-15T10:00:00Z",
            "version": 1,
        },
        100,
    ),
    "products": (
        {
            "id": 1,
            "public_id": "prd_4db3eed962fdc31e2427a2fe",
            "name": "Web Development",
            "price": Decimal("1500.00"),
            "description": "Design and build of a web page or small site",
            "type": "service",
            "tax_rate": Decimal("0.00"),
            "sku": "SVC-WEB",
            "tracks_stock": False,
            "created_at": "2024-01-03T09:07:00Z",
            "updated_at": "2024-01-03T09:07:00Z",
            "version": 1,
        },
        41,
    ),
    "invoices": (INVOICE, 322),
    "transactions": (
        {
            "id": 1,
            "public_id": "txn_757e8712b76c74d8894ec6a8",
            "type": "Expense",
            "account_id": 1,
            "amount": Decimal("1200.00"),
            "category_id": 6,
            "date": "2024-01-02",
            "invoice_id": None,
            "method": "Bank Transfer",
            "description": "Office and store, January 2024",
            "created_at": "2024-01-02T09:08:56Z",
            "updated_at": "2024-01-02T09:08:56Z",
            "version": 1,
        },
        1300,
    ),
    "accounts": (
        {"id": 1, "public_id": "acc_2d286915f12eb3cf5144e19c", "name": "Operating account", "type": "Bank"} | BOOKED,
        6,
    ),
    "categories": (
        {"id": 1, "public_id": "cat_bf9e4071718fc55d7fd34091", "name": "Sales", "type": "Income"} | BOOKED,
        14,
    ),
    "departments": (
        {"id": 1, "public_id": "dep_c18cb2254b2c1bb562472daf", "name": "Technical support"} | BOOKED,
        7,
    ),
}

OTHERS: dict[str, Answer] = {
    "invoices.create": Done(
        INVOICE
        | {"id": 323, "public_id": "inv_0a5961600a925e147e4ce1c3", "invoice_number": "INV-2024-113"}
        | {"date": "2024-01-20", "due_date": "2024-02-20", "items": [ITEM | {"product_id": None}]}
        | {"notes": "Payable within 30 days", "created_at": NOW, "updated_at": NOW}
    ),
    "invoices.replace": Done(
        INVOICE
        | {"date": "2024-01-20", "due_date": "2024-02-20", "items": [ITEM | {"product_id": None}]}
        | {"notes": "Payable within 30 days", "updated_at": NOW, "version": 2}
    ),
    "invoices.approve": Done(INVOICE | {"approved_at": NOW, "updated_at": NOW, "version": 2}),
    "invoices.void": Done(HOURS | {"status": "Void", "overdue": False, "updated_at": NOW, "version": 2}),
    "invoices.list_payments": Page([PAYMENT], limit=20, page=1, total=1),
    "invoices.pay": Done(
        {
            "id": 1301,
            "public_id": "txn_adc7ffe1031821d5f8ce2b8e",
            "amount": Decimal("500.00"),
            "account_id": 1,
            "date": "2024-02-01",
            "method": "Bank Transfer",
            "created_at": NOW,
            "invoice": INVOICE | PAID | {"updated_at": NOW, "version": 2},
        }
    ),
    "transactions.create": Done(
        {
            "id": 1301,
            "public_id": "txn_1d04c5b7f6e93a8820cb41e5",
            "type": "Expense",
            "account_id": 1,
            "amount": Decimal("89.90"),
            "category_id": 8,
            "date": "2024-01-18",
            "invoice_id": None,
            "method": None,
            "description": "Calendar add-on, yearly licence",
            "created_at": NOW,
            "updated_at": NOW,
            "version": 1,
        }
    ),
    "reports.financial": {
        "income": Decimal("15000.00"),
        "expenses": Decimal("5000.00"),
        "profit": Decimal("10000.00"),
        "outstanding_invoices": Decimal("3000.00"),
    },
    "reports.sales": {
        "from": "2026-05-01",
        "to": "2026-05-31",
        "totals": {"sales": 30, "quantity": 132}
        | {"amount": Decimal("5715.33"), "subtotal": Decimal("4869.40"), "tax": Decimal("845.93")},
        "by_day": [
            {"date": "2026-05-02", "sales": 1}
            | {"amount": Decimal("427.75"), "subtotal": Decimal("362.50"), "tax": Decimal("65.25")}
        ],
        "by_product": [
            {
                "id": 32,
                "public_id": "prd_a71e08ff847f5f64c7149323",
                "name": "Battery Back-up",
                "quantity": 4,
                "amount": Decimal("656.08"),
                "subtotal": Decimal("556.00"),
                "tax": Decimal("100.08"),
            }
        ],
        "by_payment_method": [
            {"method": "Card", "payments": 25, "amount": Decimal("4715.68")},
            {"method": "Cash", "payments": 6, "amount": Decimal("999.65")},
        ],
    },
    "sandbox.reset": Done(
        {
            "tenant": "ten_5f2c81d09a3b47e6c1d8f02a",
            "reset_at": NOW,
            "kept": {"api_keys": 6, "audit": 2, "exchanges": 4},
            "restored": {"customers": 100, "products": 41, "invoices": 322, "leads": 40},
            "removed": {"customers": 1},
        }
    ),
}


SEEDED |= store_examples.SEEDED | staff_examples.SEEDED | desk_examples.SEEDED
OTHERS |= store_examples.OTHERS | staff_examples.OTHERS | desk_examples.OTHERS | incoming_examples.OTHERS


def with_example(operation: Operation) -> Operation:
    """The operation with what it answers to its own sample in a fresh sandbox, unless it brings that along."""
    if operation.example is not None:
        return operation
    return replace(operation, example=answer_with_e164(_example_of(operation)))


def _example_of(operation: Operation) -> Answer | None:
    if operation.id in OTHERS:
        return OTHERS[operation.id]
    if operation.group in SEEDED:
        return _of_resource(operation, *SEEDED[operation.group])
    if operation.group == "batch":
        return _of_batch(*SEEDED[operation.id.partition(".")[2]])
    return None


def _of_resource(operation: Operation, record: Record, total: int) -> Answer:
    verb = operation.id.partition(".")[2]
    sent = dict(operation.sample or {})
    if verb == "list":
        return Page([record], limit=20, page=1, total=total)
    if verb == "create":
        return Done(record | sent | _identity(record, total) | {"created_at": NOW, "updated_at": NOW, "version": 1})
    if verb == "delete":
        return Done({"id": operation.sample_path["id"], "public_id": record["public_id"]})
    if verb in {"replace", "update"}:
        return Done(record | sent | {"updated_at": NOW, "version": record["version"] + 1})
    return record


def _of_batch(record: Record, total: int) -> Answer:
    outcome = {"row": 0, "status": "created", **_identity(record, total)}
    return Done({"outcomes": [outcome], "created": 1, "failed": 0, "duplicate": 0, "charged": 1})


def _identity(record: Record, total: int) -> Record:
    """The id and public id of the next record of its kind."""
    return {"id": total + 1, "public_id": f"{record['public_id'][:4]}b83f1d6a40c79e25d1806ca3"}
