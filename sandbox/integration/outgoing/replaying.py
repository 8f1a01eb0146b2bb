"""Trying the draft on records that the mapping has sent, beside the live version. Nothing is sent."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import func, select

from portal.core.session import TenantSession
from sandbox.delivery.models import Delivery
from sandbox.integration.outgoing.composing import Composed
from sandbox.integration.outgoing.models import OutgoingMapping, OutgoingVersion
from sandbox.integration.outgoing.sending import compose_all, outlet_of
from sandbox.integration.outgoing.sources import SOURCES
from sandbox.integration.outgoing.versions import choose_version, find_version

MOST_RECORDS = 50
Verdict = Literal["same", "better", "worse"]


@dataclass(frozen=True)
class Replayed:
    """A record that was sent. `live` and `draft` say why a version would not send it now; None if it would."""

    subject: str
    sent_at: dt.datetime
    live: str | None
    draft: str | None
    verdict: Verdict
    has_other_body: bool


@dataclass(frozen=True)
class Replay:
    """The records, the latest sent first, and how many were left out because they have been deleted."""

    records: list[Replayed]
    left_out: int

    @property
    def counts(self) -> dict[str, int]:
        found = Counter(record.verdict for record in self.records)
        return {verdict: found[verdict] for verdict in ("same", "better", "worse")}


def replay(session: TenantSession, mapping: OutgoingMapping, last: int) -> Replay:
    """Compose by the draft the records that were sent last, each as it is now. Raises Conflict without a draft.

    It is held against the live version; if nothing is live, against nothing.
    """
    draft = choose_version(session, mapping, "draft")
    live = find_version(session, mapping, "live")
    sent_at = func.max(Delivery.created_at).label("sent_at")
    sends = select(Delivery.subject, sent_at).where(Delivery.kind == "send", Delivery.mapping_id == mapping.id)
    latest = sends.group_by(Delivery.subject).order_by(sent_at.desc(), Delivery.subject).limit(min(last, MOST_RECORDS))
    sent: dict[str, dt.datetime] = {row[0] or "": row[1] for row in session.execute(latest)}
    model: Any = SOURCES[draft.source].resource.model
    records = {one.public_id: one for one in session.scalars(select(model).where(model.public_id.in_(list(sent))))}
    by_draft = _compose(session, mapping, draft, list(records.values()))
    by_live = _compose(session, mapping, live, list(records.values())) if live is not None else {}
    found = [
        _compare(subject, sent[subject], by_live.get(records[subject].id), by_draft[records[subject].id])
        for subject in sent
        if subject in records
    ]
    return Replay(found, len(sent) - len(found))


def _compose(
    session: TenantSession, mapping: OutgoingMapping, version: OutgoingVersion, records: list[Any]
) -> dict[int, Composed]:
    outlet = replace(outlet_of(session, mapping), source=version.source, rows=version.rows)
    return compose_all(session, outlet, records) if records else {}


def _compare(subject: str, sent_at: dt.datetime, live: Composed | None, draft: Composed) -> Replayed:
    before = live.reason if live is not None else None
    verdict: Verdict = "same"
    if bool(before) != bool(draft.reason):
        verdict = "worse" if draft.reason else "better"
    has_other = live is not None and live.text != draft.text
    return Replayed(subject, sent_at, before, draft.reason, verdict, has_other)
