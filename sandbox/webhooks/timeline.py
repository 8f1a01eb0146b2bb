"""The retry schedule of one delivery as a row of stations: attempts made, the next one, those to come."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from portal.core.session import TenantSession
from sandbox.delivery.models import Attempt, Delivery, Queued
from sandbox.delivery.schedule import WAITS
from sandbox.delivery.service import list_attempts, next_tries

MOST_STATIONS = 11
_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


@dataclass(frozen=True)
class Station:
    """One attempt. `state` is delivered, failed, next or coming; `at` is how long after the first it was or will be."""

    number: int
    state: str
    answer: str
    at: str


def stations_of(session: TenantSession, delivery: Delivery) -> list[Station]:
    """The attempts of a delivery in order, the latest MOST_STATIONS at most; what is to come by the plan."""
    made = list_attempts(session, delivery)
    start = made[0].made_at if made else delivery.created_at
    past = [_past(attempt, start) for attempt in made]
    coming = _coming(session, delivery, len(made), start)
    return [*past[-max(1, MOST_STATIONS - len(coming)) :], *coming]


def spoken(length: dt.timedelta) -> str:
    """A length of time in its two largest units: `2 h 35 min`."""
    left, parts = int(length.total_seconds()), []
    for seconds, name in _UNITS:
        count, left = divmod(left, seconds)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2]) or "0 s"


def schedule_rows(waits: Sequence[float] = WAITS) -> list[tuple[int, str, str]]:
    """The plan: each attempt's number, the wait before it, and when that is after the first."""
    rows, total = [(1, "none", "0 s")], 0.0
    for number, wait in enumerate(waits, 2):
        total += wait
        rows.append((number, spoken(dt.timedelta(seconds=wait)), spoken(dt.timedelta(seconds=total))))
    return rows


def _past(attempt: Attempt, start: dt.datetime) -> Station:
    state = "delivered" if attempt.failure is None else "failed"
    answer = str(attempt.answer_status) if attempt.answer_status else "none"
    return Station(attempt.number, state, answer, spoken(attempt.made_at - start))


def _coming(session: TenantSession, delivery: Delivery, made: int, start: dt.datetime) -> list[Station]:
    """The attempts of this round that are still to be made, if the ones before them fail."""
    mine = (Queued.tenant_id == session.owner_id, Queued.delivery_id == delivery.id)
    tries = session.scalar(select(Queued.tries).where(*mine))
    due = next_tries(session, [delivery.id]).get(delivery.id)
    if tries is None or due is None:
        return []
    at = max(due - start, dt.timedelta())
    stations = [Station(made + 1, "next", "", spoken(at))]
    for number, wait in enumerate(WAITS[tries:], made + 2):
        at += dt.timedelta(seconds=wait)
        stations.append(Station(number, "coming", "", spoken(at)))
    return stations
