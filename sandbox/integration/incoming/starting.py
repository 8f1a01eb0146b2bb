"""What a new mapping begins with, and a body to try any mapping on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Literal

from sandbox.integration.incoming.definition import Definition, ItemRow, Row
from sandbox.integration.incoming.samples import PAYLOADS
from sandbox.integration.incoming.targets.target import ErpField, Target
from sandbox.integration.transformations.dates import parse_format
from sandbox.integration.transformations.sources import MISSING, Path, find_value, parse_source

_VALUES: dict[str, Any] = {
    "string": "Sample",
    "number": 100,
    "boolean": True,
    "date": "2026-06-15",
    "date-time": "2026-06-15T10:30:00Z",
}
_FIELDS = {
    "name": "ABC Traders",
    "gst_no": "27ABCDE1234F1Z5",
    "contact_person": "Rahul Sharma",
    "phone": "9876543210",
    "email": "accounts@abctraders.example",
    "city": "Mumbai",
    "first_name": "Asha",
    "last_name": "Rao",
    "company": "Rao Exports",
    "employee_code": "EMP-1002",
    "direction": "in",
    "vendor_code": "VEND-1001",
    "sku": "PAP-A4",
    "reference": "CH-88213",
    "invoice_number": "INV-2024-001",
}
_INSTANT = dt.datetime(2026, 6, 15, 10, 30, tzinfo=dt.UTC)
_LARGEST_PLACE = 20


def start_definition(target: Target) -> Definition:
    """A row for each field that has to be given; of two that stand for each other, for the first."""
    rows = []
    for field in _needed(target.fields, target, ""):
        inner = [_start_row(ItemRow, line) for line in _needed(field.fields, target, f"{field.name}.")]
        row = _start_row(Row, field)
        rows.append(row.model_copy(update={"rows": inner}) if inner else row)
    return Definition(rows=rows)


def build_sample(target: Target, slug: str, definition: Definition) -> Any:
    """A body in the external system's form: the seed's own where it fits, else one value for each row."""
    known = PAYLOADS.get(slug)
    if known is not None and _fits(definition, known):
        return known
    return _fill(definition.rows, target.fields)


def _needed(fields: Sequence[ErpField], target: Target, place: str) -> list[ErpField]:
    firsts = {pair[0] for pair in target.either}
    return [field for field in fields if field.is_required or f"{place}{field.name}" in firsts]


def _start_row(kind: type[Any], field: ErpField) -> Any:
    head, *rest = field.name.split("_")
    type_: Literal["string"] | str = "string" if field.kind == "reference" else field.kind
    source = head + "".join(word.capitalize() for word in rest)
    return kind(source=source, field=field.name, type=type_, required=True)


def _fits(definition: Definition, body: Any) -> bool:
    record = body[0] if isinstance(body, list) else body
    return all(find_value(record, row.source) is not MISSING for row in definition.rows if row.required and row.source)


def _fill(rows: Sequence[ItemRow], fields: Sequence[ErpField]) -> dict[str, Any]:
    known = {field.name: field for field in fields}
    record: dict[str, Any] = {}
    for row in rows:
        if row.source is None:
            continue
        inner = known[row.field].fields if row.field in known else ()
        is_list = isinstance(row, Row) and row.type == "list"
        value = [_fill(row.rows, inner)] if isinstance(row, Row) and is_list else _value_of(row)
        _put(record, parse_source(row.source), value)
    return record


def _value_of(row: ItemRow) -> Any:
    for step in row.transformations:
        if step.kind == "lookup" and step.table:
            return next(iter(step.table))
        if step.kind == "date_format" and step.format:
            return _INSTANT.strftime(parse_format(step.format))
        if step.kind == "number_format":
            return "100,00" if step.decimal == "," else "100.00"
    lowest = next((check.min for check in row.checks if check.kind == "range" and check.min is not None), None)
    if row.type == "number" and lowest is not None:
        return max(lowest, _VALUES["number"])
    return _FIELDS.get(row.field, _VALUES["string"]) if row.type == "string" else _VALUES[row.type]


def _put(record: Any, path: Path, value: Any) -> None:
    """Set the value at the path, making what has to be on the way; a place that holds something else is left."""
    for step, following in zip(path, [*path[1:], None], strict=True):
        if isinstance(step, int):
            if not isinstance(record, list) or step > _LARGEST_PLACE:
                return
            record.extend({} for _ in range(len(record), step + 1))
        elif not isinstance(record, dict):
            return
        if following is None:
            record[step] = value
            return
        empty: Any = [] if isinstance(following, int) else {}
        if isinstance(step, str):
            record.setdefault(step, empty)
        elif not record[step]:
            record[step] = empty
        record = record[step]
