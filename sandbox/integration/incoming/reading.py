"""Reading one record by a mapping: the ERP's fields, and a verdict on every row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from portal.core.session import TenantSession
from portal.core.text import clean_line, clean_paragraph, drop_invisible
from sandbox.integration.incoming.checks import default_code, default_message, passes
from sandbox.integration.incoming.definition import Check, ItemRow, Row
from sandbox.integration.incoming.kinds import read_as
from sandbox.integration.transformations.sources import MISSING, find_value
from sandbox.integration.transformations.steps import Unfit, is_empty, transform

MOST_ENTRIES = 100
"""Entries of a list, as the ERP takes them."""
MISSING_CODE, INVALID_CODE = "MISSING_FIELD", "INVALID_VALUE"


@dataclass(frozen=True)
class Fault:
    """What is wrong with a value: the errorCode and the message to answer with."""

    code: str
    message: str


@dataclass
class Verdict:
    """What became of one row: the value that was read, or what is wrong with it. `place` names the row of the
    mapping, `source` and `field` where the value stood and what it was to be.
    """

    place: str
    source: str
    field: str
    value: Any = None
    fault: Fault | None = None


@dataclass
class Reading:
    """A record as it was read: the fields that have a value, and the verdicts in the order of the rows."""

    values: dict[str, Any] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)

    @property
    def faulty(self) -> list[Verdict]:
        return [verdict for verdict in self.verdicts if verdict.fault]

    def blame(self, name: str, fault: Fault) -> None:
        """Put a fault of an ERP field on the row that fills it; on a verdict of its own where none does."""
        known = [verdict for verdict in self.verdicts if verdict.field == name]
        parents = [verdict for verdict in self.verdicts if name.startswith(f"{verdict.field}.")]
        for verdict in known or parents[:1]:
            verdict.fault = verdict.fault or fault
        if not known and not parents:
            self.verdicts.append(Verdict("", name, name, None, fault))


def read_record(session: TenantSession, rows: Sequence[Row], record: Any) -> Reading:
    """Read a record by the rows."""
    reading = Reading()
    for number, row in enumerate(rows):
        place = f"rows.{number}"
        if row.type == "list":
            _read_list(session, row, place, record, reading)
        else:
            _keep(_read_row(session, row, place, record, reading), row.field, reading.values)
    return reading


def unique_checks(rows: Sequence[Row]) -> list[tuple[str, Check]]:
    """The fields that no other record may share, each with its check."""
    return [(row.field, check) for row in rows for check in row.checks if check.kind == "unique"]


def _keep(value: Any, name: str, values: dict[str, Any]) -> None:
    if not is_empty(value):
        values[name] = value


def _read_row(
    session: TenantSession,
    row: ItemRow,
    place: str,
    record: Any,
    reading: Reading,
    within: tuple[str, str] = ("", ""),
) -> Any:
    """The row's value, its verdict noted; `within` are the source and the field of the list's entry it stands in."""
    source, name = within[0] + (row.source or row.field), within[1] + row.field
    verdict = Verdict(place, source, name)
    reading.verdicts.append(verdict)
    value = MISSING if row.source is None else _typed(row, find_value(record, row.source))
    try:
        steps = [step.in_zone(session.calendar.zone) for step in row.transformations]
        value = transform(value, steps, record)
        value = value if is_empty(value) else read_as(row.type, value)
    except Unfit as unfit:
        verdict.fault = _fault(row.code or INVALID_CODE, row.message or str(unfit), source)
        return MISSING
    verdict.value = None if value is MISSING else value
    if row.required and is_empty(value):
        verdict.fault = _fault(row.code or MISSING_CODE, row.message or "{label} is required", source)
        return MISSING
    for check in row.checks:
        if not passes(session, check, clean_line(value) if isinstance(value, str) else value):
            message = check.message or default_message(check)
            verdict.fault = _fault(check.code or default_code(check), message, source)
            break
    return value


def _typed(row: ItemRow, value: Any) -> Any:
    """The value without what people paste along. Whether a text is a longer one, its field says later."""
    if not isinstance(value, str):
        return value
    return clean_paragraph(value) if row.type == "string" else drop_invisible(value)


def _read_list(session: TenantSession, row: Row, place: str, record: Any, reading: Reading) -> None:
    entries = _read_row(session, row, place, record, reading)
    verdict = reading.verdicts[-1]
    verdict.value = None
    if entries is MISSING or entries is None:
        return
    if len(entries) > MOST_ENTRIES or any(not isinstance(entry, dict) for entry in entries):
        words = f"{{label}} must be a list of {MOST_ENTRIES} objects at most"
        verdict.fault = _fault(row.code or INVALID_CODE, row.message or words, verdict.source)
        return
    lines = []
    for place_in_list, entry in enumerate(entries):
        line: dict[str, Any] = {}
        within = (f"{verdict.source}.{place_in_list}.", f"{row.field}.{place_in_list}.")
        for number, inner in enumerate(row.rows):
            value = _read_row(session, inner, f"{place}.rows.{number}", entry, reading, within)
            _keep(value, inner.field, line)
        lines.append(line)
    reading.values[row.field] = lines


def _fault(code: str, message: str, source: str) -> Fault:
    return Fault(code, message.replace("{label}", source))
