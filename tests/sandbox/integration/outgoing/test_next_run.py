"""Scheduled runs by local time: once where clocks show the hour twice, and as they jump where it never comes."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from sandbox.integration.outgoing.schedules import next_run
from tests.portal.test_calendars import zones

HELSINKI = ZoneInfo("Europe/Helsinki")
AUTUMN = dt.datetime(2026, 10, 25, tzinfo=dt.UTC)
SPRING = dt.datetime(2026, 3, 29, 1, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
MINUTE = dt.timedelta(minutes=1)


def runs(expression: str, zone: ZoneInfo, first: dt.datetime, last: dt.datetime) -> list[dt.datetime]:
    """Every run after one time, up to another."""
    found = []
    now = next_run(expression, first, zone)
    while now <= last:
        found.append(now)
        now = next_run(expression, now, zone)
    return found


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("45 3 * * *", [AUTUMN + 45 * MINUTE]),
        ("*/30 3 * * *", [AUTUMN, AUTUMN + 30 * MINUTE]),
        ("0 3,4 * * *", [AUTUMN, AUTUMN + 2 * HOUR]),
        ("0 */3 * * *", [AUTUMN, AUTUMN + 4 * HOUR]),
        ("30 * * * *", [AUTUMN + 30 * MINUTE + n * HOUR for n in range(-1, 4)]),
    ],
)
def test_the_hour_that_occurs_twice_runs_once_unless_every_hour_runs(
    expression: str, expected: list[dt.datetime]
) -> None:
    found = runs(expression, HELSINKI, AUTUMN - HOUR, AUTUMN + 4 * HOUR)
    assert found == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("45 3 * * *", [SPRING]),
        ("*/30 3 * * *", [SPRING]),
        ("0 */3 * * *", [SPRING, SPRING + 2 * HOUR]),
        ("30 * * * *", [SPRING - 30 * MINUTE, SPRING + 30 * MINUTE, SPRING + 90 * MINUTE]),
    ],
)
def test_the_hour_that_never_occurs_runs_once_as_clocks_jump(expression: str, expected: list[dt.datetime]) -> None:
    assert runs(expression, HELSINKI, SPRING - HOUR, SPRING + 2 * HOUR) == expected


def test_the_next_run_is_later_from_wherever_it_is_asked_in_the_hour_that_occurs_twice() -> None:
    now = AUTUMN - HOUR
    while now < AUTUMN + 3 * HOUR:
        for expression in ("45 3 * * *", "*/15 3 * * *", "*/15 * * * *", "0 */2 * * *"):
            assert next_run(expression, now, HELSINKI) > now
        now += 5 * MINUTE


def test_in_every_zone_a_daily_run_stays_daily_across_each_change_of_clocks() -> None:
    for name, days in zones().items():
        for day in days:
            start = dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC) - 48 * HOUR
            for hour in range(24):
                found = runs(f"30 {hour} * * *", ZoneInfo(name), start, start + 96 * HOUR)
                assert len(found) in {3, 4, 5}, (name, day, hour)
                assert all(21 * HOUR < later - sooner < 27 * HOUR for sooner, later in pairwise(found))
