"""The sales report: figures that agree with each other, for the caller's own tenant, as JSON and as a file."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.conftest import Integration

exact = msgspec.json.Decoder(float_hook=Decimal).decode
MAY = "from=2026-05-01&to=2026-05-31"


def address(caller: Integration, query: str = MAY, tenant: str = "") -> str:
    return f"/api/tenants/{tenant or caller.tenant}/reports/sales?{query}"


def read(caller: Integration, query: str = MAY) -> dict[str, Any]:
    return exact(caller.get(address(caller, query)).data)["data"]


def read_file(caller: Integration, query: str = MAY) -> list[dict[str, str]]:
    return list(
        csv.DictReader(io.StringIO(caller.get(address(caller, f"{query}&format=csv")).data.decode("utf-8-sig")))
    )


def test_there_are_sales_on_most_days_of_may_2026(alice: Integration) -> None:
    days = read(alice)["by_day"]
    assert len(days) >= 20
    assert all(day["sales"] > 0 and day["amount"] > 0 for day in days)
    dates = [day["date"] for day in days]
    assert dates == sorted(set(dates)) and dates[0] >= "2026-05-01" and dates[-1] <= "2026-05-31"


def test_days_products_and_methods_come_to_the_same_total(alice: Integration) -> None:
    report = read(alice, "from=2025-07-01&to=2026-06-30")
    total = report["totals"]["amount"]
    for part in ("by_day", "by_product", "by_payment_method"):
        assert sum(row["amount"] for row in report[part]) == total > 0
    assert sum(day["sales"] for day in report["by_day"]) == report["totals"]["sales"]
    assert sum(row["quantity"] for row in report["by_product"]) == report["totals"]["quantity"]
    assert {row["method"] for row in report["by_payment_method"]} == {"Cash", "Card"}


def test_two_halves_make_the_whole(alice: Integration) -> None:
    halves = [read(alice, f"from=2026-05-{first}&to=2026-05-{last}") for first, last in (("01", "15"), ("16", "31"))]
    whole = read(alice)
    assert whole["totals"] == {name: sum(half["totals"][name] for half in halves) for name in whole["totals"]}


def test_products_are_named_by_both_ids(alice: Integration) -> None:
    row = read(alice)["by_product"][0]
    product = alice.get(f"/api/v2/products/{row['public_id']}").json["data"]
    assert (product["id"], product["name"]) == (row["id"], row["name"])


def test_a_day_without_sales_is_an_empty_report(alice: Integration) -> None:
    report = read(alice, "from=2026-05-03&to=2026-05-03")
    assert report == {
        "from": "2026-05-03",
        "to": "2026-05-03",
        "totals": {"sales": 0, "quantity": 0, **dict.fromkeys(("amount", "subtotal", "tax"), Decimal("0.00"))},
        "by_day": [],
        "by_product": [],
        "by_payment_method": [],
    }


@pytest.mark.parametrize("format_", ["json", "csv"])
def test_mallory_gets_the_same_answer_as_for_a_tenant_that_does_not_exist(
    alice: Integration, mallory: Integration, format_: str
) -> None:
    query = f"{MAY}&format={format_}"
    stranger = mallory.get(address(alice, query))
    unknown = mallory.get(address(alice, query, tenant="ten_000000000000000000000000"))
    assert stranger.status_code == unknown.status_code == 404
    bodies = [answer.json | {"request_id": ""} for answer in (stranger, unknown)]
    assert bodies[0] == bodies[1]
    assert set(dict(stranger.headers)) == set(dict(unknown.headers))


@pytest.mark.parametrize("tenant", ["1", "TEN", "ten_", "..%2f", "%00"])
def test_other_names_of_a_tenant_are_unknown(alice: Integration, tenant: str) -> None:
    assert alice.get(address(alice, tenant=tenant)).status_code == 404


def test_a_stranger_is_told_of_the_tenant_before_the_dates(alice: Integration, mallory: Integration) -> None:
    assert mallory.get(address(alice, "from=nonsense")).status_code == 404


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2026-05-01", "to"),
        ("to=2026-05-01", "from"),
        ("from=2026-05-02&to=2026-05-01", "from"),
        ("from=2026-02-30&to=2026-05-01", "from"),
        ("from=2025-05-01&to=2026-05-02", "to"),
        ("from=1-1-1&to=2026-05-01", "from"),
        ("from=2026-05-01&to=99999-01-01", "to"),
        (f"{MAY}&format=xml", "format"),
        (f"{MAY}&first=2026-05-01", "first"),
        (f"{MAY}&from=2026-05-02", "from"),
    ],
)
def test_a_bad_period_is_refused_by_name(alice: Integration, query: str, field: str) -> None:
    answer = alice.get(address(alice, query))
    assert (answer.status_code, answer.json["code"]) == (400, "validation_failed")
    assert list(answer.json["errors"]) == [field]


def test_both_dates_are_missed_at_once(alice: Integration) -> None:
    assert alice.get(address(alice, "")).json["errors"] == {"from": "From is required", "to": "To is required"}


def test_366_days_are_allowed(alice: Integration) -> None:
    assert alice.get(address(alice, "from=2025-05-01&to=2026-05-01")).status_code == 200


def test_the_file_says_what_the_envelope_says(alice: Integration) -> None:
    report, lines = read(alice), read_file(alice)
    of = {name: [line for line in lines if line["section"] == name] for name in {line["section"] for line in lines}}
    assert set(of) == {"total", "day", "product", "payment_method"}
    assert Decimal(of["total"][0]["amount"]) == report["totals"]["amount"]
    assert int(of["total"][0]["sales"]) == report["totals"]["sales"]
    assert [(line["key"], line["amount"]) for line in of["day"]] == [
        (day["date"], str(day["amount"])) for day in report["by_day"]
    ]
    assert [(line["key"], line["name"]) for line in of["product"]] == [
        (row["public_id"], row["name"]) for row in report["by_product"]
    ]
    assert [line["key"] for line in of["payment_method"]] == [row["method"] for row in report["by_payment_method"]]


def test_the_file_is_a_download_with_a_name_and_a_header_row(alice: Integration) -> None:
    answer = alice.get(address(alice, f"{MAY}&format=csv"))
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="sales-2026-05-01-2026-05-31.csv"'
    assert answer.text.splitlines()[0] == "\ufeffsection,key,name,sales,quantity,amount,subtotal,tax"
    assert "X-RateLimit-Remaining" in answer.headers


@pytest.mark.parametrize("name", ["=1+1", "+49", "-2+3", "@SUM(A1)", "\t=1", "＝1+1"])
def test_a_product_named_like_a_formula_does_not_run_in_a_spreadsheet(alice: Integration, name: str) -> None:
    sold = read(alice)["by_product"][0]
    renamed = alice.patch(f"/api/v2/products/{sold['id']}", {"name": f"{name}!"}).json["data"]["name"]
    line = next(line for line in read_file(alice) if line["key"] == sold["public_id"])
    assert line["name"] == f"'{renamed}"
