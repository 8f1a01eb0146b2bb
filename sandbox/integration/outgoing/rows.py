"""The rows of an outgoing mapping: a field or a constant each, and the parameter it becomes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints
from pydantic import WithJsonSchema as JsonSchema

from portal.api.schema import ApiModel, Line, rule, typed_line
from sandbox.integration.outgoing.sources import Kind, Source
from sandbox.integration.outgoing.values import FITTING, FORMAT_PATTERN, Type, Unfit, read_constant, wrong_format

MOST_ROWS = 100
DEEPEST = 8
_NAME = r"[A-Za-z0-9_@$:-]{1,60}"
PARAMETER_PATTERN = rf"^{_NAME}(\.{_NAME}){{0,{DEEPEST - 1}}}$"
_PARAMETER = re.compile(PARAMETER_PATTERN)
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


class OutgoingRow(ApiModel):
    """One parameter, and where its value comes from."""

    parameter: Parameter = Field(description="Name in the partner's JSON; dots lead into objects: `customer.name`")
    field: FieldName | None = Field(None, description="Field of the record, such as `customer.account`")
    constant: Line | None = Field(
        None,
        description="The same value in every message",
        json_schema_extra=rule("instead of a field; fits the type"),
    )
    type: Type = Field("String", json_schema_extra=rule("one that the field can become"))
    format: DateFormat | None = Field(None, description="Of a Date, such as `DD/MM/YYYY`")
    required: bool = Field(False, description="Without a value nothing is sent: it goes to the Failed Queue")


Rows = Annotated[list[OutgoingRow], Field(min_length=1, max_length=MOST_ROWS)]


def check_rows(source: Source, rows: Sequence[dict[str, Any]]) -> dict[str, str]:
    """What cannot work, by row: `{"rows.2.field": "…"}`."""
    errors: dict[str, str] = {}
    for number, row in enumerate(rows):
        for name, text in (*_wrong_value(source, row), *_wrong_place(rows, number)):
            errors.setdefault(f"rows.{number}.{name}", text)
    return errors


def _wrong_value(source: Source, row: dict[str, Any]) -> list[Fault]:
    name, constant, type_ = row["field"], row["constant"], row["type"]
    if (name is None) == (constant is None):
        return [("field", "Give either a field or a constant")]
    if row["format"] is not None and type_ != "Date":
        return [("format", f"Only a Date has a format, not a {type_}")]
    if constant is not None:
        return _wrong_constant(constant, type_, row["format"])
    kind = source.fields.get(name)
    if kind is None:
        return [("field", f"{name} is no field of {article(source.singular)}")]
    if kind not in FITTING[type_]:
        fitting = " or ".join(other for other in FITTING if kind in FITTING[other])
        return [("type", f"{name} cannot become a {type_}; it can become {fitting}")]
    return _wrong_date(row["format"], kind)


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


def article(noun: str) -> str:
    """The noun with a or an."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
