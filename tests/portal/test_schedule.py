"""Duties by the clock: each in a transaction of its own, none in the way of another."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import delete, select

from portal.core.clock import system_now
from portal.core.config import Settings
from portal.core.database import Database
from portal.core.session import TenantSession
from portal.schedule import PAUSE, Duty, LastRun, run_schedule

HOUR, SLACK = dt.timedelta(hours=1), dt.timedelta(seconds=30)


@pytest.mark.parametrize("failure", [RuntimeError, SystemExit])
def test_a_duty_that_fails_keeps_no_other_from_being_done(
    database: Database, settings: Settings, caplog: pytest.LogCaptureFixture, failure: type[BaseException]
) -> None:
    done: list[str] = []

    def fail(session: TenantSession) -> None:
        done.append("first")
        raise failure("broken")

    duties = [Duty("test first", HOUR, fail), Duty("test second", HOUR, lambda session: done.append("second"))]
    try:
        assert run_schedule(duties, database, settings) == 1
        assert done == ["first", "second"]
        assert "test first" in caplog.text and f"{failure.__name__}: broken" in caplog.text
        run_schedule(duties, database, settings)
        assert done == ["first", "second"]
        with database.transaction() as session:
            failed = session.scalars(select(LastRun).where(LastRun.name == "test first")).one()
            assert HOUR - PAUSE - SLACK < system_now() - failed.ran_at <= HOUR - PAUSE + SLACK
            failed.ran_at -= PAUSE
        run_schedule(duties, database, settings)
        assert done == ["first", "second", "first"]
    finally:
        with database.transaction() as session:
            session.execute(delete(LastRun).where(LastRun.name.startswith("test ")))
