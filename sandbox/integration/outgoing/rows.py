"""The rows of an outgoing mapping: a field or a constant each, and the parameter it becomes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints
from pydantic import WithJsonSchema as JsonSchema

from portal.api.schema import ApiModel, Line, rule, typed_line
from sandbox.integration.outgoing.sources import Kind, Source
from sandbox.integration.outgoing.values import (
    FITTING,
    FORMAT_PATTERN,
    LIST,
    RowType,
    Type,
    Unfit,
    read_constant,
    wrong_format,
)
from sandbox.integration.transformations.faults import faults_of_step
from sandbox.integration.transformations.step import Step

MOST_ROWS = 100
MOST_INNER = 40
MOST_STEPS = 10
DEEPEST = 8
_NAME = r"[A-Za-z0-9_@$:-]{1,60}"
PARAMETER_PATTERN = rf"^{_NAME}(\.{_NAME}){{0,{DEEPEST - 1}}}$"
_PARAMETER = re.compile(PARAMETER_PATTERN)
Fields = Mapping[str, Kind]
_MAKING = frozenset({"constant", "default", "join"})
"""Transformations that give a value where no field does."""
Fault = tuple[str, str]
"""A field of a row, and what is wrong with it."""

Parameter = Annotated[
    str,
    BeforeValidator(typed_line),
    StringConstraints(pattern=PARAMETER_PATTERN),
    JsonSchema(
        {
            "type": "string",
            "pattern": PARAMETER_PATTERN,
            **rule("fills a place in the body that no other row fills, and stands inside none"),
        }
    ),
]
FieldName = Annotated[
    str,
    BeforeValidator(typed_line),
    StringConstraints(pattern=r"^[a-z_]{1,40}(\.[a-z_]{1,40})?$"),
    JsonSchema({"type": "string", "pattern": r"^[a-z_]{1,40}(\.[a-z_]{1,40})?$", **rule("a field of the source")}),
]
DateFormat = Annotated[
    str,
    BeforeValidator(typed_line),
    StringConstraints(pattern=FORMAT_PATTERN, max_length=40),
    JsonSchema({"type": "string", "pattern": FORMAT_PATTERN, "maxLength": 40, **rule("with Date only; of a date")}),
]


class RowFacts(ApiModel):
    """What every row says."""

    parameter: Parameter = Field(description="Name in the partner's JSON; dots lead into objects: `customer.name`")
    field: FieldName | None = Field(None, description="Field of the record, such as `customer.account`")
    constant: Line | None = Field(
        None,
        description="The same value in every message",
        json_schema_extra=rule("instead of a field; fits the type"),
    )
    format: DateFormat | None = Field(None, description="Of a Date, such as `DD/MM/YYYY`")
    required: bool = Field(False, description="Without a value nothing is sent: it goes to the Failed Queue")
    transformations: list[Step] = Field(
        default=[],
        max_length=MOST_STEPS,
        description="Applied in order before the value becomes its type",
        json_schema_extra=rule("each with what its kind takes"),
    )


class OutgoingItemRow(RowFacts):
    """One parameter of each entry of a list."""

    type: Type = Field("String", json_schema_extra=rule("one that the field can become"))


class OutgoingRow(RowFacts):
    """One parameter, and where its value comes from. A List becomes an array of objects."""

    type: RowType = Field("String", json_schema_extra=rule("one that the field can become"))
    rows: list[OutgoingItemRow] = Field(
        default=[],
        max_length=MOST_INNER,
        description="Of a List: the parameters of each entry",
        json_schema_extra=rule("at least one with List, none without"),
    )


Rows = Annotated[list[OutgoingRow], Field(min_length=1, max_length=MOST_ROWS)]


def stored_rows(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows as a mapping keeps them: what a row takes besides is there only where it was said."""
    return [_stored(OutgoingRow(**row).model_dump()) for row in rows]


