"""Background work: rows committed with the write that asked for them, claimed under a lease.

Any number of workers may run. One that is killed loses nothing: its lease ends and another takes over,
so a handler must be safe to run twice.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.clock import system_now
from portal.core.database import Base, Database
from portal.core.leases import HOLDER_LENGTH, free_leases_of_the_dead, lease_transaction
from portal.core.processes import name_process
from portal.core.session import TenantNotBound, TenantSession
from portal.core.types import EncryptedJson, UtcDateTime

LEASE = dt.timedelta(seconds=60)
BACKOFF = tuple(dt.timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 3600))

FAILURES = (Exception, SystemExit, GeneratorExit)
"""What a handler may raise without ending the worker: everything but an interrupt."""

log = logging.getLogger("slipway.jobs")


class Job(Base):
    """One piece of work. `status` is due, done or dead; dead ones are kept for a person to see.

    The payload is encrypted: a queued mail holds links that open an account.
    """

    __tablename__ = "jobs"
    __table_args__ = (Index(None, "status", "run_at"), Index(None, "leased_until"))

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    tenant_id: Mapped[int | None] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(60))
    payload: Mapped[dict[str, Any]] = mapped_column(EncryptedJson)
    status: Mapped[str] = mapped_column(String(10), default="due")
    run_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    leased_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    holder: Mapped[str | None] = mapped_column(String(HOLDER_LENGTH))
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(Text)


_TABLE = Base.metadata.tables[Job.__tablename__]


@dataclass(frozen=True)
class Task:
    """What a handler is given: a session in a transaction of its own, and the job's payload."""

    session: TenantSession
    payload: dict[str, Any]


Handler = Callable[[Task], None]


@dataclass(frozen=True)
class Registration:
    """A handler, whether its jobs belong to a tenant, whether it waits for somebody else's machine, what is done
    about a job that failed for good, and the pauses before each retry (BACKOFF if None).
    """

    handler: Handler
    needs_tenant: bool
    waits: bool = False
    on_death: Handler | None = None
    backoff: tuple[dt.timedelta, ...] | None = None


HANDLERS: dict[str, Registration] = {}


def handles(
    kind: str,
    *,
    needs_tenant: bool = True,
    waits: bool = False,
    on_death: Handler | None = None,
    backoff: tuple[dt.timedelta, ...] | None = None,
) -> Callable[[Handler], Handler]:
    """Register a function as the handler of one kind of job.

    A handler that `waits` for a network is given a session that only reads, so that it holds up no writer. `on_death`
    is given the job once every attempt has failed, in the transaction that marks it dead; should it fail, the job is
    dead all the same. `backoff` holds the pauses before each retry.
    """

    def register(handler: Handler) -> Handler:
        HANDLERS[kind] = Registration(handler, needs_tenant, waits, on_death, backoff)
        return handler

    return register


def enqueue(
    session: TenantSession,
    kind: str,
    payload: dict[str, Any],
    *,
    run_at: dt.datetime | None = None,
    tenant_id: int | None = None,
) -> Job:
    """Add a job to the session's transaction, for the session's tenant or for `tenant_id`.

    Raises TenantNotBound when the kind needs a tenant and there is none, KeyError for an unknown kind.
    """
    owner = session.tenant_id if tenant_id is None else tenant_id
    if HANDLERS[kind].needs_tenant and owner is None:
        raise TenantNotBound(f"a {kind} job needs a tenant")
    job = Job(tenant_id=owner, kind=kind, payload=payload, run_at=run_at or system_now())
    session.add(job)
    return job


def run_due_jobs(database: Database, *, limit: int = 50, stopping: threading.Event | None = None) -> int:
    """Claim and run what is due, one after another, at most `limit` jobs, none once `stopping` is set.

    Returns how many were run.
    """
    stopping = stopping or threading.Event()
    free_leases_of_the_dead(database, _TABLE)
    count = 0
    while count < limit and not stopping.is_set() and (job_id := _claim(database)) is not None:
        _run(database, job_id)
        count += 1
    return count


def _claim(database: Database) -> int | None:
    now = system_now()
    due = (
        select(Job.id)
        .where(Job.status == "due", Job.run_at <= now, or_(Job.leased_until.is_(None), Job.leased_until < now))
        .order_by(Job.run_at, Job.id)
        .limit(1)
    )
    with database.transaction(write=False) as session:
        if session.scalar(due) is None:
            return None
    until = now + LEASE
    with lease_transaction(database, _TABLE, until) as session:
        job_id = session.scalar(due.with_for_update(skip_locked=True))
        session.execute(update(Job).where(Job.id == job_id).values(leased_until=until, holder=name_process()))
        return job_id


def _run(database: Database, job_id: int) -> None:
    try:
        has_waited = _perform_waiting(database, job_id)
        with database.transaction() as session:
            job = session.get(Job, job_id)
            if job is None or job.status != "due":
                return
            if not has_waited:
                _perform(session, job)
            job.status, job.leased_until = "done", None
    except FAILURES as error:
        log.exception("job %s failed", job_id)
        _postpone(database, job_id, error)


def _perform_waiting(database: Database, job_id: int) -> bool:
    """Perform the job if it is one that waits, before the transaction that writes down that it is done."""
    with database.transaction(write=False) as session:
        job = session.get(Job, job_id)
        if job is None or job.status != "due" or not HANDLERS[job.kind].waits:
            return False
        _perform(session, job)
        return True


def _perform(session: TenantSession, job: Job) -> None:
    registration = HANDLERS[job.kind]
    registration.handler(_task_of(session, job, registration))
    session.flush()


def _task_of(session: TenantSession, job: Job, registration: Registration) -> Task:
    if registration.needs_tenant:
        if job.tenant_id is None:
            raise TenantNotBound(f"job {job.id} has no tenant")
        session.bind_tenant(job.tenant_id)
    return Task(session, job.payload)


def _postpone(database: Database, job_id: int, error: BaseException) -> None:
    with database.transaction() as session:
        job = session.get(Job, job_id)
        if job is None:
            return
        job.attempts += 1
        job.last_error = f"{type(error).__name__}: {error}"[:2000]
        job.leased_until = None
        backoff = _backoff_of(job)
        if job.attempts > len(backoff):
            job.status = "dead"
            _tell_death(session, job)
        else:
            job.run_at = system_now() + backoff[job.attempts - 1]


def _backoff_of(job: Job) -> tuple[dt.timedelta, ...]:
    registration = HANDLERS.get(job.kind)
    return (registration.backoff if registration else None) or BACKOFF


def _tell_death(session: TenantSession, job: Job) -> None:
    registration = HANDLERS.get(job.kind)
    if registration is None or registration.on_death is None:
        return
    try:
        with session.begin_nested():
            registration.on_death(_task_of(session, job, registration))
    except FAILURES:
        log.exception("nobody could be told that job %s is dead", job.id)
