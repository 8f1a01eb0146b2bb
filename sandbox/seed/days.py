"""The two and a half years that the seed covers, and the hours in which its company works, by UTC."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from random import Random

from portal.core.calendars import IN_UTC

FIRST_DAY = dt.date(2024, 1, 1)
LAST_DAY = dt.date(2026, 6, 30)
_CLOSED = frozenset({(1, 1), (1, 2), (5, 1), (12, 25), (12, 26), (12, 31)})


def dice(noun: str) -> Random:
    """A stream of chance of its own for each noun, the same on every run."""
    return Random(f"slipway:{noun}")  # noqa: S311 — believable, not secret


def months() -> list[dt.date]:
    """The first day of each month."""
    count = (LAST_DAY.year - FIRST_DAY.year) * 12 + LAST_DAY.month
    return [dt.date(FIRST_DAY.year + index // 12, index % 12 + 1, 1) for index in range(count)]


def days_of(month: dt.date) -> Iterator[dt.date]:
    """Every day of the month."""
    day = month
    while day.month == month.month:
        yield day
        day += dt.timedelta(days=1)


def business_days(month: dt.date) -> list[dt.date]:
    """The month's working days, Monday to Friday."""
    return [day for day in days_of(month) if day.weekday() < 5 and is_open(day)]


def is_open(day: dt.date) -> bool:
    """True where the shop is open: not on Sundays, nor on the few days all shops are closed."""
    return day.weekday() < 6 and (day.month, day.day) not in _CLOSED


def next_business_day(day: dt.date) -> dt.date:
    """The day itself, or the first working day after it."""
    while day.weekday() >= 5 or not is_open(day):
        day += dt.timedelta(days=1)
    return day


def month_name(day: dt.date) -> str:
    """As in `March 2025`."""
    return f"{_MONTHS[day.month - 1]} {day.year}"


_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def instant(day: dt.date, chance: Random, first: int = 8, last: int = 17) -> dt.datetime:
    """Some second of the day, in UTC, from the hour `first` to the hour `last`, not included."""
    second = chance.randrange(first * 3600, last * 3600)
    return start_of(day) + dt.timedelta(seconds=second)


def start_of(day: dt.date) -> dt.datetime:
    """Return the first second of a day."""
    return IN_UTC.start_of(day)


def day_of(time: dt.datetime) -> dt.date:
    """Return the day on which something happened."""
    return IN_UTC.date_of(time)
