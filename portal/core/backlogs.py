"""Backlogs: work that is due, how much, and since when. What no worker does waits there, and can be seen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, true

from portal.core.clock import system_now
from portal.core.jobs import Job
from portal.core.session import TenantSession


@dataclass(frozen=True)
class Backlog:
    """A queue of rows, some of which `wait`. `name` is a word for metrics, in the plural.

    `due_at` and `tenant_id` are columns of the queue.
    """

    name: str
    due_at: Any
    tenant_id: Any
    waits: ColumnElement[bool]


@dataclass(frozen=True)
class Due:
    """How many rows are due, and since when the first of them has been."""

    count: int
    since: dt.datetime | None


JOBS = Backlog("jobs", Job.run_at, Job.tenant_id, Job.status == "due")


def measure(session: TenantSession, backlog: Backlog) -> Due:
    """Return how much of a backlog is due, a worker having it in hand or not."""
    found = session.execute(_due(backlog, func.count(), func.min(backlog.due_at))).one()
    return Due(found[0], found[1])


def is_anything_overdue(
    session: TenantSession, backlogs: Iterable[Backlog], grace: dt.timedelta, tenant_id: int | None = None
) -> bool:
    """Return True if something of a tenant, of anybody if None, has been due for longer than `grace`."""
    for backlog in backlogs:
        own = true() if tenant_id is None else backlog.tenant_id == tenant_id
        overdue = _due(backlog, backlog.due_at).where(own, backlog.due_at <= system_now() - grace)
        if session.execute(overdue.limit(1)).first() is not None:
            return True
    return False


def _due(backlog: Backlog, *columns: Any) -> Select[Any]:
    return select(*columns).where(backlog.waits, backlog.due_at <= system_now())
