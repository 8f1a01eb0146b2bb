"""What the worker does by the clock: each duty at most once in its interval, whichever worker comes first."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import String, Table, select
from sqlalchemy.orm import Mapped, mapped_column

from portal.accounts.links import forget_ended_links
from portal.accounts.service import forget_guests
from portal.accounts.session_store import forget_ended_sessions
from portal.api.exchanges import Exchange
from portal.api.idempotency import sweep_keys
from portal.core.clock import system_now
from portal.core.config import Settings
from portal.core.database import Base, Database
from portal.core.events import Event
from portal.core.jobs import FAILURES, Job
from portal.core.meter import sweep_meter
from portal.core.retention import Retention, apply_retention, delete_in_steps
from portal.core.session import TenantSession
from portal.core.types import UtcDateTime
from portal.tenancy.models import AuditRow
from portal.tenancy.service import list_tenant_ids, sweep_expired
from portal.tenancy.tokens import forget_ended_tokens

log = logging.getLogger("slipway.schedule")


@dataclass(frozen=True)
class Duty:
    """Something to be done every so often, in a transaction of its own."""

    name: str
    every: dt.timedelta
    perform: Callable[[TenantSession], object]


@dataclass(frozen=True)
class Sweep:
    """Something to be done every so often in many short transactions, which `sweep` opens itself."""

    name: str
    every: dt.timedelta
    sweep: Callable[[Database, Settings], object]


class LastRun(Base):
    """When a duty was last taken on."""

    __tablename__ = "duties"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    ran_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


def delete_old_jobs(database: Database, settings: Settings) -> None:
    """Delete jobs that were done, or failed for good, longer ago than the settings keep them."""
    table: Table = Job.__table__  # type: ignore[assignment]
    for status, days in (("done", settings.job_days), ("dead", settings.dead_job_days)):
        if days:
            last = system_now() - dt.timedelta(days=days)
            delete_in_steps(database, table, table.c.status == status, table.c.run_at < last)


def delete_old_logs(database: Database, settings: Settings) -> None:
    """Delete what the request log, the events and the audit trail no longer keep."""
    kept = (
        Retention(Exchange, settings.request_log_days, settings.request_log_rows),
        Retention(Event, settings.event_days, settings.event_rows),
        Retention(AuditRow, settings.audit_days, settings.audit_rows),
    )
    tenant_ids = list_tenant_ids(database)
    for retention in kept:
        apply_retention(database, retention, tenant_ids)


PAUSE = dt.timedelta(minutes=1)
"""After which a duty that has failed is tried again."""
Periodic = Duty | Sweep
DUTIES: tuple[Periodic, ...] = (
    Sweep("expire tenants", dt.timedelta(minutes=5), sweep_expired),
    Duty("sweep limits", dt.timedelta(hours=1), sweep_meter),
    Sweep("forget ended tokens", dt.timedelta(hours=6), forget_ended_tokens),
    Sweep("forget idempotency keys", dt.timedelta(hours=1), sweep_keys),
    Sweep("forget done jobs", dt.timedelta(hours=6), delete_old_jobs),
    Sweep("forget ended links", dt.timedelta(hours=1), forget_ended_links),
    Sweep("forget ended sessions", dt.timedelta(hours=1), forget_ended_sessions),
    Sweep("forget guests", dt.timedelta(hours=1), forget_guests),
    Sweep("delete old logs", dt.timedelta(minutes=10), delete_old_logs),
)


def run_schedule(duties: Sequence[Periodic], database: Database, settings: Settings) -> int:
    """Perform every duty that is due. Returns how many were. One that fails is logged, and due again after PAUSE."""
    with database.transaction(write=False) as session:
        last = {row.name: row.ran_at for row in session.scalars(select(LastRun))}
    due = [duty for duty in duties if duty.name not in last or last[duty.name] + duty.every <= system_now()]
    return sum(_attempt(duty, database, settings) for duty in due)


def _attempt(duty: Periodic, database: Database, settings: Settings) -> bool:
    try:
        return _take_on(duty, database, settings)
    except FAILURES:
        log.exception("failed: %s", duty.name)
        _put_off(duty, database)
        return False


def _put_off(duty: Periodic, database: Database) -> None:
    soon = system_now() - duty.every + min(PAUSE, duty.every)
    with database.transaction() as session:
        session.merge(LastRun(name=duty.name, ran_at=soon))


def _take_on(duty: Periodic, database: Database, settings: Settings) -> bool:
    with database.transaction() as session:
        row = session.get(LastRun, duty.name, with_for_update=True)
        now = system_now()
        if row is not None and row.ran_at + duty.every > now:
            return False
        session.merge(LastRun(name=duty.name, ran_at=now))
        session.flush()
        if isinstance(duty, Duty):
            duty.perform(session)
    if isinstance(duty, Sweep):
        duty.sweep(database, settings)
    log.info("done: %s", duty.name)
    return True
