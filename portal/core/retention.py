"""Delete what is old in small steps, so that no writer waits long for a sweep."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, delete, select, tuple_

from portal.core.clock import system_now
from portal.core.database import Database
from portal.core.ids import first_log_id
from portal.core.ownership import TenantLog, table_of

STEP = 500
"""Rows deleted in one transaction: a few milliseconds of SQLite's one writer."""


@dataclass(frozen=True)
class Retention:
    """How long a log keeps a tenant's rows: at most `days` days and the newest `rows`. 0 sets no limit."""

    model: type[TenantLog]
    days: int
    rows: int


def delete_in_steps(database: Database, table: Table, *conditions: Any, step: int = STEP) -> int:
    """Delete the rows that fulfill the conditions, `step` at a time, each in its own transaction. Return how many."""
    key = tuple(table.primary_key.columns)
    chosen = select(*key).where(*conditions).limit(step)
    statement = delete(table).where((tuple_(*key) if len(key) > 1 else key[0]).in_(chosen))
    total = 0
    while True:
        with database.transaction() as session:
            count = int(session.connection().execute(statement).rowcount)
        total += count
        if count < step:
            return total


def apply_retention(database: Database, retention: Retention, tenant_ids: list[int]) -> int:
    """Delete the rows of a log that are older or more than it keeps. Return how many were deleted."""
    return sum(_trim(database, retention, tenant_id) for tenant_id in tenant_ids)


def _trim(database: Database, retention: Retention, tenant_id: int) -> int:
    table = table_of(retention.model)
    newest_to_go = _newest_to_go(database, retention, tenant_id)
    if newest_to_go is None:
        return 0
    return delete_in_steps(database, table, table.c.tenant_id == tenant_id, table.c.id <= newest_to_go)


def _newest_to_go(database: Database, retention: Retention, tenant_id: int) -> int | None:
    """Return the id up to which a tenant's rows are deleted; ids of logs grow with time. None if all stay."""
    ids, own = table_of(retention.model).c.id, table_of(retention.model).c.tenant_id == tenant_id
    candidates = []
    if retention.rows:
        candidates.append(select(ids).where(own).order_by(ids.desc()).offset(retention.rows).limit(1))
    if retention.days:
        oldest_kept = first_log_id(system_now() - dt.timedelta(days=retention.days))
        candidates.append(select(ids).where(own, ids < oldest_kept).order_by(ids.desc()).limit(1))
    with database.transaction(write=False) as session:
        found = [session.connection().execute(candidate).scalar() for candidate in candidates]
    return max((id_ for id_ in found if id_ is not None), default=None)
