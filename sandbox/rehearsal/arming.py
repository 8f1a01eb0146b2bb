"""Scenarios that wait for calls, and scenarios counted by their header: both exactly, whoever calls at once.

Whoever counts holds the tenant's row, in a short transaction that ends before the call is carried out. The tenant's
own row says whether anything waits at all, so that other calls ask for nothing more.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import func, select

from portal.core.clock import Clock, system_now
from portal.core.config import Settings
from portal.core.database import Database
from portal.core.errors import Conflict
from portal.core.ownership import table_of
from portal.core.remedies import Remedy
from portal.core.retention import delete_in_steps
from portal.core.session import TenantSession
from portal.tenancy.models import Tenant
from portal.tenancy.service import find_own, lock_tenant
from sandbox.rehearsal.models import ArmedScenario, ScenarioCount
from sandbox.rehearsal.scenarios import MS, RETRY_AFTER, Scenario

MOST_ARMED = 100
REMEMBERED = dt.timedelta(hours=24)


@dataclass(frozen=True)
class Occasion:
    """A call as scenarios see it: the tenant and its clock, the key's id (empty for a public call), the operation."""

    tenant_id: int
    clock: Clock
    key_id: str
    operation: str


def arm(session: TenantSession, tenant: Tenant, scenario: ArmedScenario) -> ArmedScenario:
    """Let the scenario wait for the calls it names. The caller holds the tenant's row. Raises Conflict for too many."""
    waiting = session.scalar(select(func.count()).select_from(ArmedScenario)) or 0
    if waiting >= MOST_ARMED:
        remedy = Remedy("state", f"{waiting} scenarios", f"fewer than {MOST_ARMED}")
        raise Conflict(f"{MOST_ARMED} scenarios wait already. Disarm one, or reset the sandbox.", remedy=remedy)
    session.add(scenario)
    session.flush()
    tenant.is_armed = True
    return scenario


def take_armed(database: Database, occasion: Occasion) -> Scenario | None:
    """The scenario that waits longest for this call, with one use of it taken; None where none does."""
    if not _has_to_look(database, occasion):
        return None
    with _counting(database, occasion) as (session, tenant):
        waiting = _read_waiting(session)
        found = next((armed for armed in waiting if _is_for(armed, occasion)), None)
        if found is not None:
            found.used += 1
            if found.used >= found.times:
                session.delete(found)
                waiting.remove(found)
        tenant.is_armed = bool(waiting)
    return None if found is None else _of(found)


def count_use(database: Database, occasion: Occasion, header: str) -> int:
    """How often the caller asked for this by its header, this call included. What is older than a day is forgotten."""
    with _counting(database, occasion) as (session, _):
        wanted = {"key_id": occasion.key_id, "operation": occasion.operation, "header": header}
        row = session.scalar(select(ScenarioCount).filter_by(**wanted).with_for_update())
        if row is None:
            row = ScenarioCount(used=0, counted_at=system_now(), **wanted)
            session.add(row)
        elif row.counted_at < system_now() - REMEMBERED:
            row.used = 0
        row.used += 1
        row.counted_at = system_now()
        return row.used


def forget_counts(database: Database, settings: Settings) -> None:
    """Delete what every tenant's keys counted more than a day ago."""
    table = table_of(ScenarioCount)
    delete_in_steps(database, table, table.c.counted_at < system_now() - REMEMBERED)


@contextmanager
def _counting(database: Database, occasion: Occasion) -> Iterator[tuple[TenantSession, Tenant]]:
    with database.transaction() as session:
        session.bind_tenant(occasion.tenant_id, occasion.clock)
        lock_tenant(session)
        yield session, find_own(session, lock=True)


def _has_to_look(database: Database, occasion: Occasion) -> bool:
    """True where something waits for this call; and where nothing waits at all, which the tenant's row should say."""
    with database.transaction(write=False) as session:
        session.bind_tenant(occasion.tenant_id)
        waiting = _read_waiting(session)
    return not waiting or any(_is_for(armed, occasion) for armed in waiting)


def _read_waiting(session: TenantSession) -> list[ArmedScenario]:
    return list(session.scalars(select(ArmedScenario).order_by(ArmedScenario.id)))


def _is_for(armed: ArmedScenario, occasion: Occasion) -> bool:
    return armed.operation in (None, occasion.operation) and armed.key_id in (None, occasion.key_id)


def _of(armed: ArmedScenario) -> Scenario:
    wait = armed.ms or MS.get(armed.scenario, 0)
    return Scenario(armed.scenario, armed.times, armed.retry_after or RETRY_AFTER, wait)
