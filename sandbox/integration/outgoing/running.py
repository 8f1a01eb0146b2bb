"""Running scheduled mappings: what changed since the last run is sent. Missed runs are made up once."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import or_, select

from portal.core.clock import Clock, system_now
from portal.core.ids import new_request_id
from portal.core.jobs import Job, Task, enqueue, handles
from portal.core.ownership import table_of
from portal.core.session import TenantSession
from portal.schedule import Duty
from portal.tenancy.models import Tenant
from portal.tenancy.plans import is_entitled
from portal.tenancy.service import find_own, has_expired, lock_tenant
from sandbox.integration.outgoing.models import OutgoingMapping, SendSchedule
from sandbox.integration.outgoing.schedules import find_schedule, next_run, zone_of
from sandbox.integration.outgoing.sending import Outlet, outlet_of, send_records
from sandbox.integration.outgoing.sources import SOURCES

JOB = "outgoing.run"
EVERY = dt.timedelta(seconds=20)
AT_ONCE = 200


def queue_scheduled_sends(session: TenantSession) -> int:
    """Queue a run for each mapping that is due and not queued yet, of any tenant. Returns how many."""
    schedules = table_of(SendSchedule).c
    # The session is bound to no tenant, and reads of them no more than when they are due.
    columns = (schedules.tenant_id, schedules.mapping_id, schedules.last_at, schedules.next_at)
    runs_on = or_(Tenant.expires_at.is_(None), Tenant.expires_at > system_now())
    found = session.execute(
        select(*columns, Tenant.clock_offset, Tenant.plan).join(Tenant, Tenant.id == schedules.tenant_id).where(runs_on)
    )
    due = {
        (tenant_id, mapping_id)
        for tenant_id, mapping_id, last_at, next_at, offset, plan in found
        if is_entitled(plan, "integration") and _is_due(last_at, next_at, _now_by(offset))
    }
    fresh = sorted(due - _queued_runs(session)) if due else []
    for tenant_id, mapping_id in fresh:
        enqueue(session, JOB, {"mapping_id": mapping_id}, tenant_id=tenant_id)
    return len(fresh)


def run_mapping(session: TenantSession, mapping: OutgoingMapping) -> int:
    """Send what changed since the last run, and set the next one. Returns how many records that were.

    No other write of the tenant runs beside it, so none that is about to be stored falls between two runs. What
    changes within the second at hand is left to the next run. Where the clock went back, nothing is sent.
    """
    lock_tenant(session, alone=True)
    schedule, now = find_schedule(session, mapping), session.clock.now()
    if schedule is None or mapping.schedule is None or not _is_due(schedule.last_at, schedule.next_at, now):
        return 0
    count = 0
    if schedule.next_at <= now:
        trace = session.trace or new_request_id()
        count = _send_changed(session, outlet_of(session, mapping), (schedule.last_at, now), trace)
    schedule.last_at = now
    schedule.next_at = next_run(mapping.schedule, now, zone_of(session))
    return count


def run_due_mappings(session: TenantSession) -> int:
    """Run every mapping of the session's tenant that is due now. Returns how many records that sent."""
    wanted = select(OutgoingMapping).join(
        SendSchedule,
        (SendSchedule.tenant_id == OutgoingMapping.tenant_id) & (SendSchedule.mapping_id == OutgoingMapping.id),
    )
    due = wanted.where(SendSchedule.next_at <= session.clock.now()).order_by(SendSchedule.next_at)
    return sum(run_mapping(session, mapping) for mapping in session.scalars(due).all())


def _send_changed(session: TenantSession, outlet: Outlet, window: tuple[dt.datetime, dt.datetime], trace: str) -> int:
    """Send the records changed in a window, its end left out, in the order of their ids."""
    count, last = 0, 0
    model: Any = SOURCES[outlet.source].resource.model
    changed = select(model).where(model.updated_at >= window[0], model.updated_at < window[1])
    while records := list(session.scalars(changed.where(model.id > last).order_by(model.id).limit(AT_ONCE))):
        count += len(send_records(session, outlet, records, trace=trace))
        last = records[-1].id
        session.flush()
    return count


def _is_due(last_at: dt.datetime, next_at: dt.datetime, now: dt.datetime) -> bool:
    """True from the next run on; and where the clock went back behind the last one, so that it is set afresh."""
    return next_at <= now or last_at > now


def _queued_runs(session: TenantSession) -> set[tuple[int | None, int]]:
    """The runs that are queued, or wait for another try: tenant and mapping."""
    waiting = select(Job.tenant_id, Job.payload).where(Job.kind == JOB, Job.status == "due")
    return {(tenant_id, payload["mapping_id"]) for tenant_id, payload in session.execute(waiting)}


def _now_by(offset: int) -> dt.datetime:
    return Clock(dt.timedelta(seconds=offset)).now()


@handles(JOB)
def _run(task: Task) -> None:
    session = task.session
    tenant = find_own(session)
    if has_expired(tenant) or not is_entitled(tenant.plan, "integration"):
        return
    session.bind_tenant(tenant.id, tenant.clock)
    mapping = session.get(OutgoingMapping, (tenant.id, task.payload["mapping_id"]))
    if mapping is not None and mapping.active:
        run_mapping(session, mapping)


DUTY = Duty("queue scheduled sends", EVERY, queue_scheduled_sends)
