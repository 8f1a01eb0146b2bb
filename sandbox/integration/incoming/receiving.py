"""Writing what was received, record by record, each in a savepoint of its own: a bad one harms no other."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sqlalchemy.exc import IntegrityError

from portal.api.records import find_record
from portal.api.schema import validate
from portal.core.errors import DomainError, Duplicate, NotFound, ValidationFailed
from portal.core.session import TenantSession
from portal.core.store_errors import is_store_failure
from sandbox.integration.incoming.definition import Check, Definition, DuplicateRule
from sandbox.integration.incoming.effects import Effects, watching
from sandbox.integration.incoming.reading import INVALID_CODE, Fault, Reading, read_record, unique_checks
from sandbox.integration.incoming.targets.target import Data, Target

log = logging.getLogger("slipway.incoming")

Happening = Literal["created", "updated", "skipped", "duplicate", "failed", "error"]
Outcome = Literal["SUCCESS", "FAILED", "DUPLICATE"]
OUTCOMES: dict[Happening, Outcome] = {
    "created": "SUCCESS",
    "updated": "SUCCESS",
    "skipped": "DUPLICATE",
    "duplicate": "DUPLICATE",
    "failed": "FAILED",
    "error": "FAILED",
}
"""The return status of each happening (contract section 10)."""


@dataclass(frozen=True)
class Plan:
    """What records are written by: the target and a definition that was found to work."""

    target: Target
    definition: Definition


@dataclass(frozen=True)
class Result:
    """What became of one record. `fault` is the first thing that was wrong with it; `data` is the record of the ERP."""

    happening: Happening
    reading: Reading = field(default_factory=Reading)
    fault: Fault | None = None
    data: Data | None = None
    effects: Effects | None = None

    @property
    def outcome(self) -> Outcome:
        return OUTCOMES[self.happening]

    @property
    def has_written(self) -> bool:
        return self.happening in {"created", "updated"}


class _Refused(Exception):
    """Carries the result of a record that is not written out of its savepoint."""

    def __init__(self, result: Result) -> None:
        super().__init__()
        self.result = result


def receive_records(session: TenantSession, plan: Plan, records: Sequence[Any]) -> list[Result]:
    """Write the records in order. Whatever is wrong with one is its result; only a store that fails is raised."""
    return [_receive(session, plan, record) for record in records]


def rehearse_records(session: TenantSession, plan: Plan, records: Sequence[Any]) -> list[Result]:
    """The very same, taken back at the end: results with what they would have changed."""
    noted = len(session.changes)
    savepoint = session.begin_nested()
    try:
        return [_watched(session, plan, record) for record in records]
    finally:
        savepoint.rollback()
        del session.changes[noted:]


def _watched(session: TenantSession, plan: Plan, record: Any) -> Result:
    with watching(session) as effects:
        result = _receive(session, plan, record)
    return replace(result, effects=effects if result.has_written else Effects())


def _receive(session: TenantSession, plan: Plan, record: Any) -> Result:
    noted = len(session.changes)
    try:
        with session.begin_nested():
            result = _carry_out(session, plan, record)
            session.flush()
            return result
    except _Refused as refused:
        result = refused.result
    except IntegrityError:
        result = Result("failed", fault=Fault("CONFLICT", "Another request changed the same data. Send it again."))
    except DomainError as refused:
        if refused.status >= 500:
            raise
        result = Result("failed", fault=Fault(refused.code.upper(), refused.message))
    except Exception as error:
        if is_store_failure(error):
            raise
        log.exception("a record of %s could not be written", session.trace)
        message = "Something went wrong on our side. Quote the request id when you ask support."
        result = Result("error", fault=Fault("INTERNAL_ERROR", message))
    del session.changes[noted:]
    return result


def _carry_out(session: TenantSession, plan: Plan, record: Any) -> Result:
    if not isinstance(record, dict):
        fault = Fault("INVALID_RECORD", "A record must be a JSON object")
        raise _Refused(Result("failed", fault=fault))
    reading = read_record(session, plan.definition.rows, record)
    _refuse_faulty(reading)
    body = _body_of(plan, reading)
    known = _find_known(session, plan, body)
    if known is not None and plan.definition.duplicates is not None:
        if plan.definition.duplicates.action == "skip":
            return Result("skipped", reading, data=plan.target.show(session, known))
        if plan.definition.duplicates.action == "refuse":
            raise _Refused(_duplicate(session, plan, reading, known, _own_words(plan, reading)))
    _refuse_taken(session, plan, reading, body, known)
    return _write(session, plan, reading, body, known)


def _refuse_faulty(reading: Reading) -> None:
    faulty = reading.faulty
    if faulty:
        raise _Refused(Result("failed", reading, fault=faulty[0].fault))


def _body_of(plan: Plan, reading: Reading) -> Any:
    """The ERP's body of the values. What the ERP refuses is told of the rows that fill it."""
    try:
        return validate(plan.target.body, reading.values)
    except ValidationFailed as refused:
        _blame(reading, refused.errors)
        raise AssertionError("a refused body has faults") from None


