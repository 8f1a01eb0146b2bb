"""What the worker does by the clock: each duty at most once in its interval, whichever worker comes first."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import String, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from portal.accounts.service import forget_guests
from portal.api.idempotency import sweep_keys
from portal.core.clock import system_now
from portal.core.database import Base, Database
from portal.core.jobs import FAILURES, Job
from portal.core.meter import sweep_meter
from portal.core.session import TenantSession
from portal.core.types import UtcDateTime
from portal.tenancy.service import sweep_expired
from portal.tenancy.tokens import forget_ended_tokens

log = logging.getLogger("slipway.schedule")


@dataclass(frozen=True)
class Duty:
    """Something to be done every so often, in a transaction of its own."""

    name: str
    every: dt.timedelta
    perform: Callable[[TenantSession], object]


class LastRun(Base):
    """When a duty was last taken on."""

    __tablename__ = "duties"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    ran_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


def forget_done_jobs(session: TenantSession) -> None:
    """Delete jobs done more than a week ago. Dead ones stay for a person to see."""
    old = system_now() - dt.timedelta(days=7)
    session.execute(delete(Job).where(Job.status == "done", Job.run_at < old))


PAUSE = dt.timedelta(minutes=1)
"""After which a duty that has failed is tried again."""
DUTIES: tuple[Duty, ...] = (
    Duty("expire tenants", dt.timedelta(minutes=5), sweep_expired),
    Duty("sweep limits", dt.timedelta(hours=1), sweep_meter),
    Duty("forget ended tokens", dt.timedelta(hours=6), forget_ended_tokens),
    Duty("forget idempotency keys", dt.timedelta(hours=1), sweep_keys),
    Duty("forget done jobs", dt.timedelta(hours=6), forget_done_jobs),
    Duty("forget guests", dt.timedelta(hours=1), forget_guests),
)


def run_schedule(duties: Sequence[Duty], database: Database) -> int:
    """Perform every duty that is due. Returns how many were. One that fails is logged, and due again after PAUSE."""
    with database.transaction(write=False) as session:
        last = {row.name: row.ran_at for row in session.scalars(select(LastRun))}
    due = [duty for duty in duties if duty.name not in last or last[duty.name] + duty.every <= system_now()]
    return sum(_attempt(duty, database) for duty in due)


def _attempt(duty: Duty, database: Database) -> bool:
    try:
        return _take_on(duty, database)
    except FAILURES:
        log.exception("failed: %s", duty.name)
        _put_off(duty, database)
        return False


def _put_off(duty: Duty, database: Database) -> None:
    soon = system_now() - duty.every + min(PAUSE, duty.every)
    with database.transaction() as session:
        session.merge(LastRun(name=duty.name, ran_at=soon))


def _take_on(duty: Duty, database: Database) -> bool:
    with database.transaction() as session:
        row = session.get(LastRun, duty.name, with_for_update=True)
        now = system_now()
        if row is not None and row.ran_at + duty.every > now:
            return False
        session.merge(LastRun(name=duty.name, ran_at=now))
        session.flush()
        duty.perform(session)
    log.info("done: %s", duty.name)
    return True
