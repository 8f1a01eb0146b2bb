"""From a record to the body that is sent: every row's value, and what keeps the message back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from portal.api.answers import encode
from sandbox.integration.outgoing.sources import Facts
from sandbox.integration.outgoing.values import LIST, Unfit, convert, plain, read_constant
from sandbox.integration.transformations.sources import MISSING
from sandbox.integration.transformations.step import Step
from sandbox.integration.transformations.steps import Unfit as Untransformed
from sandbox.integration.transformations.steps import transform_out

LONGEST_REASON = 500


@dataclass(frozen=True)
class Filled:
    """What became of one row: the value it sends, or why it has none. Only a `fault` keeps the message back."""

    parameter: str
    origin: str
    value: Any = None
    is_left_out: bool = False
    fault: str | None = None


@dataclass(frozen=True)
class Composed:
    """A body, the same as JSON with its numbers exact, and how each row came into it.

    `failure` says why there is none at all.
    """

    body: dict[str, Any]
    text: str
    rows: list[Filled]
    failure: str | None = None

    @property
    def reason(self) -> str | None:
        """Why it must not be sent, naming each parameter; None where it may."""
        faults = [self.failure] if self.failure else [row.fault for row in self.rows if row.fault]
        return "; ".join(faults)[:LONGEST_REASON] or None


def compose_body(rows: Sequence[Mapping[str, Any]], facts: Facts, zone: ZoneInfo) -> Composed:
    """Fill a mapping's rows with a record's facts. A field without a value that is not required is left out."""
    body, filled = _compose(rows, facts, zone, "", "")
    return Composed(body, encode(body).decode(), filled)


def without_body(failure: str) -> Composed:
    """What there is of a record that could not be composed."""
    return Composed({}, "{}", [], failure)


def missing_in(rows: Sequence[Mapping[str, Any]], body: str) -> list[str]:
    """The required parameters that a body, given as JSON, leaves without a value."""
    return _missing(rows, json.loads(body), "")


def _missing(rows: Sequence[Mapping[str, Any]], document: Any, start: str) -> list[str]:
    found = []
    for row in rows:
        name, value = f"{start}{row['parameter']}", _at(document, row["parameter"])
        if row["required"] and (_is_empty(value) or value == []):
            found.append(name)
        if row["type"] == LIST and isinstance(value, list):
            for place, entry in enumerate(value):
                found += _missing(row.get("rows", ()), entry, f"{name}[{place}].")
    return found


def _compose(
    rows: Sequence[Mapping[str, Any]], facts: Facts, zone: ZoneInfo, start: str, origin: str
) -> tuple[dict[str, Any], list[Filled]]:
    """The object that rows make of facts, and what became of each row. `start` and `origin` name the entry at hand."""
    body: dict[str, Any] = {}
    filled: list[Filled] = []
    for row in rows:
        if row["type"] == LIST:
            entries, found = _compose_list(row, facts, zone)
            filled += found
            if entries:
                _put(body, row["parameter"].split("."), entries)
            continue
        one = _fill(row, facts, zone, start, origin)
        filled.append(one)
        if not one.is_left_out and not one.fault:
            _put(body, row["parameter"].split("."), one.value)
    return body, filled


def _compose_list(row: Mapping[str, Any], facts: Facts, zone: ZoneInfo) -> tuple[list[dict[str, Any]], list[Filled]]:
    name, field = row["parameter"], row["field"]
    entries, filled = [], []
    for place, entry in enumerate(facts[field]):
        body, found = _compose(row["rows"], entry, zone, f"{name}[{place}].", f"{field}[{place}].")
        entries.append(body)
        filled += found
    if not entries:
        fault = f"{name} is required, and {field} has no entries" if row["required"] else None
        filled.append(Filled(name, field, is_left_out=True, fault=fault))
    return entries, filled


def _fill(row: Mapping[str, Any], facts: Facts, zone: ZoneInfo, start: str, origin: str) -> Filled:
    parameter, field = f"{start}{row['parameter']}", row["field"]
    name = "constant" if field is None else f"{origin}{field}"
    try:
        value = _value_of(row, facts, zone)
        if not _is_empty(value):
            return Filled(parameter, name, convert(value, row["type"], row["format"], zone))
    except Unfit as error:
        return Filled(parameter, name, is_left_out=True, fault=f"{parameter}: {name} {error.text}")
    except Untransformed as error:
        text = str(error).replace("{label}", name)
        return Filled(parameter, name, is_left_out=True, fault=f"{parameter}: {text}")
    fault = f"{parameter} is required, and {name} has no value" if row["required"] else None
    return Filled(parameter, name, is_left_out=True, fault=fault)


def _value_of(row: Mapping[str, Any], facts: Facts, zone: ZoneInfo) -> Any:
    """The value that a row sends, before it becomes its type. Raises Unfit, Untransformed."""
    field, constant, steps = row["field"], row["constant"], row.get("transformations")
    value = (
        facts[field] if field is not None else read_constant(constant, row["type"]) if constant is not None else None
    )
    if not steps:
        return value
    known = {name: plain(each) for name, each in facts.items() if not isinstance(each, list)}
    made = transform_out(plain(value), [Step.model_validate(step).in_zone(zone.key) for step in steps], known)
    return None if made is MISSING else made


def _put(body: dict[str, Any], path: list[str], value: Any) -> None:
    for name in path[:-1]:
        body = body.setdefault(name, {})
    body[path[-1]] = value


def _at(document: Any, parameter: str) -> Any:
    for name in parameter.split("."):
        document = document.get(name) if isinstance(document, dict) else None
    return document


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())
