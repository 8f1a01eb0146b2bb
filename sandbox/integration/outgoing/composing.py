"""From a record to the body that is sent: every row's value, and what keeps the message back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from portal.api.answers import encode
from sandbox.integration.outgoing.sources import Facts
from sandbox.integration.outgoing.values import Unfit, convert, read_constant

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
    filled = [_fill(row, facts, zone) for row in rows]
    body: dict[str, Any] = {}
    for row in filled:
        if not row.is_left_out and not row.fault:
            _put(body, row.parameter.split("."), row.value)
    return Composed(body, encode(body).decode(), filled)


def without_body(failure: str) -> Composed:
    """What there is of a record that could not be composed."""
    return Composed({}, "{}", [], failure)


def missing_in(rows: Sequence[Mapping[str, Any]], body: str) -> list[str]:
    """The required parameters that a body, given as JSON, leaves without a value."""
    document = json.loads(body)
    return [row["parameter"] for row in rows if row["required"] and _is_empty(_at(document, row["parameter"]))]


def _fill(row: Mapping[str, Any], facts: Facts, zone: ZoneInfo) -> Filled:
    parameter, name = row["parameter"], row["field"]
    if name is None:
        value = read_constant(row["constant"], row["type"])
        return Filled(parameter, "constant", convert(value, row["type"], row["format"], zone))
    value = facts[name]
    if _is_empty(value):
        fault = f"{parameter} is required, and {name} has no value" if row["required"] else None
        return Filled(parameter, name, is_left_out=True, fault=fault)
    try:
        return Filled(parameter, name, convert(value, row["type"], row["format"], zone))
    except Unfit as error:
        return Filled(parameter, name, is_left_out=True, fault=f"{parameter}: {name} {error.text}")


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
