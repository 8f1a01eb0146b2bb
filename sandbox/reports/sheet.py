"""Tables as CSV (RFC 4180) that a spreadsheet shows and never runs."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

Cell = str | int | Decimal | dt.date | None
_STARTS_FORMULA = re.compile(r"[\s\x00]*[=+\-@＝＋－＠\t\r\n]")
_IS_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)


def write_csv(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """The table with its header row. Text that a spreadsheet would take for a formula gets an apostrophe."""
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(header)
    for row in rows:
        writer.writerow([written(cell) for cell in row])
    return stream.getvalue()


def written(cell: Cell) -> str:
    """One cell as text; a number stays a number, a negative one too."""
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        return f"{cell:f}"
    text = str(cell)
    return f"'{text}" if _STARTS_FORMULA.match(text) and not _IS_NUMBER.fullmatch(text) else text
