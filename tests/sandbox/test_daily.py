"""The daily reset: at an hour of the tenant's own time zone, once, and not where it is off."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask

from portal.core.database import Database
from portal.core.jobs import run_due_jobs
from portal.tenancy.models import Tenant
from sandbox.daily import is_overdue, latest_due, queue_daily_resets
from sandbox.tenants import NewSandbox
from tests.conftest import Integration

NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)


def tenant(hour: int | None = 3, zone: str = "UTC", created: dt.datetime = NOON - dt.timedelta(days=2)) -> Tenant:
    return Tenant(daily_reset_hour=hour, time_zone=zone, created_at=created, last_reset_at=None)


@pytest.mark.parametrize(
    ("hour", "zone", "due"),
    [
        (3, "UTC", "2026-11-21T03:00:00+00:00"),
        (13, "UTC", "2026-11-20T13:00:00+00:00"),
        (3, "Asia/Kolkata", "2026-11-21T03:00:00+05:30"),
        (18, "Asia/Kolkata", "2026-11-20T18:00:00+05:30"),
    ],
)
def test_the_hour_is_of_the_tenants_time_zone(hour: int, zone: str, due: str) -> None:
    assert latest_due(tenant(hour, zone), NOON) == dt.datetime.fromisoformat(due)


def test_a_new_sandbox_a_reset_one_and_one_turned_off_are_not_overdue() -> None:
    assert is_overdue(tenant(), NOON)
    assert not is_overdue(tenant(created=NOON - dt.timedelta(hours=1)), NOON)
    assert not is_overdue(tenant(hour=None), NOON)
    done = tenant()
    done.last_reset_at = NOON - dt.timedelta(hours=2)
    assert not is_overdue(done, NOON)


def age(database: Database, new: NewSandbox, hour: int | None) -> None:
    with database.transaction() as session:
        found = session.get_one(Tenant, new.tenant.id)
        found.created_at -= dt.timedelta(days=2)
        found.daily_reset_hour = hour


def test_an_overdue_sandbox_is_reset_by_the_worker(
    database: Database, alices_sandbox: NewSandbox, alice: Integration
) -> None:
    alice.post("/api/v2/customers", {"account": "Jane"})
    age(database, alices_sandbox, 3)
    with database.transaction() as session:
        assert queue_daily_resets(session) >= 1
    run_due_jobs(database, limit=500)
    assert alice.get("/api/v2/customers").json["meta"]["total_records"] == 100


def test_the_shell_turns_it_off(app: Flask, database: Database, alices_sandbox: NewSandbox, alice: Integration) -> None:
    runner = app.test_cli_runner()
    age(database, alices_sandbox, 3)
    done = runner.invoke(args=["sandbox", "daily-reset", alices_sandbox.tenant.public_id])
    assert (done.exit_code, done.output.strip()) == (0, "The daily reset is off.")
    alice.post("/api/v2/customers", {"account": "Jane"})
    with database.transaction() as session:
        queue_daily_resets(session)
    run_due_jobs(database, limit=500)
    assert alice.get("/api/v2/customers").json["meta"]["total_records"] == 101
    wrong = runner.invoke(args=["sandbox", "daily-reset", alices_sandbox.tenant.public_id, "--hour", "24"])
    assert wrong.exit_code == 2
