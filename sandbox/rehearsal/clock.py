"""The sandbox's own time, moved forward on request. Back it goes by a restore or a reset alone (contract section 8)."""

from __future__ import annotations

import calendar
import datetime as dt
import math
import re
from dataclasses import dataclass

from portal.core.clock import system_now
from portal.core.errors import Conflict, ValidationFailed
from portal.core.remedies import Remedy
from portal.core.session import TenantSession
from portal.tenancy.clocks import set_clock
from portal.tenancy.models import Tenant
from sandbox.delivery.queue import shift_queue
from sandbox.integration.outgoing.running import run_due_mappings
from sandbox.rehearsal.due import Due, find_next, list_due

FURTHEST = dt.timedelta(days=1096)
MOST_LISTED = 100
_NUMBER = r"(\d{1,9})"
_DURATION = re.compile(
    rf"P(?:{_NUMBER}Y)?(?:{_NUMBER}M)?(?:{_NUMBER}W)?(?:{_NUMBER}D)?"
    rf"(?:T(?=\d)(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?",
    re.ASCII,
)


@dataclass(frozen=True)
class Duration:
    """A length of time as ISO 8601 writes it: months of the calendar, then seconds."""

    months: int
    seconds: int

    def after(self, instant: dt.datetime) -> dt.datetime:
        """The instant that much later; a month's missing day becomes its last. Raises OverflowError, ValueError."""
        month = instant.year * 12 + instant.month - 1 + self.months
        year, number = divmod(month, 12)
        last = calendar.monthrange(year, number + 1)[1]
        shifted = instant.replace(year=year, month=number + 1, day=min(instant.day, last))
        return shifted + dt.timedelta(seconds=self.seconds)


@dataclass(frozen=True)
class Move:
    """How far the clock went, and what fell due on the way: the first ones in order, and how many in all."""

    was: dt.datetime
    now: dt.datetime
    due: list[Due]
    total: int


def read_duration(text: str) -> Duration | None:
    """A duration such as `P3D` or `PT1H30M`, in whole numbers and longer than nothing; None for anything else."""
    match = _DURATION.fullmatch(text)
    if match is None:
        return None
    years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    duration = Duration(years * 12 + months, (((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + seconds)
    return duration if duration.months or duration.seconds else None


def advance(session: TenantSession, tenant: Tenant, duration: Duration) -> Move:
    """Move the tenant's clock on by a duration. Raises ValidationFailed beyond FURTHEST."""
    now = tenant.clock.now()
    try:
        length = duration.after(now) - now
    except (OverflowError, ValueError):
        raise _too_far("advance") from None
    return _move(session, tenant, tenant.clock_offset + int(length.total_seconds()), "advance")


def move_to(session: TenantSession, tenant: Tenant, target: dt.datetime) -> Move:
    """Move the tenant's clock on to an instant. Raises ValidationFailed for one that is past, or beyond FURTHEST."""
    now = tenant.clock.now()
    if target <= now:
        sentence = f"To must be later than the sandbox's time, {now:%Y-%m-%dT%H:%M:%SZ}; a restore or a reset goes back"
        raise ValidationFailed({"to": sentence})
    return _move(session, tenant, math.ceil((target - system_now()).total_seconds()), "to")


def move_to_next(session: TenantSession, tenant: Tenant) -> Move:
    """Move the tenant's clock on to what falls due next. Raises Conflict where nothing does."""
    upcoming = next_due(session, tenant)
    if upcoming is None:
        message = "Nothing falls due in the time the clock can still be moved. Advance it by a duration instead."
        raise Conflict(message, remedy=Remedy("state", "nothing due", "something that falls due"))
    return move_to(session, tenant, upcoming.at)


def next_due(session: TenantSession, tenant: Tenant) -> Due | None:
    """What falls due next, if the clock can be moved that far."""
    return find_next(session, tenant.clock.now(), system_now() + FURTHEST)


def _move(session: TenantSession, tenant: Tenant, offset: int, field: str) -> Move:
    if offset > FURTHEST.total_seconds():
        raise _too_far(field)
    was = tenant.clock.now()
    length = max(0, offset - tenant.clock_offset)
    set_clock(session, tenant, tenant.clock_offset + length)
    shift_queue(session, length)
    now = tenant.clock.now()
    move = Move(was, now, *list_due(session, was, now, MOST_LISTED))
    run_due_mappings(session)
    return move


def _too_far(field: str) -> ValidationFailed:
    return ValidationFailed({field: f"The clock may be {FURTHEST.days} days ahead of real time at most"})
