"""A receipt in words."""

from __future__ import annotations

import datetime as dt

from sandbox.seed.receipts import Receipt

WHEN = dt.datetime(2026, 6, 30, 12, tzinfo=dt.UTC)


def test_a_receipt_reads_as_three_sentences() -> None:
    receipt = Receipt(
        "ten_1",
        WHEN,
        kept={"api_keys": 6, "audit": 1, "exchanges": 12, "access_tokens": 0, "inbox_addresses": 1, "deliveries": 1},
        restored={"customers": 100, "categories": 14, "sale_items": 650},
        removed={"customers": 1, "lead_touches": 2},
    )
    assert receipt.lines() == [
        "Kept: 6 API keys, 1 entry of the audit trail, 12 logged calls, 1 inbox address, 1 delivery.",
        "Restored: 100 customers, 14 categories, 650 sale items.",
        "Removed: 1 customer, 2 inquiries.",
    ]


def test_a_reset_that_removed_nothing_says_so() -> None:
    assert Receipt("ten_1", WHEN, {}, {}, {}).lines()[2] == "Removed: nothing."