def _blame(reading: Reading, errors: dict[str, str]) -> None:
    for name, message in errors.items():
        reading.blame(name, Fault(INVALID_CODE, message))
    _refuse_faulty(reading)


def _find_known(session: TenantSession, plan: Plan, body: Any) -> Any:
    rule: DuplicateRule | None = plan.definition.duplicates
    return None if rule is None else plan.target.find(session, body, rule.fields)


def _refuse_taken(session: TenantSession, plan: Plan, reading: Reading, body: Any, known: Any) -> None:
    rule = plan.definition.duplicates
    for name, check in unique_checks(plan.definition.rows):
        if rule is not None and rule.fields == [name]:
            continue  # The rule has just looked for it.
        holder = plan.target.find(session, body, (name,))
        if holder is not None and holder is not known:
            raise _Refused(_duplicate(session, plan, reading, holder, _blame_taken(reading, name, check)))


def _own_words(plan: Plan, reading: Reading) -> Fault | None:
    """What the row's own check says where the rule for duplicates has found what it looks for as well."""
    rule = plan.definition.duplicates
    for name, check in unique_checks(plan.definition.rows):
        if rule is not None and rule.fields == [name]:
            return _blame_taken(reading, name, check)
    return None


def _blame_taken(reading: Reading, name: str, check: Check) -> Fault:
    message = check.message or "{label} is taken by another record"
    verdict = next(verdict for verdict in reading.verdicts if verdict.field == name)
    verdict.fault = Fault(check.code or "DUPLICATE", message.replace("{label}", verdict.source))
    return verdict.fault


def _write(session: TenantSession, plan: Plan, reading: Reading, body: Any, known: Any) -> Result:
    target = plan.target
    try:
        if known is not None and target.update is not None:
            return Result("updated", reading, data=target.update(session, known, body))
        return Result(target.outcome, reading, data=target.create(session, body))
    except Duplicate as refused:
        for name, message in refused.extra["errors"].items():
            reading.blame(name, Fault("DUPLICATE", message))
        holder = _find_holder(session, plan, refused)
        raise _Refused(_duplicate(session, plan, reading, holder, reading.faulty[0].fault)) from None
    except ValidationFailed as refused:
        _blame(reading, refused.errors)
        raise
    except DomainError as refused:
        if refused.status >= 500:
            raise
        fault = Fault(refused.code.upper(), refused.message)
        raise _Refused(Result("failed", reading, fault=fault)) from None


def _find_holder(session: TenantSession, plan: Plan, refused: Duplicate) -> Any:
    try:
        return find_record(session, plan.target.model, refused.extra.get("existing_id", ""))
    except NotFound:
        return None


def _duplicate(session: TenantSession, plan: Plan, reading: Reading, holder: Any, fault: Fault | None = None) -> Result:
    data = None if holder is None else plan.target.show(session, holder)
    return Result("duplicate", reading, fault=fault or Fault("DUPLICATE", "The record exists already"), data=data)
