"""Duties by the clock: each in a transaction of its own, none in the way of another."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import delete, select

from portal.core.database import Database
from portal.core.session import TenantSession
from portal.schedule import Duty, LastRun, run_schedule

HOUR = dt.timedelta(hours=1)


def test_a_duty_that_fails_keeps_no_other_from_being_done(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []

    def fail(session: TenantSession) -> None:
        done.append("first")
        raise RuntimeError("broken")

    duties = [Duty("test first", HOUR, fail), Duty("test second", HOUR, lambda session: done.append("second"))]
    try:
        assert run_schedule(duties, database) == 1
        assert done == ["first", "second"]
        assert "test first" in caplog.text and "RuntimeError: broken" in caplog.text
        run_schedule(duties, database)
        assert done == ["first", "second", "first"]
        with database.transaction(write=False) as session:
            assert "test first" not in set(session.scalars(select(LastRun.name)))
    finally:
        with database.transaction() as session:
            session.execute(delete(LastRun).where(LastRun.name.startswith("test ")))
