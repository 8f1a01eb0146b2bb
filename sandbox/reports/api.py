"""The reports as operations."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from flask import Response
from pydantic import ConfigDict, Field
from pydantic import WithJsonSchema as JsonSchema

from portal.api.lists import WholeNumber
from portal.api.operation import Call, Operation
from portal.api.schema import ApiModel, Date, Level, Money, Name, Quantity, rule
from sandbox.reports.service import SUMS, Figures, Period, month_or_year, report_finances, report_sales
from sandbox.reports.sheet import Cell, as_download, write_csv

Year = Annotated[
    WholeNumber, Field(ge=1900, le=9999), JsonSchema({"type": "integer", "minimum": 1900, "maximum": 9999})
]
Month = Annotated[WholeNumber, Field(ge=1, le=12), JsonSchema({"type": "integer", "minimum": 1, "maximum": 12})]
COLUMNS = ("section", "key", "name", "sales", "quantity", "amount", "subtotal", "tax")


class FinancialQuery(ApiModel):
    """Which month, or which year."""

    year: Year = Field(description="Year, in four digits")
    month: Month | None = Field(None, description="Month, 1 to 12; the whole year when left out")


class FinancialView(ApiModel):
    """The finances of the period."""

    income: Money = Field(description="Income booked in the period")
    expenses: Money = Field(description="Expenses booked in the period")
    profit: Money = Field(description="Income less expenses; negative where more was spent")
    outstanding_invoices: Money = Field(description="What is still owed on the period's invoices, void ones aside")


class SalesQuery(ApiModel):
    """Which days, and in which form."""

    model_config = ConfigDict(populate_by_name=False)

    first: Date = Field(alias="from", description="First day, included", json_schema_extra=rule("not after to"))
    last: Date = Field(
        alias="to",
        description="Last day, included",
        json_schema_extra=rule("at most 366 days in all"),
    )
    format: Literal["json", "csv"] = Field("json", description="The envelope, or a file for a spreadsheet")


class SalesTotals(ApiModel):
    """All sales of the period."""

    sales: int
    quantity: Level
    amount: Money = Field(description="With tax")
    subtotal: Money = Field(description="Before tax")
    tax: Money


class DayOfSales(ApiModel):
    """A day on which something was sold."""

    date: Date
    sales: int
    amount: Money = Field(description="With tax")
    subtotal: Money = Field(description="Before tax")
    tax: Money


class ProductSold(ApiModel):
    """A product that was sold."""

    id: int
    public_id: str
    name: Name
    quantity: Quantity
    amount: Money = Field(description="With tax")
    subtotal: Money = Field(description="Before tax")
    tax: Money


class MethodOfPayment(ApiModel):
    """How customers paid."""

    method: str
    payments: int
    amount: Money = Field(description="With tax")


class SalesView(ApiModel):
    """The sales of the period."""

    first: Date = Field(alias="from")
    last: Date = Field(alias="to")
    totals: SalesTotals
    by_day: list[DayOfSales] = Field(description="Days with sales, in order")
    by_product: list[ProductSold] = Field(description="The largest amount first")
    by_payment_method: list[MethodOfPayment] = Field(description="The largest amount first")


def _answer_finances(call: Call) -> Figures:
    return report_finances(call.session, month_or_year(call.query.year, call.query.month))


def _answer_sales(call: Call) -> Figures | Response:
    period = Period(call.query.first, call.query.last)
    figures = report_sales(call.session, period)
    call.subject = call.path["id"]
    return figures if call.query.format == "json" else _as_file(period, figures)


def _as_file(period: Period, figures: Figures) -> Response:
    name = f"sales-{period.first}-{period.last}.csv"
    return as_download(write_csv(COLUMNS, _lines(figures)), name)


def _lines(figures: Figures) -> list[tuple[Cell, ...]]:
    """One table of all sections, in the order of COLUMNS."""
    totals: dict[str, Any] = figures["totals"]
    return [
        ("total", "", "", totals["sales"], totals["quantity"], *_sums(totals)),
        *(("day", row["date"], "", row["sales"], None, *_sums(row)) for row in figures["by_day"]),
        *(
            ("product", row["public_id"], row["name"], None, row["quantity"], *_sums(row))
            for row in figures["by_product"]
        ),
        *(
            ("payment_method", row["method"], "", row["payments"], None, row["amount"], None, None)
            for row in figures["by_payment_method"]
        ),
    ]


def _sums(row: Figures) -> tuple[Cell, ...]:
    return tuple(row[name] for name in SUMS)


OPERATIONS = (
    Operation(
        id="reports.financial",
        method="GET",
        path="/api/v2/reports/financial",
        summary="Finances of a month or a year",
        outcome="The figures of the period",
        description="Income, expenses and profit booked in the period, and what its invoices are still owed.",
        permission="reports:read",
        handle=_answer_finances,
        query=FinancialQuery,
        returns=FinancialView,
        sample_query={"year": 2024, "month": 1},
    ),
    Operation(
        id="reports.sales",
        method="GET",
        path="/api/tenants/{id}/reports/sales",
        summary="Sales of a period",
        outcome="The figures of the period",
        description="Sales at the counter: in all, by day, by product, by payment method. The tenant is the caller's "
        "own, named by its public id; the platform owner reads any tenant's. With `format=csv` the answer is a file, "
        "and the audit trail keeps the export.",
        permission="reports:read",
        family="platform",
        handle=_answer_sales,
        query=SalesQuery,
        returns=SalesView,
        also_answers=("text/csv",),
        tenant_in_path=True,
        exports_when={"format": "csv"},
        headers={"path:id": "The tenant's public id"},
        sample_path={"id": "ten_5f2c81d09a3b47e6c1d8f02a"},
        sample_query={"from": "2026-05-01", "to": "2026-05-31"},
    ),
)
