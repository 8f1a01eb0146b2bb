"""Tables as CSV (RFC 4180) that a spreadsheet shows and never runs."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from urllib.parse import quote

from flask import Response

Cell = str | int | Decimal | dt.date | None
EXCEL = "utf-8-sig"
"""UTF-8 with a byte order mark, without which Excel takes a file for Windows-1252."""
_STARTS_FORMULA = re.compile(r"[\s\x00]*[=+\-@＝＋－＠\t\r\n]")
_IS_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)*", re.ASCII)
_CHARSETS = {EXCEL: "utf-8", "utf-16-le": "utf-16", "utf-16-be": "utf-16", "cp1252": "windows-1252"}
_MARKED = {"utf-16-le", "utf-16-be"}


def write_csv(header: Sequence[str], rows: Iterable[Sequence[Cell]], separator: str = ",") -> str:
    """The table with its header row. Text that a spreadsheet would take for a formula gets an apostrophe."""
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=separator)
    writer.writerow([written(cell) for cell in header])
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
    return f"'{text}" if _looks_like_formula(text.lstrip("'")) else text


def unguarded(text: str) -> str:
    """The cell's text as it was before `written` put an apostrophe in front of it."""
    return text[1:] if text.startswith("'") and _looks_like_formula(text.lstrip("'")) else text


def as_download(table: str, name: str, encoding: str = EXCEL) -> Response:
    """A table as a file to be saved; characters that the encoding does not have become question marks."""
    mark = "\ufeff" if encoding in _MARKED else ""
    return Response(
        (mark + table).encode(encoding, "replace"),
        content_type=f"text/csv; charset={_CHARSETS.get(encoding, encoding)}",
        headers={"Content-Disposition": _disposition(name)},
    )


def _disposition(name: str) -> str:
    """The header that names a download (RFC 6266): in ASCII, and besides in full where that loses something."""
    plain = re.sub(r"[^\x20-\x7e]|[\"\\]", "_", name)
    full = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    return f'attachment; filename="{plain}"{full}'


def _looks_like_formula(text: str) -> bool:
    return bool(_STARTS_FORMULA.match(text)) and not _IS_NUMBER.fullmatch(text)
