"""Time. Nobody else asks the system for it: `now` comes from the tenant at hand, or from here."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from portal.core.calendars import IN_UTC, Calendar

UTC = dt.UTC


def system_now() -> dt.datetime:
    """The machine's time in UTC, for what belongs to no tenant: sessions, limits, leases, logs."""
    return dt.datetime.now(UTC)


@dataclass(frozen=True)
class Clock:
    """A tenant's own time: the machine's, moved forward by `offset`, and the calendar that turns it into dates."""

    offset: dt.timedelta = dt.timedelta()
    calendar: Calendar = IN_UTC

    def now(self) -> dt.datetime:
        """The tenant's instant in UTC, to the second: what records carry."""
        return (system_now() + self.offset).replace(microsecond=0)

    def at(self, instant: dt.datetime) -> dt.datetime:
        """An instant of the machine's time by the tenant's clock, to the second."""
        return (instant + self.offset).replace(microsecond=0)

    def today(self) -> dt.date:
        """Return the date that it is for the tenant, in its time zone (contract section 4)."""
        return self.calendar.date_of(self.now())
