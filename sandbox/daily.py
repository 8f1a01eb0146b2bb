"""The daily reset: every sandbox goes back to its seed at an hour of its own time zone, unless it is turned off."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select

from portal.core.clock import system_now
from portal.core.errors import ValidationFailed
from portal.core.jobs import Task, enqueue, handles
from portal.core.session import TenantSession
from portal.schedule import Duty
from portal.tenancy.audit import record_act
from portal.tenancy.models import Tenant
from portal.tenancy.service import change_settings, find_tenant
from sandbox.seed.service import reset_tenant

JOB = "sandbox.daily_reset"
ACTOR = "daily reset"


def latest_due(tenant: Tenant, now: dt.datetime) -> dt.datetime | None:
    """Return the latest time at which the tenant was to be reset, by the machine's clock; None if there is none yet.

    Each day of the tenant's time zone has one such time. Where clocks show the hour twice it is the first, and where
    they jump over it, the jump.
    """
    if tenant.daily_reset_hour is None:
        return None
    day = tenant.calendar.date_of(now)
    if _due_on(tenant, day, tenant.daily_reset_hour) > now:
        day -= dt.timedelta(days=1)
    if tenant.daily_reset_from is not None and day < tenant.daily_reset_from:
        return None
    return _due_on(tenant, day, tenant.daily_reset_hour)


def _due_on(tenant: Tenant, day: dt.date, hour: int) -> dt.datetime:
    return tenant.calendar.start_of(day, dt.time(hour))


def is_overdue(tenant: Tenant, now: dt.datetime) -> bool:
    """True where the tenant is older than its latest due instant and was not reset since."""
    due = latest_due(tenant, now)
    return due is not None and (tenant.last_reset_at or tenant.created_at) < due


def queue_daily_resets(session: TenantSession) -> int:
    """Queue a reset for each sandbox that is overdue. Returns how many."""
    now = system_now()
    candidates = select(Tenant).where(Tenant.mode == "sandbox", Tenant.daily_reset_hour.is_not(None))
    overdue = [tenant for tenant in session.scalars(candidates) if is_overdue(tenant, now)]
    for tenant in overdue:
        enqueue(session, JOB, {}, tenant_id=tenant.id)
    return len(overdue)


def set_daily_reset(session: TenantSession, public_id: str, hour: int | None) -> Tenant:
    """Choose the hour of a sandbox's daily reset, 0 to 23, or None for never. It counts from the next day on.

    Raises NotFound, ValidationFailed.
    """
    if hour is not None and not 0 <= hour <= 23:
        raise ValidationFailed({"hour": "Hour must be from 0 to 23"})
    tenant = find_tenant(session, public_id)
    change_settings(session, tenant, {"daily_reset_hour": hour})
    return tenant


@handles(JOB)
def _reset(task: Task) -> None:
    tenant = task.session.get_one(Tenant, task.session.owner_id)
    if is_overdue(tenant, system_now()):
        reset_tenant(task.session, tenant)
        record_act(task.session, actor=ACTOR, action="sandbox.reset", subject=tenant.public_id)


DUTY = Duty("queue daily resets", dt.timedelta(minutes=5), queue_daily_resets)