def lists_in(rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """The lists of the record that the rows send."""
    return {row["field"] for row in rows if row["type"] == LIST}


def check_rows(source: Source, rows: Sequence[dict[str, Any]]) -> dict[str, str]:
    """What cannot work, by row: `{"rows.2.field": "…", "rows.4.rows.0.type": "…"}`."""
    return _check(source, source.fields, rows, "")


def _check(source: Source, fields: Fields, rows: Sequence[dict[str, Any]], start: str) -> dict[str, str]:
    errors: dict[str, str] = {}
    for number, row in enumerate(rows):
        place = f"{start}rows.{number}"
        wrong = _wrong_list(source, row) if row["type"] == LIST else _wrong_value(source, fields, row)
        for name, text in (*wrong, *_wrong_place(rows, number)):
            errors.setdefault(f"{place}.{name}", text)
        inner = row.get("rows") or []
        if row["type"] == LIST and row["field"] in source.lists:
            errors |= _check(source, source.lists[row["field"]], inner, f"{place}.")
        elif inner and row["type"] != LIST:
            errors[f"{place}.rows"] = "Only a row of type List has rows of its own"
    return errors


def _wrong_list(source: Source, row: dict[str, Any]) -> list[Fault]:
    found: list[Fault] = []
    for name in ("constant", "format", "transformations"):
        if row.get(name):
            found.append((name, "A List takes none: its rows do"))
    if row["field"] not in source.lists:
        known = f"these are: {', '.join(source.lists)}" if source.lists else "it has none"
        found.append(("field", f"{row['field']} is no list of {article(source.singular)}; {known}"))
    if not row.get("rows"):
        found.append(("rows", "A List has at least one row for its entries"))
    return found


def _wrong_value(source: Source, fields: Fields, row: dict[str, Any]) -> list[Fault]:
    name, constant, type_ = row["field"], row["constant"], row["type"]
    steps = [Step.model_validate(step) for step in row.get("transformations") or ()]
    makes_one = any(step.kind in _MAKING for step in steps)
    if (name is not None and constant is not None) or (name is None and constant is None and not makes_one):
        return [("field", "Give either a field or a constant")]
    if row["format"] is not None and type_ != "Date":
        return [("format", f"Only a Date has a format, not a {type_}")]
    if name in source.lists and name not in fields:
        return [("type", f"{name} is a list of {article(source.singular)}: it becomes a List")]
    if name is not None and name not in fields:
        return [("field", f"{name} is no field of {article(source.singular)}")]
    if steps:
        return _wrong_steps(fields, row, steps)
    if constant is not None:
        return _wrong_constant(constant, type_, row["format"])
    kind = fields[name]
    if kind not in FITTING[type_]:
        fitting = " or ".join(other for other in FITTING if kind in FITTING[other])
        return [("type", f"{name} cannot become a {type_}; it can become {fitting}")]
    return _wrong_date(row["format"], kind)


def _wrong_steps(fields: Fields, row: dict[str, Any], steps: Sequence[Step]) -> list[Fault]:
    """What is wrong with a row's transformations. What they make is judged when there is a record."""
    found: list[Fault] = []
    for number, step in enumerate(steps):
        place = f"transformations.{number}"
        found += faults_of_step(place, step)
        for index, name in enumerate(step.sources or ()):
            if name not in fields:
                found.append((f"{place}.sources.{index}", f"{name} is no field that stands here"))
        if step.kind == "number_format" and row["type"] != "String":
            found.append((f"{place}.kind", "A number with marks is a text: give the row the type String"))
        if step.kind == "date_format" and row["format"] is not None:
            found.append(("format", "The transformation gives the date its format already"))
    return found + _wrong_date(row["format"], "instant")


def _wrong_constant(constant: str, type_: Type, format_: str | None) -> list[Fault]:
    try:
        read_constant(constant, type_)
    except Unfit as error:
        return [("constant", f"Constant {error.text}")]
    return _wrong_date(format_, "date")


def _wrong_date(format_: str | None, kind: Kind) -> list[Fault]:
    wrong = wrong_format(format_, kind) if format_ is not None else None
    return [("format", wrong)] if wrong else []


def _wrong_place(rows: Sequence[dict[str, Any]], number: int) -> list[Fault]:
    """Two rows that fill one place, or one inside what another fills with a value."""
    own = rows[number]["parameter"]
    for other, row in enumerate(rows):
        if other == number:
            continue
        if row["parameter"] == own and other < number:
            return [("parameter", f"Row {other + 1} fills {own} already")]
        if own.startswith(f"{row['parameter']}."):
            return [("parameter", f"{own} cannot stand inside {row['parameter']}, which row {other + 1} fills")]
    return []


def _stored(row: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in row.items() if name not in ("transformations", "rows")}
    steps = [Step(**step).model_dump(exclude_none=True) for step in row["transformations"]]
    inner = [_stored(line) for line in row.get("rows", ())]
    return kept | ({"transformations": steps} if steps else {}) | ({"rows": inner} if inner else {})


def article(noun: str) -> str:
    """The noun with a or an."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
