"""The seed's books add up, row by row."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

from sandbox.resources.items import line_sums
from sandbox.resources.levels import StockLevel
from sandbox.seed.company import Company, build_company
from sandbox.seed.words import load_words
from tests.sandbox.seed.conftest import Rows

LAST = dt.date(2026, 6, 30)


def sums(rows: list[dict[str, Any]], key: str, amount: str = "amount") -> dict[Any, Decimal]:
    totals: dict[Any, Decimal] = defaultdict(lambda: Decimal("0.00"))
    for row in rows:
        totals[row[key]] += row[amount]
    return totals


def test_the_seed_is_the_same_on_every_run(company: Company, content: Path) -> None:
    assert build_company(load_words(content / "demo")) == company


def test_the_seed_is_of_moderate_size(company: Company) -> None:
    assert 3000 < sum(len(rows) for rows in company.rows.values()) <= 9000


def test_ids_count_from_one_in_every_table(company: Company) -> None:
    for model, rows in company.rows.items():
        if model is not StockLevel:  # A level has its product's id.
            assert [row["id"] for row in rows] == list(range(1, len(rows) + 1)), model


def test_each_invoice_and_quote_is_the_sum_of_its_lines(books: Rows) -> None:
    for papers, items, key in (("invoices", "invoice_items", "invoice_id"), ("quotes", "quote_items", "quote_id")):
        for line in books[items]:
            sums_of_line = line_sums(line["amount"], line["qty"], line["tax_rate"])
            assert (line["subtotal"], line["tax"]) == sums_of_line
        for name in ("subtotal", "tax"):
            assert {row["id"]: row[name] for row in books[papers]} == sums(books[items], key, name)
        assert all(row["amount"] == row["subtotal"] + row["tax"] for row in books[papers])


def test_each_invoice_is_paid_by_its_transactions(books: Rows) -> None:
    paid = sums([row for row in books["transactions"] if row["invoice_id"]], "invoice_id")
    for invoice in books["invoices"]:
        assert invoice["paid"] == paid.get(invoice["id"], 0)
        assert invoice["balance"] == invoice["amount"] - invoice["paid"] >= 0


def test_the_status_of_an_invoice_follows_from_its_payments(books: Rows) -> None:
    seen = Counter()
    for invoice in books["invoices"]:
        if invoice["status"] == "Void":
            assert invoice["paid"] == 0 and invoice["approved_at"] is None
        elif invoice["balance"] == 0:
            assert invoice["status"] == "Paid"
        else:
            assert invoice["status"] == ("Partially Paid" if invoice["paid"] else "Unpaid")
        seen[invoice["status"]] += 1
    assert min(seen[status] for status in ("Unpaid", "Partially Paid", "Paid", "Void")) >= 5


def test_each_receipt_is_the_sum_of_its_lines_and_of_its_payments(books: Rows) -> None:
    lines, payments = sums(books["sale_items"], "sale_id"), sums(books["sale_payments"], "sale_id")
    for line in books["sale_items"]:
        known = line_sums(line["price"], line["qty"], line["tax_rate"])
        assert (line["subtotal"], line["tax"], line["amount"]) == (*known, known.amount)
    for name in ("subtotal", "tax"):
        assert {row["id"]: row[name] for row in books["sales"]} == sums(books["sale_items"], "sale_id", name)
    assert {row["id"]: row["amount"] for row in books["sales"]} == lines == payments


def test_each_receipt_is_income_of_its_day(books: Rows) -> None:
    income = sums([row for row in books["transactions"] if row["description"].startswith("Sale REC-")], "description")
    assert {f"Sale {row['receipt_number']}": row["amount"] for row in books["sales"]} == income
    of_sales = sums([row for row in books["transactions"] if row["sale_id"]], "sale_id")
    assert {row["id"]: row["amount"] for row in books["sales"]} == of_sales


def test_there_are_sales_on_most_days_the_shop_was_open(books: Rows) -> None:
    days = {row["date"] for row in books["sales"]}
    may = {day for day in days if (day.year, day.month) == (2026, 5)}
    assert len(may) >= 24
    assert min(days) == dt.date(2025, 7, 1) and max(days) == LAST


def test_income_and_expenses_are_booked_on_categories_of_their_kind(books: Rows) -> None:
    kinds = {row["id"]: row["type"] for row in books["categories"]}
    assert all(kinds[row["category_id"]] == row["type"] for row in books["transactions"])
    assert all(row["amount"] > 0 for row in books["transactions"])


def test_january_2024_is_the_month_the_guides_quote(books: Rows) -> None:
    january = [row for row in books["transactions"] if row["date"] < dt.date(2024, 2, 1)]
    assert sums(january, "type") == {"Income": Decimal("15000.00"), "Expense": Decimal("5000.00")}
    owed = [
        row["balance"] for row in books["invoices"] if row["date"] < dt.date(2024, 2, 1) and row["status"] != "Void"
    ]
    assert sum(owed) == Decimal("3000.00")
    assert any(row["status"] == "Void" for row in books["invoices"] if row["date"] < dt.date(2024, 2, 1))


def test_nothing_happens_before_its_cause_or_after_the_last_day(books: Rows) -> None:
    joined = {row["id"]: row["created_at"] for row in books["customers"]}
    issued = {row["id"]: row["created_at"] for row in books["invoices"]}
    for row in books["invoices"] + books["sales"]:
        assert row["customer_id"] is None or joined[row["customer_id"]] < row["created_at"]
    for row in books["invoices"]:
        assert row["due_date"] >= row["date"] == row["created_at"].date()
        assert row["approved_at"] is None or row["approved_at"] > row["created_at"]
    for row in books["transactions"]:
        assert row["invoice_id"] is None or row["created_at"] > issued[row["invoice_id"]]
        assert dt.date(2024, 1, 1) <= row["date"] <= LAST
    for rows in books.values():
        for row in rows:
            if "updated_at" in row:
                assert row["created_at"] <= row["updated_at"]
                assert row["updated_at"].date() <= LAST


def test_there_is_a_month_with_a_loss_and_all_have_both_sides(books: Rows) -> None:
    profit: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
    kinds = defaultdict(set)
    for row in books["transactions"]:
        month = (row["date"].year, row["date"].month)
        profit[month] += row["amount"] if row["type"] == "Income" else -row["amount"]
        kinds[month].add(row["type"])
    assert len(kinds) == 30 and all(len(both) == 2 for both in kinds.values())
    assert min(profit.values()) < 0


def test_business_is_spread_over_many_customers(books: Rows) -> None:
    invoices = Counter(row["customer_id"] for row in books["invoices"])
    assert len(invoices) >= 50
    assert max(invoices.values()) <= 30
