"""The financial report is the sum of the books."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.conftest import Integration, NewSandbox, SandboxMaker

exact = msgspec.json.Decoder(float_hook=Decimal).decode
PATH = "/api/v2/reports/financial"


def read(caller: Integration, query: str) -> dict[str, Any]:
    return exact(caller.get(f"{PATH}?{query}").data)["data"]


def test_january_2024_is_as_the_guides_quote(alice: Integration) -> None:
    assert b'"income":15000.00,"expenses":5000.00,"profit":10000.00,"outstanding_invoices":3000.00' in (
        alice.get(f"{PATH}?year=2024&month=1").data
    )


def test_a_year_is_the_sum_of_its_months(alice: Integration) -> None:
    months = [read(alice, f"year=2025&month={month}") for month in range(1, 13)]
    year = read(alice, "year=2025")
    assert year == {name: sum(month[name] for month in months) for name in year}
    assert year["profit"] == year["income"] - year["expenses"] > 0


def test_profit_is_negative_in_a_bad_month(alice: Integration) -> None:
    report = read(alice, "year=2024&month=2")
    assert report["profit"] == report["income"] - report["expenses"] < 0


def test_a_payment_moves_money_from_outstanding_to_income(alice: Integration) -> None:
    paid = {"amount": 500.25, "account_id": 1, "date": "2024-01-31"}
    assert alice.post("/api/v2/invoices/1/payments", paid).status_code == 201
    report = read(alice, "year=2024&month=1")
    assert (str(report["income"]), str(report["outstanding_invoices"])) == ("15500.25", "2499.75")


def test_a_month_counts_its_first_and_its_last_day_and_no_other(alice: Integration) -> None:
    before = [read(alice, f"year=2024&month={month}")["income"] for month in (1, 2, 3)]
    for day in ("2024-02-01", "2024-02-29", "2024-03-01"):
        alice.post("/api/v2/invoices/1/payments", {"amount": 1.0, "account_id": 1, "date": day})
    after = [read(alice, f"year=2024&month={month}")["income"] for month in (1, 2, 3)]
    assert [later - earlier for earlier, later in zip(before, after, strict=True)] == [0, 2, 1]


def test_a_period_without_books_is_all_zeros(alice: Integration) -> None:
    assert {name: str(value) for name, value in read(alice, "year=1999").items()} == {
        "income": "0.00",
        "expenses": "0.00",
        "profit": "0.00",
        "outstanding_invoices": "0.00",
    }


def test_void_invoices_are_owed_by_nobody(alice: Integration) -> None:
    void = exact(alice.get("/api/v2/invoices?status=Void&limit=1").data)["data"][0]
    year, month = int(void["date"][:4]), int(void["date"][5:7])
    dates = f"date_from={year}-{month:02d}-01&date_to={year}-{month:02d}-{monthrange(year, month)[1]}"
    invoices = exact(alice.get(f"/api/v2/invoices?{dates}&limit=100").data)["data"]
    owed = sum(row["balance"] for row in invoices if row["status"] != "Void")
    assert read(alice, f"year={year}&month={month}")["outstanding_invoices"] == owed
    assert void["balance"] > 0


def test_mallorys_books_are_not_in_alices_report(alice: Integration, mallory: Integration) -> None:
    mallory.post("/api/v2/invoices/1/payments", {"amount": 500.0, "account_id": 1, "date": "2024-01-31"})
    assert str(read(alice, "year=2024&month=1")["income"]) == "15000.00"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "year"),
        ("month=1", "year"),
        ("year=2024&month=0", "month"),
        ("year=2024&month=13", "month"),
        ("year=2024&month=", "month"),
        ("year=99999", "year"),
        ("year=-1", "year"),
        ("year=2024.5", "year"),
        ("year=%D9%A2%D9%A0%D9%A2%D9%A4", "year"),
        ("year=2024&year=2025", "year"),
        ("year=2024&quarter=1", "quarter"),
    ],
)
def test_a_bad_period_is_refused_by_name(alice: Integration, query: str, field: str) -> None:
    answer = alice.get(f"{PATH}?{query}")
    assert (answer.status_code, answer.json["code"]) == (400, "validation_failed")
    assert list(answer.json["errors"]) == [field]


@pytest.mark.parametrize("role", ["manager", "accountant", "viewer"])
def test_roles_that_read_reports_may(
    alices_sandbox: NewSandbox, as_role: Callable[[NewSandbox, str], Integration], role: str
) -> None:
    assert as_role(alices_sandbox, role).get(f"{PATH}?year=2024").status_code == 200


@pytest.mark.parametrize("role", ["sales", "support"])
def test_other_roles_may_not(
    alices_sandbox: NewSandbox, as_role: Callable[[NewSandbox, str], Integration], role: str
) -> None:
    answer = as_role(alices_sandbox, role).get(f"{PATH}?year=2024")
    assert (answer.status_code, answer.json["required"]) == (403, "reports:read")


def test_the_starter_plan_has_no_reports(
    new_sandbox: SandboxMaker, as_role: Callable[[NewSandbox, str], Integration]
) -> None:
    answer = as_role(new_sandbox(plan="starter"), "administrator").get(f"{PATH}?year=2024")
    assert (answer.status_code, answer.json["code"]) == (403, "upgrade_required")
    assert answer.json["upgrade"]["required_plan"] == "growth"
