"""Resets of a full seed, and restores of a snapshot, on SQLite and on PostgreSQL where it is found."""

from __future__ import annotations

import statistics
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import delete

from portal.core.ownership import table_of
from portal.tenancy.copying import models_that
from portal.tenancy.models import Tenant
from sandbox.rehearsal.models import Snapshot
from sandbox.rehearsal.snapshots import restore_snapshot, take_snapshot
from sandbox.seed.service import reset_tenant
from sandbox.tenants import create_sandbox
from tests.bench.ours import Store, new_store
from tests.stores import find_stores

TIMES = 10
UNCHANGED, EMPTY = "nothing changed", "every row gone"
RESTORE = "every row put back"


@dataclass
class Resets:
    """Milliseconds of each reset by store and by what had happened before; rows of a seed; what was left out."""

    times: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    rows: int = 0
    left_out: list[str] = field(default_factory=list)

    def median(self, store: str, before: str) -> float:
        return statistics.median(self.times[store, before])


def measure(folder: Path) -> Resets:
    """Ten resets of each kind on each store."""
    resets = Resets()
    with ExitStack() as stack:
        found = stack.enter_context(find_stores())["postgresql"]
        _measure_on(stack.enter_context(new_store(folder, "reset")), "SQLite", resets)
        if found.reason:
            resets.left_out.append(found.reason)
        else:
            _measure_on(
                stack.enter_context(new_store(folder, "reset-postgresql", found.database_url)), "PostgreSQL", resets
            )
    return resets


def _measure_on(store: Store, name: str, resets: Resets) -> None:
    with store.database.transaction() as session:
        tenant = create_sandbox(session, store.settings, name="Reset").tenant
    for before in (UNCHANGED, EMPTY):
        for _ in range(TIMES):
            if before == EMPTY:
                _clear(store, tenant)
            resets.times.setdefault((name, before), []).append(_reset(store, tenant, resets))
    with store.database.transaction() as session:
        session.bind_tenant(tenant.id)
        snapshot = take_snapshot(session, session.merge(tenant, load=False), "Bench").id
    for _ in range(TIMES):
        _clear(store, tenant)
        resets.times.setdefault((name, RESTORE), []).append(_restore(store, tenant, snapshot))


def _reset(store: Store, tenant: Tenant, resets: Resets) -> float:
    with store.database.transaction() as session:
        session.bind_tenant(tenant.id)
        found = session.merge(tenant, load=False)
        started = time.perf_counter()
        resets.rows = sum(reset_tenant(session, found).restored.values())
        session.commit()
        return (time.perf_counter() - started) * 1000


def _restore(store: Store, tenant: Tenant, snapshot_id: int) -> float:
    with store.database.transaction() as session:
        session.bind_tenant(tenant.id)
        found = session.merge(tenant, load=False)
        snapshot = session.get_one(Snapshot, (tenant.id, snapshot_id))
        started = time.perf_counter()
        restore_snapshot(session, found, snapshot)
        session.commit()
        return (time.perf_counter() - started) * 1000


def _clear(store: Store, tenant: Tenant) -> None:
    with store.database.transaction() as session:
        for model in reversed(models_that("restore")):
            table = table_of(model)
            session.connection().execute(delete(table).where(table.c.tenant_id == tenant.id))
