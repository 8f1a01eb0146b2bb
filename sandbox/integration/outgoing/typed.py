"""What the forms of outgoing calls bring, as the API's bodies: the pages obey the same schemas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from werkzeug.datastructures import MultiDict

from sandbox.console.drafts import printable
from sandbox.integration.outgoing.models import Connection
from sandbox.integration.outgoing.rows import MOST_ROWS

SPARE = 3
"""Empty rows that a form shows below the filled ones."""
Form = MultiDict[str, str]
Body = dict[str, Any]


def read_connection(form: Form) -> Body:
    """A connection as the API takes it."""
    body: Body = {name: text for name in ("name", "url") if (text := _text(form, name))}
    body |= {"method": _text(form, "method"), "timeout": _whole(_text(form, "timeout")), "active": "active" in form}
    body |= {name: _text(form, name) or None for name in ("reference_path", "status_path", "status_equals")}
    body["success_statuses"] = [_whole(part) for part in _text(form, "success_statuses").replace(",", " ").split()]
    body["headers"] = [
        {"name": row["name"], "value": row["value"] or None, "secret": bool(row["secret"])}
        for row in _rows(form, "headers", ("name", "value", "secret"), needed=("name", "value"))
    ]
    return body


def shown_connection(connection: Connection | None) -> Body:
    """A stored connection as its form shows it; a new one where there is none."""
    if connection is None:
        return {"name": "", "url": "", "method": "POST", "timeout": 10, "active": True, "headers": []}
    names = ("name", "url", "method", "timeout", "active", "reference_path", "status_path", "status_equals")
    shown = {name: getattr(connection, name) for name in (*names, "success_statuses")}
    kept = [one | {"value": None} if one["secret"] else one for one in connection.headers]
    return shown | {"headers": kept}


def spare_rows(filled: int, more: bool, most: int = MOST_ROWS) -> int:
    """How many rows a form shows: the filled ones and some empty ones, twice as many where more were asked for."""
    return min(most, filled + SPARE * (2 if more else 1))


def _text(form: Mapping[str, str], name: str) -> str:
    return printable(form.get(name, "")).strip()


def _whole(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else text


def _rows(form: Form, prefix: str, names: tuple[str, ...], needed: tuple[str, ...]) -> list[dict[str, Any]]:
    """The rows of a list in which something was typed."""
    rows = []
    for number in range(MOST_ROWS):
        row = {name: _text(form, f"{prefix}-{number}-{name}") for name in names}
        if any(row[name] for name in needed):
            rows.append(row)
    return rows
