"""Gauges for operators, in the text format of Prometheus."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import func, select

from portal.core.backlogs import Backlog, measure
from portal.core.clock import system_now
from portal.core.heartbeats import read_attendance
from portal.core.jobs import Job
from portal.core.session import TenantSession
from portal.tenancy.models import Tenant

Sample = tuple[str, float]
"""The labels, as `kind="worker"`, and the value."""


def write_metrics(session: TenantSession, backlogs: Iterable[Backlog]) -> str:
    """Return every gauge with its help."""
    gauges = (*_tenants(session), *_jobs(session), *_workers(session), *_waiting(session, backlogs))
    return "".join(_write(*gauge) for gauge in gauges)


def _write(name: str, meaning: str, samples: Iterable[Sample]) -> str:
    lines = [f"# HELP {name} {meaning}", f"# TYPE {name} gauge"]
    return "\n".join([*lines, *(f"{name}{{{labels}}} {value:.15g}" for labels, value in samples)]) + "\n"


def _tenants(session: TenantSession) -> Iterator[tuple[str, str, Sequence[Sample]]]:
    counts = _counts(session, Tenant.mode, ("sandbox", "house"))
    yield "slipway_tenants", "Tenants by mode.", [(f'mode="{mode}"', count) for mode, count in counts.items()]


def _jobs(session: TenantSession) -> Iterator[tuple[str, str, Sequence[Sample]]]:
    counts = _counts(session, Job.status, ("due", "dead"))
    samples = [(f'status="{status}"', count) for status, count in counts.items()]
    yield "slipway_jobs", "Jobs that wait for their time or a worker, and those that failed for good.", samples


def _counts(session: TenantSession, column: Any, values: tuple[str, ...]) -> dict[str, int]:
    counted = select(column, func.count()).where(column.in_(values)).group_by(column)
    return dict.fromkeys(values, 0) | {row[0]: row[1] for row in session.execute(counted)}


def _workers(session: TenantSession) -> Iterator[tuple[str, str, Sequence[Sample]]]:
    found, now = read_attendance(session), system_now()
    alive = [(f'kind="{kind}"', float(each.alive)) for kind, each in found.items()]
    silent = [
        (f'kind="{kind}"', round((now - each.last_beat_at).total_seconds(), 3))
        for kind, each in found.items()
        if each.last_beat_at
    ]
    yield "slipway_workers", "Processes that work in the background and are alive.", alive
    yield "slipway_worker_silence_seconds", "Seconds since the latest heartbeat; absent if there is none.", silent


def _waiting(session: TenantSession, backlogs: Iterable[Backlog]) -> Iterator[tuple[str, str, Sequence[Sample]]]:
    found, now = {each.name: measure(session, each) for each in backlogs}, system_now()
    counts = [(f'queue="{name}"', float(due.count)) for name, due in found.items()]
    ages = [
        (f'queue="{name}"', max(0.0, round((now - due.since).total_seconds(), 3)) if due.since else 0.0)
        for name, due in found.items()
    ]
    yield "slipway_due", "Rows of a queue that are due now.", counts
    yield "slipway_oldest_due_seconds", "Seconds for which the first of them has been due.", ages
