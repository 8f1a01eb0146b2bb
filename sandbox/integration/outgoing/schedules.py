"""When scheduled mappings run: cron expressions in the tenant's time zone, by the tenant's clock."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from sqlalchemy import select

from portal.core.calendars import Calendar
from portal.core.session import TenantSession
from portal.tenancy.service import find_own
from sandbox.integration.outgoing.models import OutgoingMapping, SendSchedule

FIELDS = 5
HOURS = 24


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
    """Return the first time after `after` that the expression names, in UTC.

    An expression that names hours runs once for each time of day it names: at the first of two occurrences, or as
    clocks jump over it. One of every hour follows real time, so it runs in each hour that passes.
    """
    calendar = Calendar(zone.key)
    local = calendar.local(after)
    of_day = CronSim(expression, local.replace(tzinfo=None))
    if len(of_day.hours) == HOURS:
        found = (run.astimezone(dt.UTC) for run in CronSim(expression, local))
    else:
        found = (calendar.first(run) for run in of_day)
    return next(run for run in found if run > after)


def zone_of(session: TenantSession) -> ZoneInfo:
    """The time zone of the session's tenant."""
    return ZoneInfo(find_own(session).time_zone)


def set_schedule(session: TenantSession, mapping: OutgoingMapping) -> None:
    """Let the mapping run as it now says: what changes from now on goes with its next run; or not at all."""
    known = find_schedule(session, mapping)
    if mapping.schedule is None or not mapping.active or not mapping.rows:
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
