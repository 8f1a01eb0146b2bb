"""Everything in a definition that cannot work, found before it is saved, by place: `rows.3.checks.0.pattern`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from sqlalchemy import select

from portal.core.session import TenantSession
from sandbox.integration.incoming.definition import (
    AnswerRules,
    Check,
    Definition,
    ItemRow,
)
from sandbox.integration.incoming.patterns import compile_pattern
from sandbox.integration.incoming.targets.target import ErpField, Target
from sandbox.integration.transformations.dates import has_time
from sandbox.integration.transformations.faults import (
    Faults,
    faults_of_format,
    faults_of_step,
    is_sound,
    what_is_missing,
)
from sandbox.integration.transformations.sources import parse_source
from sandbox.integration.transformations.step import Step
from sandbox.resources.masters import Master

_FITS: dict[str, tuple[str, ...]] = {
    "string": ("string",),
    "reference": ("string", "number"),
    "number": ("number",),
    "boolean": ("boolean",),
    "date": ("date",),
    "date-time": ("date-time",),
    "list": ("list",),
}
_NEEDS: dict[str, tuple[str, ...]] = {"pattern": ("pattern",), "master": ("master",)}
_SUCCESSES, _REFUSALS = ("created", "updated", "skipped"), ("duplicate", "failed")


def find_faults(session: TenantSession, target: Target, definition: Definition) -> dict[str, str]:
    """What cannot work, as dotted places and sentences; empty where all does."""
    masters = set(session.scalars(select(Master.name)))
    found = [
        *_in_rows("", definition.rows, target.fields, masters),
        *_in_lists(target, definition, masters),
        *_in_alternatives(target, definition),
        *_in_duplicates(target, definition),
        *_in_answers(target, definition.answers),
    ]
    return dict(reversed(found))


def _in_rows(start: str, rows: Sequence[ItemRow], fields: Sequence[ErpField], masters: set[str]) -> Faults:
    known = {field.name: field for field in fields}
    times = Counter(row.field for row in rows)
    for number, row in enumerate(rows):
        place = f"{start}rows.{number}"
        field = known.get(row.field)
        if field is None:
            yield f"{place}.field", f"No such field; the target has {', '.join(known)}"
        elif row.type not in _FITS[field.kind]:
            yield f"{place}.type", f"The field {row.field} takes the type {' or '.join(_FITS[field.kind])}"
        if times[row.field] > 1:
            yield f"{place}.field", f"Another row fills {row.field} too"
        yield from _in_source(f"{place}.source", row)
        for index, step in enumerate(row.transformations):
            yield from _in_step(f"{place}.transformations.{index}", step, row)
        for index, check in enumerate(row.checks):
            yield from _in_check(f"{place}.checks.{index}", check, row, masters)
    filled = set(times)
    for field in fields:
        if field.is_required and field.name not in filled:
            yield f"{start}rows", f"The field {field.name} is required and has no row"


def _in_lists(target: Target, definition: Definition, masters: set[str]) -> Faults:
    known = {field.name: field for field in target.fields}
    for number, row in enumerate(definition.rows):
        inner = known[row.field].fields if row.field in known else ()
        if inner and row.type == "list":
            yield from _in_rows(f"rows.{number}.", row.rows, inner, masters)
            for index, line in enumerate(row.rows):
                for order, check in enumerate(line.checks):
                    if check.kind == "unique":
                        yield f"rows.{number}.rows.{index}.checks.{order}.kind", "Entries of a list cannot be unique"
        elif row.rows:
            yield f"rows.{number}.rows", "Only a row of type list has rows of its own"


def _in_alternatives(target: Target, definition: Definition) -> Faults:
    filled = {row.field for row in definition.rows}
    lists = {row.field: (number, row) for number, row in enumerate(definition.rows) if row.type == "list"}
    filled |= {f"{row.field}.{inner.field}" for _, row in lists.values() for inner in row.rows}
    for pair in target.either:
        names = [name.rpartition(".")[2] for name in pair]
        holder = pair[0].rpartition(".")[0]
        place = f"rows.{lists[holder][0]}.rows" if holder in lists else "rows"
        given = filled & set(pair)
        if not given and (not holder or holder in lists):
            yield place, f"One of the fields {' and '.join(names)} is required and neither has a row"
        if len(given) > 1:
            yield place, f"Only one of the fields {' and '.join(names)} may have a row"


def _in_source(place: str, row: ItemRow) -> Faults:
    makes_one = any(step.kind in {"constant", "default", "join"} for step in row.transformations)
    if row.source is None:
        if not makes_one:
            yield place, "A source is required, unless a constant, a default or a join gives the value"
        return
    yield from _in_path(place, row.source)


def _in_path(place: str, source: str) -> Faults:
    try:
        parse_source(source)
    except ValueError as fault:
        yield place, f"The source {fault}"


def _in_step(place: str, step: Step, row: ItemRow) -> Faults:
    yield from faults_of_step(place, step)
    is_day = step.kind == "date_format" and row.type in {"date", "date-time"} and step.format and is_sound(step.format)
    if is_day and has_time(step.format or "") != (row.type == "date-time"):
        clock = "a" if row.type == "date" else "no"
        yield f"{place}.format", f"The format has {clock} time of day, unlike the type {row.type}"
    for index, source in enumerate(step.sources or ()):
        yield from _in_path(f"{place}.sources.{index}", source)


def _in_check(place: str, check: Check, row: ItemRow, masters: set[str]) -> Faults:
    yield from what_is_missing(place, check, _NEEDS)
    if check.pattern is not None:
        try:
            compile_pattern(check.pattern)
        except ValueError as fault:
            yield f"{place}.pattern", f"The pattern is refused: {fault}. Look-around and back references cannot be used"
    if check.format is not None:
        yield from faults_of_format(f"{place}.format", check.format)
    if check.kind == "master" and check.master is not None and check.master not in masters:
        yield f"{place}.master", f"No such master; there are {', '.join(sorted(masters))}"
    if check.kind == "range":
        if check.min is None and check.max is None:
            yield f"{place}.min", "A smallest or a largest number is required for range"
        elif check.min is not None and check.max is not None and check.min > check.max:
            yield f"{place}.max", "The largest number must not be below the smallest"
        if row.type != "number":
            yield f"{place}.kind", "A range is for a row of type number"
    if row.type == "list" and check.kind != "not_empty":
        yield f"{place}.kind", "A list is checked by the rows of its entries"


def _in_duplicates(target: Target, definition: Definition) -> Faults:
    filled = {row.field for row in definition.rows}
    allowed = f"a duplicate of this target is known by {', '.join(target.known_by)}"
    for number, row in enumerate(definition.rows):
        for index, check in enumerate(row.checks):
            if check.kind == "unique" and row.field not in target.known_by:
                yield f"rows.{number}.checks.{index}.kind", f"{row.field} cannot be unique: {allowed}"
    if definition.duplicates is None:
        return
    for number, name in enumerate(definition.duplicates.fields):
        if name not in target.known_by:
            yield f"duplicates.fields.{number}", f"{name} cannot be used: {allowed}"
        elif name not in filled:
            yield f"duplicates.fields.{number}", f"{name} has no row"
    if definition.duplicates.action not in target.actions:
        yield "duplicates.action", f"This target can {' or '.join(target.actions)} a duplicate"


def _in_answers(target: Target, answers: AnswerRules) -> Faults:
    bounds: dict[str, Callable[[int], bool]] = {
        **dict.fromkeys(_SUCCESSES, lambda status: 200 <= status <= 299 and status != 204),
        **dict.fromkeys(_REFUSALS, lambda status: 400 <= status <= 499 or status == 200),
    }
    for name, allows in bounds.items():
        given = getattr(answers, name)
        if given is None:
            continue
        if given.http_status is not None and not allows(given.http_status):
            words = "from 200 to 299, 204 aside" if name in _SUCCESSES else "200, or from 400 to 499"
            yield f"answers.{name}.http_status", f"The status of {name} must be {words}"
    if answers.record_id is not None and answers.record_id not in target.record_ids:
        yield "answers.record_id", f"RecordId may be {', '.join(target.record_ids)}"
