"""Dates as other systems write them: formats of letters, read strictly."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_TOKENS = {
    "YYYY": "%Y",
    "YY": "%y",
    "MMM": "%b",
    "MM": "%m",
    "DD": "%d",
    "HH": "%H",
    "hh": "%I",
    "mm": "%M",
    "ss": "%S",
    "A": "%p",
    "Z": "%z",
}
_PART = re.compile("|".join(_TOKENS) + "|[A-Za-z]|%|.", re.DOTALL)
_LONGEST = 40
_DAY = ("%Y", "%m", "%d")


@lru_cache(maxsize=500)
def parse_format(text: str) -> str:
    """The format as Python reads dates. Raises ValueError for letters that mean nothing, twice, or no whole day.

    A `T` between date and time stands for itself.
    """
    parts = [_TOKENS.get(part, part) for part in _PART.findall(text)]
    known = [part for part in parts if part in _TOKENS.values()]
    for part in parts:
        if part.isascii() and part.isalpha() and part != "T":
            raise ValueError(f"{part} means nothing; use {', '.join(_TOKENS)}")
        if part == "%":
            raise ValueError("% is not allowed")
    same = [{"%y": "%Y", "%b": "%m", "%I": "%H"}.get(part, part) for part in known]
    if len(set(same)) != len(same):
        raise ValueError("names something twice")
    if not set(_DAY) <= set(same):
        raise ValueError("needs a year, a month and a day")
    if "%I" in known and "%p" not in known:
        raise ValueError("hh needs A, for morning or afternoon")
    return "".join(parts)


def has_time(text: str) -> bool:
    """True where a format tells the time of day."""
    return bool({"%H", "%I"} & set(re.findall("%[A-Za-z]", parse_format(text))))


def is_zone(name: str) -> bool:
    """True for a time zone's name, such as Asia/Kolkata."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def read_date(value: str, format: str, zone: str | None = None) -> str:
    """The date, or with a time of day the instant in UTC, as the API writes it. Raises ValueError."""
    if len(value) > _LONGEST:
        raise ValueError("too long")
    moment = dt.datetime.strptime(value, parse_format(format))  # noqa: DTZ007 — the zone is put on below
    if not has_time(format):
        return moment.date().isoformat()
    try:
        aware = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone or "UTC"))
        return aware.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")
    except OverflowError:
        raise ValueError("not an instant of the calendar") from None
