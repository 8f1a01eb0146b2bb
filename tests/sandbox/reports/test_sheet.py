"""Cells of an exported table: text never runs, numbers stay numbers."""

from __future__ import annotations

import csv
import datetime as dt
import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.reports.sheet import unguarded, write_csv, written


@pytest.mark.parametrize(
    "text", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "＋1", "=cmd|' /C calc'!A0"]
)
def test_text_like_a_formula_is_told_to_be_text(text: str) -> None:
    assert written(text) == f"'{text}"


@pytest.mark.parametrize("text", ["Toner", "a=b", "2026-05-01", "", "-5", "+5.25", "-12,50", "-1.234,50", "3 - 2"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert written(text) == text


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (Decimal("-12.50"), "-12.50"),
        (Decimal("1E+3"), "1000"),
        (-3, "-3"),
        (None, ""),
        (dt.date(2026, 5, 1), "2026-05-01"),
    ],
)
def test_numbers_and_dates_stay_what_they_are(cell: Decimal | int | dt.date | None, text: str) -> None:
    assert written(cell) == text


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2)))
def test_any_text_comes_back_as_it_was_written(rows: list[list[str]]) -> None:
    text = write_csv(("one", "two"), rows)
    header, *read = csv.reader(io.StringIO(text, newline=""))
    assert header == ["one", "two"]
    assert read == [[written(cell) for cell in row] for row in rows]
    assert [[unguarded(cell) for cell in row] for row in read] == rows


@given(st.text("'=+-@ 1.,a", max_size=8))
def test_a_guard_is_taken_off_exactly_where_it_was_put_on(text: str) -> None:
    assert unguarded(written(text)) == text


def test_a_heading_is_guarded_too() -> None:
    assert write_csv(("=1+1", "city"), []) == "'=1+1,city\r\n"
