"""Days and times of day in every zone: each has one beginning, whatever clocks do there."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from functools import cache

import pytest

from portal.core.calendars import Calendar

SECOND, DAY = dt.timedelta(seconds=1), dt.timedelta(days=1)
FIRST = dt.date(2026, 1, 1)


@cache
def zones() -> dict[str, list[dt.date]]:
    """One zone for each way of changing clocks in 2026 and 2027, and the days on which it does."""
    found: dict[tuple[object, ...], str] = {}
    for name in sorted(zoneinfo.available_timezones() - {"localtime", "Factory"}):
        zone = zoneinfo.ZoneInfo(name)
        noons = (dt.datetime.combine(FIRST + n * DAY, dt.time(12), zone).utcoffset() for n in range(730))
        found.setdefault(tuple(noons), name)
    return {name: [FIRST + n * DAY for n in range(1, 730) if noons[n] != noons[n - 1]] for noons, name in found.items()}


def test_there_are_zones_that_change_their_clocks() -> None:
    assert len(zones()) > 40
    assert sum(bool(days) for days in zones().values()) > 15


def test_each_day_of_every_zone_begins_where_the_day_before_ends() -> None:
    for name in zones():
        calendar, day = Calendar(name), FIRST
        while day.year == FIRST.year:
            start = calendar.start_of(day)
            assert calendar.date_of(start) == day, (name, day)
            assert calendar.date_of(start - SECOND) == day - DAY, (name, day)
            assert calendar.end_of(day - DAY) == start
            day += DAY


@pytest.mark.parametrize(
    ("zone", "shown", "first"),
    [
        ("Europe/Helsinki", "2026-10-25T03:00:00", "2026-10-25T00:00:00"),
        ("Europe/Helsinki", "2026-10-25T03:59:59", "2026-10-25T00:59:59"),
        ("Europe/Helsinki", "2026-10-25T04:00:00", "2026-10-25T02:00:00"),
        ("Europe/Helsinki", "2026-03-29T03:30:00", "2026-03-29T01:00:00"),
        ("America/Santiago", "2026-09-06T00:00:00", "2026-09-06T04:00:00"),
        ("America/Nuuk", "2026-03-28T23:30:00", "2026-03-29T01:00:00"),
        ("Australia/Lord_Howe", "2026-10-04T02:15:00", "2026-10-03T15:30:00"),
        ("Pacific/Kiritimati", "2027-01-01T00:00:00", "2026-12-31T10:00:00"),
    ],
)
def test_a_time_that_occurs_twice_is_its_first_and_one_that_never_does_is_the_jump(
    zone: str, shown: str, first: str
) -> None:
    assert Calendar(zone).first(dt.datetime.fromisoformat(shown)) == dt.datetime.fromisoformat(f"{first}+00:00")


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_the_first_and_the_last_day_there_are_have_an_end_and_a_beginning(zone: str) -> None:
    calendar = Calendar(zone)
    for day in (dt.date.min, dt.date.max):
        assert calendar.start_of(day) <= calendar.end_of(day)
