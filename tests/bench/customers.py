"""The customers that every store under test holds, and the one that is created over and over."""

from __future__ import annotations

from typing import Any

COUNT = 1000
MOMENT = "2024-01-15T10:00:00Z"
NEW = {"account": "Bench", "email": "EMAIL", "phone": "9876543210", "city": "Mumbai"}


def typed_fields(number: int) -> dict[str, str]:
    """What somebody typed in for customer `number`."""
    return {
        "account": f"Customer {number}",
        "email": f"c{number}@bench.example",
        "phone": "9876543210",
        "address": "12 Harbour Road",
        "city": "Mumbai",
        "state": "Maharashtra",
        "zip": "400001",
        "country": "IN",
    }


def stored(number: int) -> dict[str, Any]:
    """Customer `number` as a store that keeps JSON has it, with the fields of ours."""
    stamps = {"created_at": MOMENT, "updated_at": MOMENT, "version": 1}
    return {"id": number, "public_id": f"cus_{number:024x}", **typed_fields(number), **stamps}
