"""Numbers of other systems: read right by the row's marks, or refused; never guessed (contract section 7)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.integration.transformations.numbers import read_number
from tests.conftest import Integration

INCOMING = "/api/v1/integration/incoming"
MAPPINGS = "/api/v2/integration/incoming-mappings"
NBSP, NARROW = "\u00a0", "\u202f"
READ: dict[tuple[str, str | None], dict[Any, str]] = {
    (".", ","): {
        "1,234.50": "1234.5",
        "12,34,567.50": "1234567.5",
        "1,234,567": "1234567",
        "12.50": "12.5",
        "1234567.5": "1234567.5",
        " 12.50 ": "12.5",
        f"{NBSP}7{NBSP}": "7",
        "+12": "12",
        "-1,234": "-1234",
        "007": "7",
        "0.05": "0.05",
        "1,00,00,000": "10000000",
    },
    (",", "."): {
        "1.234,50": "1234.5",
        "12,5": "12.5",
        "10,00": "10",
        "0,50": "0.5",
        "12.34.567,50": "1234567.5",
        "10.000": "10000",
        "-0,5": "-0.5",
    },
    (",", " "): {
        "1 234,50": "1234.5",
        f"1{NBSP}234{NBSP}567,5": "1234567.5",
        f"1{NARROW}234": "1234",
        "1234,5": "1234.5",
    },
    (".", "'"): {"1'234.50": "1234.5", "1’234’567": "1234567"},
    (",", None): {"12,5": "12.5", "1234": "1234"},
}
REFUSED: dict[tuple[str, str | None], tuple[Any, ...]] = {
    (".", ","): (
        "12,50",
        "1,2,3",
        "1.234,50",
        "1,23",
        "12,345,67",
        "1,234,56.00",
        "0,012",
        ",123",
        "1,234,",
        "1,,234",
        "1.2.3",
        "1 234",
        "1'234",
        "1e3",
        "0x10",
        "1_000",
        "١٢",
        "１２",
        "12.",
        ".5",
        "--5",
        "+-5",
        "5-",
        "(5)",
        "$5",
        "₹ 5",
        "5 EUR",
        "5%",
        "NaN",
        "Infinity",
        "1/2",
        "twelve",
        True,
        False,
        [5],
        {"a": 5},
        "1234,567",
        "1.5,000",
        "1,234.567,8",
        "9" * 31,
        "0." + "1" * 11,
    ),
    (",", "."): ("12.5", "0.50", "1.2.3", "1,234.50", "1234.567", "1.23,5", "1,234,567", "1,5,0"),
    (",", " "): ("1  234", " 1 23", f"1 234{NBSP}567", "1.234", "12 34"),
    (".", "'"): ("1'23", "1,234", "1'234’567"),
    (",", None): ("1.234", "1.234,5", "12.5", "1 234"),
}


def offer(alice: Integration, decimal: str, thousands: str | None) -> str:
    """The draft of a mapping whose amounts carry these marks."""
    step = {"kind": "number_format", "decimal": decimal, **({"thousands": thousands} if thousands else {})}
    rows = [
        {"source": "no", "field": "invoice_number", "required": True},
        {"source": "amount", "field": "payment_amount", "type": "number", "required": True, "transformations": [step]},
    ]
    made = alice.post(MAPPINGS, {"slug": "marks", "name": "Marks", "target": "invoice_update", "rows": rows})
    assert made.status_code == 201, made.text
    return f"{MAPPINGS}/{made.json['data']['id']}/run"


def try_amounts(alice: Integration, run: str, amounts: list[Any]) -> list[dict[str, Any]]:
    payload = [{"no": "INV-2024-001", "amount": amount} for amount in amounts]
    answer = alice.post(run, {"version": "draft", "payload": payload})
    assert answer.status_code == 200, answer.text
    fields = [answer["fields"] for answer in answer.json["data"]["answers"]]
    return [next(row for row in rows if row["field"] == "payment_amount") for rows in fields]


@pytest.mark.one_store
@pytest.mark.parametrize("marks", READ)
def test_a_number_is_read_by_the_rows_marks_or_refused(alice: Integration, marks: tuple[str, str | None]) -> None:
    run = offer(alice, *marks)
    known = READ[marks]
    for (text, value), row in zip(known.items(), try_amounts(alice, run, list(known)), strict=True):
        assert Decimal(str(row["value"])) == Decimal(value), (text, row)
    for text, row in zip(REFUSED[marks], try_amounts(alice, run, list(REFUSED[marks])), strict=True):
        assert (row["verdict"], row["value"]) == ("failed", None), (text, row)
        assert row["errorCode"] == "INVALID_VALUE", row
        assert not isinstance(text, str) or "must be a number such as 1" in row["message"], row


@pytest.mark.one_store
@pytest.mark.parametrize("marks", READ)
def test_a_json_number_is_taken_as_it_is_whatever_the_marks(alice: Integration, marks: tuple[str, str | None]) -> None:
    numbers = [12.5, 12, 1234.56, 0.5, -12.5, 1e3, 1234567]
    rows = try_amounts(alice, offer(alice, *marks), numbers)
    assert [Decimal(str(row["value"])) for row in rows] == [Decimal(str(number)) for number in numbers]


def test_the_seeds_mappings_book_what_was_written_or_nothing(alice: Integration) -> None:
    def pay(amount: Any) -> Any:
        paid = {"amount": amount, "date": "30-11-2026", "mode": "NEFT"}
        return alice.post(f"{INCOMING}?mapping=invoice-update", {"invoiceNo": "INV-2024-001", "payment": paid})

    for amount in ("12,50", "1,2,3", "1.234,5"):
        refused = pay(amount)
        assert (refused.status_code, refused.json["outcome"]) == (400, "FAILED"), amount
        assert refused.json["errors"] == {"payment.amount": "payment.amount must be a number such as 1,234.50"}
    assert alice.get("/api/v2/transactions?date_from=2026-11-30").json["data"] == []
    assert pay(12.5).json["outcome"] == "SUCCESS"
    assert pay("1.25").json["outcome"] == "SUCCESS"
    booked = alice.get("/api/v2/transactions?date_from=2026-11-30&sort=id").json["data"]
    assert [row["amount"] for row in booked] == [12.5, 1.25]

    line = {"itemCode": "PAP-A4", "quantity": 1}
    rates = ("12,50", "1,2,3", "1 250")
    for number, rate in enumerate(rates):
        body = {"supplierCode": "VEND-1001", "challanNo": f"CH-{number}", "lines": [{**line, "rate": rate}]}
        answer = alice.post(f"{INCOMING}?mapping=goods-receipt", body)
        assert list(answer.json["errors"]) == ["lines.0.rate"], rate


@pytest.mark.one_store
def test_a_number_stays_a_number_through_the_steps_before_its_format(alice: Integration) -> None:
    steps = [
        {"kind": "trim"},
        {"kind": "case", "case": "upper"},
        {"kind": "default", "value": "1,5"},
        {"kind": "number_format", "decimal": ",", "thousands": "."},
    ]
    rows = [
        {"source": "no", "field": "invoice_number", "required": True},
        {"source": "amount", "field": "payment_amount", "type": "number", "transformations": steps},
    ]
    made = alice.post(MAPPINGS, {"slug": "steps", "name": "Steps", "target": "invoice_update", "rows": rows})
    read = try_amounts(alice, f"{MAPPINGS}/{made.json['data']['id']}/run", [12.5, "12,5", "", None])
    assert [row["value"] for row in read] == [12.5, 12.5, 1.5, 1.5]


def group(digits: str, mark: str, sizes: int) -> str:
    """The digits in groups: of three, or the last of three and the others of `sizes`."""
    head, groups = digits[:-3], [digits[-3:]]
    while head:
        head, taken = head[:-sizes], head[-sizes:]
        groups.insert(0, taken)
    return mark.join(groups)


MARKS = st.sampled_from([(".", ","), (",", "."), (",", " "), (".", "'"), (".", " ")])


@given(MARKS, st.sampled_from([2, 3]), st.integers(0, 10**15), st.text("0123456789", max_size=6), st.sampled_from("+-"))
def test_whatever_is_written_by_the_marks_is_read_back(
    marks: tuple[str, str], sizes: int, whole: int, fraction: str, sign: str
) -> None:
    decimal, mark = marks
    number = Decimal(f"{sign}{whole}.{fraction or '0'}")
    tail = f"{decimal}{fraction}" if fraction else ""
    for digits in (str(whole), group(str(whole), mark, sizes)):
        assert read_number(f"{sign}{digits}{tail}", decimal, mark) == number


@given(MARKS, st.text("0123456789.,' +-", max_size=12))
def test_what_is_read_says_the_same_without_its_marks(marks: tuple[str, str], text: str) -> None:
    decimal, mark = marks
    try:
        number = read_number(text, decimal, mark)
    except ValueError:
        return
    plain = text.strip()
    assert number == Decimal(plain.replace(mark, "").replace(decimal, "."))
    whole, _, tail = plain.lstrip("+-").partition(decimal)
    first, *groups = whole.split(mark)
    assert mark not in tail
    assert not groups or (
        len(groups[-1]) == 3 and len({len(part) for part in groups[:-1]} | {3 if len(groups) == 1 else 0}) <= 2
    )
    assert not groups or (1 <= len(first) <= 3 and first[0] != "0")


@pytest.mark.one_store
def test_a_bound_typed_into_the_editor_is_a_plain_number_or_refused(alice: Integration) -> None:
    from sandbox.integration.incoming.typed import document_of, read_rows

    for text, value in {
        "10": Decimal(10),
        "-2.5": Decimal("-2.5"),
        "1_000": "1_000",
        "１２": "１２",
        "1e3": "1e3",
    }.items():
        typed = [{"field": "payment_amount", "checks": [{"kind": "range", "min": text}]}]
        document, _ = document_of(read_rows(typed))
        assert document[0]["checks"][0]["min"] == value, text
