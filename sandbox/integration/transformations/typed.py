"""Transformations as an editor's form holds them: texts under dotted names, such as `rows.3.transformations.0.case`.

Whatever was typed stays as it was typed, however wrong, until it reads as a step.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, get_args

from sandbox.integration.transformations.numbers import read_number
from sandbox.integration.transformations.step import StepKind

Typed = dict[str, Any]
Document = dict[str, Any]
Kinds = dict[str, tuple[str, ...]]
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
assert set(STEPS) == set(get_args(StepKind))
MOST_READ = 100
"""Rows, or checks of a row, that are read of a form: more than a definition may have, no more than a page bears."""
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


def blank_item(kind: str, kinds: Kinds) -> Typed:
    """A check or a step in which nothing was typed."""
    return read_item({"kind": kind, "separator": " "}, kinds)


def read_item(item: Typed, kinds: Kinds, more: tuple[str, ...] = ()) -> Typed:
    """An item of a kind with every text that the kind takes, and `more` of them."""
    kind = text_of(item.get("kind"))
    names = (*kinds.get(kind, ()), *more)
    return {"kind": kind, **{name: text_of(item.get(name)) for name in names}}


def item_document(item: Typed, place: str, faults: dict[str, str]) -> Document:
    """The item as a definition has it; what cannot be read is added to `faults`."""
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


def show_item(item: Document) -> Typed:
    """An item of a definition as a form shows it."""
    return {"separator": " ", **{name: _WRITERS.get(name, str)(value) for name, value in item.items()}}


def _number(text: str) -> Any:
    try:
        return read_number(text)
    except ValueError:
        return text


_READERS: dict[str, Any] = {"min": _number, "max": _number, "sources": lambda text: [*map(str.strip, text.split("\n"))]}
_WRITERS: dict[str, Any] = {"min": "{:f}".format, "max": "{:f}".format, "sources": "\n".join, "table": write_table}


def text_of(value: Any) -> str:
    """A text; nothing for what is none."""
    return value if isinstance(value, str) else ""


def entries_of(value: Any) -> list[Typed]:
    """The entries of a nested form's list."""
    return [entry for entry in value[:MOST_READ] if isinstance(entry, dict)] if isinstance(value, list) else []


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(name.isdigit() for name in value):
        return [_listed(value[name]) for name in sorted(value, key=int)]
    return {name: _listed(inner) for name, inner in value.items()}
