"""When scheduled mappings run: cron expressions in the tenant's time zone, by the tenant's clock."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from sqlalchemy import select

from portal.core.session import TenantSession
from portal.tenancy.service import find_own
from sandbox.integration.outgoing.models import OutgoingMapping, SendSchedule

FIELDS = 5


def wrong_schedule(expression: str) -> str | None:
    """What is wrong with a cron expression; None where it can be used."""
    text = "Schedule must be a cron expression of five fields, such as 0 6 * * 1-5"
    if len(expression.split()) != FIELDS:
        return text
    try:
        next(CronSim(expression, dt.datetime(2024, 1, 1, tzinfo=dt.UTC)))
    except CronSimError as error:
        return f"{text}: {str(error)[:1].lower()}{str(error)[1:]}"
    except StopIteration:
        return "Schedule names a day that never comes"
    return None


def next_run(expression: str, after: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """The first instant after `after` that the expression names, in UTC."""
    return next(CronSim(expression, after.astimezone(zone))).astimezone(dt.UTC)


def zone_of(session: TenantSession) -> ZoneInfo:
    """The time zone of the session's tenant."""
    return ZoneInfo(find_own(session).time_zone)


def set_schedule(session: TenantSession, mapping: OutgoingMapping) -> None:
    """Let the mapping run as it now says: what changes from now on goes with its next run; or not at all."""
    known = find_schedule(session, mapping)
    if mapping.schedule is None or not mapping.active:
        if known is not None:
            session.delete(known)
        return
    now = session.clock.now()
    schedule = known or SendSchedule(mapping_id=mapping.id, last_at=now)
    schedule.next_at = next_run(mapping.schedule, now, zone_of(session))
    session.add(schedule)


def find_schedule(session: TenantSession, mapping: OutgoingMapping) -> SendSchedule | None:
    """When a mapping ran last and runs next; None for one without a schedule, or switched off."""
    return session.scalar(select(SendSchedule).where(SendSchedule.mapping_id == mapping.id))
