"""The daily reset: at an hour of the tenant's own time zone, once a day whatever clocks do, and not where it is off."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import Any

import pytest
from flask import Flask

from portal.core.clock import system_now
from portal.core.database import Database
from portal.core.jobs import run_due_jobs
from portal.tenancy.models import Tenant
from sandbox.daily import is_overdue, latest_due, queue_daily_resets
from sandbox.tenants import NewSandbox
from tests.conftest import Integration
from tests.portal.test_calendars import zones

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


HOURS = range(24)
STEP = dt.timedelta(minutes=30)
AROUND = dt.timedelta(days=2)


def resets(one: Tenant, first: dt.datetime, last: dt.datetime) -> list[dt.datetime]:
    """When a worker that looks every half hour resets the tenant."""
    found, now = [], first
    while now <= last:
        if is_overdue(one, now):
            one.last_reset_at = now
            found.append(now)
        now += STEP
    return found


def test_a_sandbox_is_reset_once_a_day_whatever_clocks_do_in_any_zone() -> None:
    changes = [(name, day) for name, days in zones().items() for day in days]
    assert changes
    for name, day in changes:
        start = dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC) - AROUND
        for hour in HOURS:
            one = tenant(hour, name, created=start - AROUND)
            assert is_overdue(one, start)
            one.last_reset_at = start
            found = resets(one, start + STEP, start + 2 * AROUND)
            apart = [later - sooner for sooner, later in pairwise(found)]
            assert len(found) in {3, 4, 5}, (name, day, hour, found)
            assert all(dt.timedelta(hours=21) < gap < dt.timedelta(hours=27) for gap in apart), (name, day, hour, found)


def test_the_hour_that_occurs_twice_in_helsinki_resets_once() -> None:
    night = dt.datetime(2026, 10, 25, tzinfo=dt.UTC)
    one = tenant(3, "Europe/Helsinki", created=night - AROUND)
    one.last_reset_at = night - dt.timedelta(hours=20)
    assert resets(one, night - STEP, night + dt.timedelta(hours=12)) == [night]


def test_the_hour_that_never_occurs_in_helsinki_resets_as_clocks_jump() -> None:
    jump = dt.datetime(2026, 3, 29, 1, tzinfo=dt.UTC)
    one = tenant(3, "Europe/Helsinki", created=jump - AROUND)
    one.last_reset_at = jump - dt.timedelta(hours=20)
    assert resets(one, jump - STEP, jump + dt.timedelta(hours=12)) == [jump]


def due_now(database: Database, new: NewSandbox) -> bool:
    with database.transaction(write=False) as session:
        return is_overdue(session.get_one(Tenant, new.tenant.id), system_now())


SETTINGS: list[dict[str, Any]] = [
    *({"daily_reset_hour": hour} for hour in HOURS),
    {"time_zone": "Pacific/Kiritimati"},
    {"time_zone": "Pacific/Pago_Pago"},
    {"time_zone": "America/New_York", "daily_reset_hour": 22},
]


def test_no_change_of_the_settings_resets_at_once_and_the_next_day_does(
    database: Database, alices_sandbox: NewSandbox, alice: Integration
) -> None:
    age(database, alices_sandbox, None)
    for settings in [*SETTINGS, {"daily_reset_hour": None}, *SETTINGS[::6]]:
        assert alice.patch(f"/api/tenants/{alice.tenant}", settings).status_code == 200
        assert not due_now(database, alices_sandbox), settings
    with database.transaction(write=False) as session:
        found = session.get_one(Tenant, alices_sandbox.tenant.id)
        session.expunge(found)
        (first,) = resets(found, system_now(), system_now() + dt.timedelta(hours=46))[:1]
        tomorrow = found.calendar.date_of(system_now()) + dt.timedelta(days=1)
        assert found.calendar.date_of(first) == tomorrow


def test_settings_that_stay_as_they_are_put_no_reset_off(
    database: Database, alices_sandbox: NewSandbox, alice: Integration
) -> None:
    age(database, alices_sandbox, 3)
    alice.patch(f"/api/tenants/{alice.tenant}", {"daily_reset_hour": 3, "time_zone": "UTC", "name": "Acme"})
    assert due_now(database, alices_sandbox)


def test_the_shell_changes_the_hour_from_the_next_day_on(
    app: Flask, database: Database, alices_sandbox: NewSandbox
) -> None:
    age(database, alices_sandbox, 3)
    assert due_now(database, alices_sandbox)
    hours = ("4", "0", "23")
    for hour in hours:
        command = ["sandbox", "daily-reset", alices_sandbox.tenant.public_id, "--hour", hour]
        assert app.test_cli_runner().invoke(args=command).exit_code == 0
        assert not due_now(database, alices_sandbox)


def test_a_clock_that_was_moved_brings_no_daily_reset(
    database: Database, alices_sandbox: NewSandbox, alice: Integration
) -> None:
    assert alice.post("/api/v2/sandbox/clock", {"advance": "P30D"}).status_code == 200
    alice.post("/api/v2/customers", {"account": "Jane"})
    with database.transaction() as session:
        session.get_one(Tenant, alices_sandbox.tenant.id).last_reset_at = system_now()
    with database.transaction() as session:
        queue_daily_resets(session)
    run_due_jobs(database, limit=500)
    assert alice.get("/api/v2/customers").json["meta"]["total_records"] == 101
