"""Logs keep what the settings say; what is older is deleted in steps that keep no writer waiting."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import delete, event, func, insert, select

from portal.api.exchanges import Exchange
from portal.core.clock import system_now
from portal.core.config import Settings
from portal.core.database import Database
from portal.core.events import Event
from portal.core.ids import first_log_id, new_public_id
from portal.core.jobs import Job
from portal.core.ownership import TenantLog, table_of
from portal.core.retention import Retention, apply_retention, delete_in_steps
from portal.schedule import delete_old_jobs, delete_old_logs
from portal.tenancy.models import AuditRow, Tenant
from portal.tenancy.service import sweep_expired
from sandbox.tenants import NewSandbox
from tests.conftest import Integration, SandboxMaker

LOGS: tuple[tuple[type[TenantLog], str], ...] = ((Exchange, "request_log"), (Event, "event"), (AuditRow, "audit"))


def put_audit_rows(database: Database, tenant_id: int, ages: list[dt.timedelta]) -> None:
    rows = [
        {
            "tenant_id": tenant_id,
            "id": first_log_id(system_now() - age) + number,
            "actor": "test",
            "action": "test",
            "changes": [],
            "created_at": system_now() - age,
        }
        for number, age in enumerate(ages)
    ]
    with database.transaction() as session:
        session.connection().execute(insert(table_of(AuditRow)), rows)


def count(database: Database, model: type[TenantLog], tenant_id: int) -> int:
    table = table_of(model)
    with database.transaction(write=False) as session:
        statement = select(func.count()).select_from(table).where(table.c.tenant_id == tenant_id)
        return int(session.connection().execute(statement).scalar_one())


@contextmanager
def counting_commits(database: Database) -> Iterator[list[Any]]:
    commits: list[Any] = []

    def note(connection: Any) -> None:
        commits.append(connection)

    event.listen(database.engine, "commit", note)
    try:
        yield commits
    finally:
        event.remove(database.engine, "commit", note)


def test_rows_older_than_their_days_are_deleted(database: Database, alices_sandbox: NewSandbox) -> None:
    mine, day = alices_sandbox.tenant.id, dt.timedelta(days=1)
    put_audit_rows(database, mine, [day * 40, day * 31, day * 29, day])
    before = count(database, AuditRow, mine)
    assert apply_retention(database, Retention(AuditRow, days=30, rows=0), [mine]) == 2
    assert count(database, AuditRow, mine) == before - 2


def test_only_the_newest_rows_are_kept_of_each_tenant(
    database: Database, alices_sandbox: NewSandbox, new_sandbox: SandboxMaker
) -> None:
    mine, other = alices_sandbox.tenant.id, new_sandbox("Other").tenant.id
    hour = dt.timedelta(hours=1)
    put_audit_rows(database, mine, [hour * number for number in range(1, 9)])
    put_audit_rows(database, other, [hour, hour * 2])
    before = count(database, AuditRow, other)
    apply_retention(database, Retention(AuditRow, days=0, rows=3), [mine])
    assert count(database, AuditRow, mine) == 3
    assert count(database, AuditRow, other) == before
    oldest = select(func.min(table_of(AuditRow).c.id)).where(table_of(AuditRow).c.tenant_id == mine)
    with database.transaction(write=False) as session:
        assert session.connection().execute(oldest).scalar_one() > first_log_id(system_now() - hour * 4)


def test_a_log_without_limits_keeps_everything(database: Database, alices_sandbox: NewSandbox) -> None:
    mine = alices_sandbox.tenant.id
    put_audit_rows(database, mine, [dt.timedelta(days=9_000)])
    assert apply_retention(database, Retention(AuditRow, days=0, rows=0), [mine]) == 0


def test_a_sweep_gives_other_writers_a_turn_after_each_step(database: Database, alices_sandbox: NewSandbox) -> None:
    mine, table = alices_sandbox.tenant.id, table_of(AuditRow)
    put_audit_rows(database, mine, [dt.timedelta(days=100)] * 10)
    old = table.c.id < first_log_id(system_now() - dt.timedelta(days=99))
    with counting_commits(database) as commits:
        assert delete_in_steps(database, table, table.c.tenant_id == mine, old, step=3) == 10
    assert len(commits) == 4


@pytest.mark.parametrize(("model", "name"), LOGS)
def test_each_log_of_the_portal_follows_its_settings(
    database: Database,
    settings: Settings,
    alice: Integration,
    alices_sandbox: NewSandbox,
    model: type[TenantLog],
    name: str,
) -> None:
    for number in range(4):
        assert alice.post("/api/v2/customers", {"account": f"Customer {number}"}).status_code == 201
    mine, before = alices_sandbox.tenant.id, [count(database, each, alices_sandbox.tenant.id) for each, _ in LOGS]
    assert all(total >= 4 for total in before)
    delete_old_logs(database, settings.model_copy(update={f"{name}_rows": 2}))
    after = [count(database, each, mine) for each, _ in LOGS]
    assert after == [2 if each is model else total for (each, _), total in zip(LOGS, before, strict=True)]


def test_jobs_are_deleted_once_nobody_needs_them(database: Database, settings: Settings) -> None:
    ages = {"done": (6, 8), "dead": (89, 91), "due": (500, 600)}
    with database.transaction() as session:
        for status, days in ages.items():
            for day in days:
                at = system_now() - dt.timedelta(days=day)
                session.add(Job(kind="test retention", payload={"days": day}, status=status, run_at=at))
    try:
        delete_old_jobs(database, settings)
        with database.transaction(write=False) as session:
            kept = session.scalars(select(Job).where(Job.kind == "test retention")).all()
            assert sorted(job.payload["days"] for job in kept) == [6, 89, 500, 600]
    finally:
        with database.transaction() as session:
            session.execute(delete(Job).where(Job.kind == "test retention"))


def test_sandboxes_expire_one_a_transaction(
    database: Database, settings: Settings, new_sandbox: Callable[..., NewSandbox]
) -> None:
    over = [new_sandbox(f"Over {new_public_id('t')}").tenant.id for _ in range(3)]
    with database.transaction() as session:
        for tenant_id in over:
            session.get_one(Tenant, tenant_id).expires_at = system_now() - dt.timedelta(seconds=1)
    ends: list[int] = []

    def note(connection: Any) -> None:
        with database.engine.connect() as other:
            ends.append(other.execute(select(func.count()).where(Tenant.id.in_(over))).scalar_one())

    event.listen(database.writer, "commit", note)
    try:
        assert sweep_expired(database, settings) >= 3
    finally:
        event.remove(database.writer, "commit", note)
    assert {3, 2, 1} <= set(ends)
