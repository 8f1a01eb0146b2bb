"""Days of a time zone. Nobody else derives a date from a time: offsets change, and the day is not UTC's everywhere."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

UTC = dt.UTC
EARLIEST = dt.datetime.min.replace(tzinfo=UTC)
LATEST = dt.datetime.max.replace(tzinfo=UTC)
MIDNIGHT = dt.time()
_SECOND = dt.timedelta(seconds=1)
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Calendar:
    """The calendar of an IANA time zone. All times that it takes and returns are aware; those it returns are in UTC."""

    zone: str = "UTC"

    @property
    def info(self) -> ZoneInfo:
        """The zone's rules."""
        return ZoneInfo(self.zone)

    def local(self, time: dt.datetime) -> dt.datetime:
        """Return a time as clocks of the zone show it. Raises OverflowError outside the years 1 to 9999."""
        return time.astimezone(self.info)

    def date_of(self, time: dt.datetime) -> dt.date:
        """Return the day of the zone in which a time lies."""
        return self.local(time).date()

    def start_of(self, day: dt.date, time: dt.time = MIDNIGHT) -> dt.datetime:
        """Return the first second of a day, or of what is left of it from a time of day on, as `first` tells it."""
        return self.first(dt.datetime.combine(day, time))

    def end_of(self, day: dt.date) -> dt.datetime:
        """Return the first second after a day."""
        return self.start_of(day + _DAY) if day < dt.date.max else LATEST

    def first(self, shown: dt.datetime) -> dt.datetime:
        """Return when clocks of the zone first show a day and time, given without a zone, or jump over it.

        A time that occurs twice is its first occurrence. One that does not occur is the second in which clocks go
        forward. So each day and time has exactly one result.
        """
        wall = shown.replace(tzinfo=self.info)
        try:
            found, other = wall.astimezone(UTC), wall.replace(fold=1).astimezone(UTC)
        except OverflowError:
            return EARLIEST if shown.year == dt.MINYEAR else LATEST
        return self._change_between(other, found) if other < found else found

    def _change_between(self, before: dt.datetime, after: dt.datetime) -> dt.datetime:
        """Return the second in which the offset changes, between two times that have different ones."""
        first = self.local(before).utcoffset()
        while after - before > _SECOND:
            middle = before + (after - before) // _SECOND // 2 * _SECOND
            if self.local(middle).utcoffset() == first:
                before = middle
            else:
                after = middle
        return after


IN_UTC = Calendar()
