"""What trying a mapping on a body comes to, ready for the page: verdicts, effects, the answer to a caller."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from markupsafe import Markup

from portal.core.session import TenantSession
from portal.docs.exact_json import compact, pretty
from sandbox.console.showing import paint
from sandbox.integration.incoming.answering import answer_record, overall, shown
from sandbox.integration.incoming.effects import Effects
from sandbox.integration.incoming.reading import Reading, Verdict, read_record
from sandbox.integration.incoming.receiving import Plan, rehearse_records
from sandbox.integration.incoming.rehearsing import records_of

MOST_SHOWN = 20
"""Records that are shown in full."""


@dataclass(frozen=True)
class Line:
    """A field that would be written: of which record, before and after."""

    table: str
    verb: str
    field: str
    before: str
    after: str


@dataclass(frozen=True)
class Tried:
    """One record. `happening` and what follows are empty where it was read only."""

    verdicts: list[Verdict]
    values: Markup
    outcome: str = ""
    happening: str = ""
    message: str = ""
    lines: tuple[Line, ...] = ()
    numbers: tuple[tuple[str, int, int], ...] = ()
    events: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trial:
    """All of a body. `status` and `answer` are what a caller would get; 0 and empty for a preview."""

    records: list[Tried]
    count: int
    outcome: str = ""
    status: int = 0
    answer: Markup = Markup("")  # noqa: RUF009 — it never changes


def preview(session: TenantSession, plan: Plan, payload: Any) -> Trial:
    """The values of each record as the rows read them; nothing is written. Raises ValidationFailed for no records."""
    records = records_of(payload)
    readings = [read_record(session, plan.definition.rows, record) for record in records[:MOST_SHOWN]]
    return Trial([_read(reading) for reading in readings], len(records))


def dry_run(session: TenantSession, plan: Plan, payload: Any) -> Trial:
    """The real write, taken back. Raises ValidationFailed for no records."""
    results = rehearse_records(session, plan, records_of(payload))
    answers = [answer_record(plan, result) for result in results]
    tried = [
        Tried(
            result.reading.verdicts,
            _paint_values(result.reading),
            result.outcome,
            result.happening,
            answer["message"],
            **_effects(result.effects),
        )
        for result, (answer, _) in zip(results[:MOST_SHOWN], answers, strict=False)
    ]
    is_list = isinstance(payload, list)
    content = [answer for answer, _ in answers] if is_list else {**answers[0][0], "requestId": "req_…"}
    status = 200 if is_list else answers[0][1]
    return Trial(tried, len(results), overall(results), status, paint(pretty(content), "json"))


def say(value: Any) -> str:
    """A value as a table shows it."""
    if value is None:
        return ""
    if isinstance(value, str):
        return str(shown(value))
    if isinstance(value, dt.datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, dt.date | Decimal) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    return compact(shown(value))


def _read(reading: Reading) -> Tried:
    return Tried(reading.verdicts, _paint_values(reading))


def _paint_values(reading: Reading) -> Markup:
    return paint(pretty(shown(reading.values)), "json")


def _effects(effects: Effects | None) -> dict[str, Any]:
    if effects is None:
        return {}
    return {
        "lines": tuple(_lines(effects.records)),
        "numbers": tuple((name, first, last) for name, (first, last) in effects.numbers.items()),
        "events": tuple(effects.events),
    }


def _lines(records: Sequence[dict[str, Any]]) -> list[Line]:
    """A line for each field that gets a value or changes it."""
    return [
        Line(f"{record['table']} {number}", record["verb"], name, say(before), say(after))
        for number, record in enumerate(records, 1)
        for name, (before, after) in record["fields"].items()
        if before != after
    ]
