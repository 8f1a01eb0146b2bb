"""A definition as the editor's form holds it: texts under dotted names, such as `rows.3.checks.0.pattern`.

Whatever was typed stays as it was typed, however wrong, until it reads as a definition.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, get_args

from sandbox.integration.incoming.definition import CheckKind, Definition, ItemRow, StepKind
from sandbox.integration.incoming.numbers import read_number

Typed = dict[str, Any]
Document = dict[str, Any]
CHECKS: dict[str, tuple[str, ...]] = {
    "not_empty": (),
    "pattern": ("pattern",),
    "email": (),
    "phone": (),
    "date": ("format",),
    "range": ("min", "max"),
    "unique": (),
    "master": ("master",),
}
"""What each kind of check takes besides its code and message."""
STEPS: dict[str, tuple[str, ...]] = {
    "trim": (),
    "case": ("case",),
    "date_format": ("format", "zone"),
    "number_format": ("decimal", "thousands"),
    "default": ("value",),
    "constant": ("value",),
    "lookup": ("table", "value"),
    "join": ("sources", "separator"),
}
"""What each kind of transformation takes."""
assert set(CHECKS) == set(get_args(CheckKind)) and set(STEPS) == set(get_args(StepKind))
MOST_READ = 100
"""Rows, or checks of a row, that are read of a form: more than a definition may have, no more than a page bears."""
ROW_TEXTS = ("source", "field", "type", "required", "code", "message", "new_step", "new_check")
_AS_TYPED = frozenset({"pattern", "separator", "thousands"})
_NAME = re.compile(r"[a-z_]{1,20}|[0-9]{1,4}", re.ASCII)
_DEEPEST = 8


def nest(pairs: Iterable[tuple[str, str]]) -> Typed:
    """Dotted names as mappings within mappings; numbers as keys become lists, in their order."""
    root: Typed = {}
    for name, text in pairs:
        parts = name.split(".")
        if len(parts) > _DEEPEST or not all(_NAME.fullmatch(part) for part in parts):
            continue
        place = root
        for part in parts[:-1]:
            inner = place.setdefault(part, {})
            place = inner if isinstance(inner, dict) else {}
        if parts[-1] not in place:
            place[parts[-1]] = text.replace("\r\n", "\n")
    nested: Typed = _listed(root)
    return nested


def read_rows(value: Any) -> list[Typed]:
    """The rows of a nested form, each with every text, its steps, checks and inner rows."""
    return [_read_row(row) for row in _entries(value)]


def blank_row(**texts: str) -> Typed:
    """A row in which nothing was typed but `texts`."""
    return _read_row({"type": "string", **texts})


def blank_item(kind: str, kinds: dict[str, tuple[str, ...]]) -> Typed:
    """A check or a step in which nothing was typed."""
    return _read_item({"kind": kind, "separator": " "}, kinds)


def show_definition(definition: Definition) -> list[Typed]:
    """A definition's rows as a form shows them."""
    return [_show_row(row) for row in definition.rows]


def document_of(rows: Sequence[Typed]) -> tuple[list[Document], dict[str, str]]:
    """The rows as a definition's document, and what of the texts cannot be read, by its dotted name."""
    faults: dict[str, str] = {}
    return [_row_document(row, f"rows.{number}", faults) for number, row in enumerate(rows)], faults


def _read_row(row: Typed) -> Typed:
    return {
        **{name: _text(row.get(name)) for name in ROW_TEXTS},
        "transformations": [_read_item(step, STEPS) for step in _entries(row.get("transformations"))],
        "checks": [_read_item(check, CHECKS) for check in _entries(row.get("checks"))],
        "rows": read_rows(row.get("rows")),
    }


def _read_item(item: Typed, kinds: dict[str, tuple[str, ...]]) -> Typed:
    kind = _text(item.get("kind"))
    names = (*kinds.get(kind, ()), *(("code", "message") if kinds is CHECKS else ()))
    return {"kind": kind, **{name: _text(item.get(name)) for name in names}}


def _row_document(row: Typed, place: str, faults: dict[str, str]) -> Document:
    document: Document = {name: row[name].strip() for name in ("source", "code", "message") if row[name].strip()}
    document |= {"field": row["field"].strip(), "type": row["type"], "required": bool(row["required"])}
    for group in ("transformations", "checks"):
        items = enumerate(row[group])
        document[group] = [_item_document(item, f"{place}.{group}.{number}", faults) for number, item in items]
    if row["rows"]:
        inner = enumerate(row["rows"])
        document["rows"] = [_row_document(line, f"{place}.rows.{number}", faults) for number, line in inner]
        for line in document["rows"]:
            line.pop("rows", None)
    return document


def _item_document(item: Typed, place: str, faults: dict[str, str]) -> Document:
    document: Document = {}
    for name, typed in item.items():
        text = typed if name in _AS_TYPED else typed.strip()
        if name == "separator" or text:
            document[name] = _READERS.get(name, str)(text)
    if "table" in document:
        document["table"], fault = read_table(item["table"])
        if fault:
            faults[f"{place}.table"] = fault
    return document


def read_table(text: str) -> tuple[dict[str, Any], str]:
    """A lookup table from lines `from = to`, or from a JSON object, and what is wrong with it."""
    if text.lstrip().startswith("{"):
        try:
            return dict(json.loads(text)), ""
        except (ValueError, TypeError, RecursionError):
            return {}, "The table is neither lines such as ads = Search nor a JSON object"
    table: dict[str, Any] = {}
    for number, line in enumerate(text.splitlines(), 1):
        source, sign, value = line.partition("=")
        if not line.strip():
            continue
        if not sign or not value.strip():
            return table, f"Line {number} of the table must be such as ads = Search"
        if source.strip() in table:
            return table, f"Line {number} of the table names {source.strip()[:40]} a second time"
        table[source.strip()] = value.strip()
    return table, ""


def write_table(table: dict[str, str]) -> str:
    """A lookup table as lines; as JSON where a line could not say it."""
    if any("=" in name or "\n" in name or name != name.strip() or name.startswith("{") or not name for name in table):
        return json.dumps(table, ensure_ascii=False, indent=2)
    return "\n".join(f"{name} = {value}" for name, value in table.items())


def _show_row(row: ItemRow) -> Typed:
    said = row.model_dump(exclude_none=True)
    return _read_row(
        {
            **{name: said.get(name, "") for name in ("source", "field", "type", "code", "message")},
            "required": "yes" if row.required else "",
            "transformations": [_show_item(step) for step in said["transformations"]],
            "checks": [_show_item(check) for check in said["checks"]],
            "rows": [_show_row(line) for line in getattr(row, "rows", ())],
        }
    )


def _show_item(item: Document) -> Typed:
    return {"separator": " ", **{name: _WRITERS.get(name, str)(value) for name, value in item.items()}}


def _number(text: str) -> Any:
    try:
        return read_number(text)
    except ValueError:
        return text


_READERS: dict[str, Any] = {"min": _number, "max": _number, "sources": lambda text: [*map(str.strip, text.split("\n"))]}
_WRITERS: dict[str, Any] = {"min": "{:f}".format, "max": "{:f}".format, "sources": "\n".join, "table": write_table}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _entries(value: Any) -> list[Typed]:
    return [entry for entry in value[:MOST_READ] if isinstance(entry, dict)] if isinstance(value, list) else []


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(name.isdigit() for name in value):
        return [_listed(value[name]) for name in sorted(value, key=int)]
    return {name: _listed(inner) for name, inner in value.items()}
