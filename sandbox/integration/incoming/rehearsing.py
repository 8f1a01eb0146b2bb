"""Trying a mapping: on a sample, and on what really came in, beside what is live. Nothing of it is kept."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import select

from portal.api.body import parse_json
from portal.core.errors import MalformedJson, ValidationFailed
from portal.core.session import TenantSession
from sandbox.integration.incoming.answering import answer_record, overall
from sandbox.integration.incoming.definition import Definition
from sandbox.integration.incoming.models import IncomingMapping, IncomingMessage
from sandbox.integration.incoming.receiving import Plan, Result, rehearse_records
from sandbox.integration.incoming.service import check_definition, choose, find_version
from sandbox.integration.incoming.targets import TARGETS

MOST_RECORDS = 500
MOST_PAYLOADS = 50
_RANKS = {"SUCCESS": 2, "DUPLICATE": 1, "FAILED": 0}
Verdict = Literal["same", "better", "worse"]


@dataclass(frozen=True)
class Sample:
    """What a payload comes to, and would be answered with: `status` is that of the call, 200 for several records."""

    outcome: str
    status: int
    answers: list[dict[str, Any]]


@dataclass(frozen=True)
class Replayed:
    """A payload that came in, by three judgements: `then`, what was logged; `live` and `draft`, both as of now."""

    request_id: str
    received_at: dt.datetime
    records: int
    then: str
    live: str | None
    draft: str
    verdict: Verdict
    live_codes: list[str]
    draft_codes: list[str]
    has_other_values: bool


@dataclass(frozen=True)
class Replay:
    """The payloads, newest first, how many of each verdict, and how many were left out as the log holds a part only."""

    payloads: list[Replayed]
    left_out: int

    @property
    def counts(self) -> dict[str, int]:
        found = Counter(payload.verdict for payload in self.payloads)
        return {verdict: found[verdict] for verdict in ("same", "better", "worse")}


def records_of(payload: Any, name: str = "body") -> Sequence[Any]:
    """The records of a body: itself, or the array's. Raises ValidationFailed, naming `name`, for what is neither."""
    if isinstance(payload, dict):
        return [payload]
    if not isinstance(payload, list):
        raise ValidationFailed({name: f"{name.capitalize()} must be a JSON object, or an array of them"})
    if not 1 <= len(payload) <= MOST_RECORDS:
        raise ValidationFailed({name: f"An array must have 1 to {MOST_RECORDS} records"})
    return payload


def run_sample(session: TenantSession, plan: Plan, payload: Any) -> Sample:
    """What a payload would come to. Raises ValidationFailed for what is neither a record nor an array of them."""
    results = rehearse_records(session, plan, records_of(payload, "payload"))
    answers = [answer_record(plan, result, is_dry=True) for result in results]
    status = 200 if isinstance(payload, list) else answers[0][1]
    return Sample(overall(results), status, [content for content, _ in answers])


def preview(session: TenantSession, target: str, definition: Definition, payload: Any) -> Sample:
    """What a payload would come to by a definition that is not saved. Raises ValidationFailed for a faulty one too."""
    check_definition(session, target, definition)
    return run_sample(session, Plan(TARGETS[target], definition), payload)


def replay(session: TenantSession, mapping: IncomingMapping, last: int) -> Replay:
    """Try the draft on the last payloads that came in for the mapping. Raises Conflict where there is no draft.

    What once succeeded is a duplicate today: so the draft is held against the live version, both tried now; where
    nothing is live, against what was logged.
    """
    draft = choose(session, mapping, "draft").plan
    live = choose(session, mapping, "live").plan if find_version(session, mapping, "live") else None
    came = select(IncomingMessage).where(IncomingMessage.mapping == mapping.slug).order_by(IncomingMessage.id.desc())
    messages = list(session.scalars(came.limit(min(last, MOST_PAYLOADS))))
    payloads: list[Replayed] = []
    left = MOST_RECORDS
    for message in messages:
        records = _records_in(message)
        if records is not None and len(records) <= left:
            left -= len(records)
            payloads.append(_replay_one(session, message, records, draft, live))
    return Replay(payloads, len(messages) - len(payloads))


def _records_in(message: IncomingMessage) -> Sequence[Any] | None:
    if not message.is_whole:
        return None
    try:
        return records_of(parse_json(message.body.encode()))
    except (MalformedJson, ValidationFailed):
        return None


def _replay_one(
    session: TenantSession, message: IncomingMessage, records: Sequence[Any], draft: Plan, live: Plan | None
) -> Replayed:
    after = rehearse_records(session, draft, records)
    before = rehearse_records(session, live, records) if live else []
    known = [result.outcome for result in before] if live else [row["outcome"] for row in message.outcomes]
    return Replayed(
        request_id=message.request_id,
        received_at=message.received_at,
        records=len(records),
        then=message.outcome,
        live=overall(before) if live else None,
        draft=overall(after),
        verdict=_compare(known, [result.outcome for result in after]),
        live_codes=_codes(before),
        draft_codes=_codes(after),
        has_other_values=bool(live) and [row.reading.values for row in before] != [row.reading.values for row in after],
    )


def _compare(before: Sequence[str], after: Sequence[str]) -> Verdict:
    """Worse where any record is, else better where any is."""
    steps = {_RANKS[new] - _RANKS[old] for old, new in zip(before, after, strict=False)}
    return "worse" if min(steps, default=0) < 0 else "better" if max(steps, default=0) > 0 else "same"


def _codes(results: Sequence[Result]) -> list[str]:
    return list(dict.fromkeys(result.fault.code for result in results if result.fault))
