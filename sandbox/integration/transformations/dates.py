"""Dates as other systems write them: formats of letters, read strictly."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
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
    "SSS": "%f",
    "A": "%p",
    "Z": "%z",
}
_PART = re.compile("S{1,9}|" + "|".join(name for name in _TOKENS if name != "SSS") + "|[A-Za-z]|%|.", re.DOTALL)
_LONGEST = 200
_DAY = ("%Y", "%m", "%d")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_OFFSET = "(?P<z>z|[+-][0-9]{2}:?[0-9]{2})"
_FRACTION = "(?:[.,](?P<f>[0-9]+))?"
_WIDTHS = {"%Y": "4", "%y": "2", "%m": "1,2", "%d": "1,2", "%H": "1,2", "%I": "1,2", "%M": "1,2", "%S": "1,2"}
_READERS = {"%b": "(?P<b>[a-z]{3})", "%p": "(?P<p>am|pm)", "%z": _OFFSET, "%f": "(?P<f>[0-9]+)?"}
_SPACE = "[ \u00a0\u202f]+"


class ClockChange(ValueError):
    """A local time that occurs twice, or never, in its zone; the text ends a sentence about it."""


@lru_cache(maxsize=500)
def parse_format(text: str) -> str:
    """The format as Python writes dates. Raises ValueError for letters that mean nothing, twice, or no whole day.

    A `T` between date and time stands for itself.
    """
    return "".join(_parts_of(text))


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
    """The date, or with a time of day the instant in UTC, as the API writes it.

    A second may have a fraction of any length; beyond the microsecond it is cut. A time may end with its offset,
    with or without a colon, even where the format does not say so. Raises ClockChange, and ValueError for the rest.
    """
    found = _reader(format).fullmatch(value) if len(value) <= _LONGEST else None
    if found is None:
        raise ValueError("not of this format")
    said = {name: text for name, text in found.groupdict().items() if text is not None}
    moment = _moment_of(said)
    if not has_time(format):
        return moment.date().isoformat()
    try:
        instant = (moment if moment.tzinfo else _in_zone(moment, ZoneInfo(zone or "UTC"), value)).astimezone(dt.UTC)
    except OverflowError:
        raise ValueError("not an instant of the calendar") from None
    return instant.replace(tzinfo=None).isoformat() + "Z"


def write_date(value: str, format: str, zone: str | None = None) -> str:
    """Return a date or an instant, as the API writes it, in a format. An instant is told in `zone`.

    A time without an offset is one of `zone`. Raises ValueError for what is neither, for a date in a format with a time
    of day, and outside the calendar.
    """
    if "T" not in value:
        if has_time(format):
            raise ValueError("has no time of day")
        return _write(dt.datetime.combine(dt.date.fromisoformat(value), dt.time()), format)
    try:
        return _write(in_zone(dt.datetime.fromisoformat(value), ZoneInfo(zone or "UTC")), format)
    except OverflowError:
        raise ValueError("lies outside the calendar") from None


def in_zone(time: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """Return a time as clocks of the zone show it. One without an offset is what they show."""
    return time.astimezone(zone) if time.tzinfo else time.replace(tzinfo=zone)


def _write(moment: dt.datetime, format: str) -> str:
    own = {"%Y": f"{moment.year:04}", "%f": f"{moment.microsecond // 1000:03}"}
    return moment.strftime("".join(own.get(part, part) for part in _parts_of(format)))


@lru_cache(maxsize=500)
def _parts_of(text: str) -> tuple[str, ...]:
    found = _PART.findall(text)
    parts = tuple("%f" if set(part) == {"S"} else _TOKENS.get(part, part) for part in found)
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
    if "%f" in known and "%S" not in known:
        raise ValueError("SSS needs ss, whose fraction it is")
    return parts


@lru_cache(maxsize=500)
def _reader(format: str) -> re.Pattern[str]:
    """What a value of this format matches. Digits that stand side by side have their full width."""
    parts, pattern = _parts_of(format), ""
    for place, part in enumerate(parts):
        beside = {*parts[max(place - 1, 0) : place], *parts[place + 1 : place + 2]}
        if part in _WIDTHS:
            is_tight = bool(beside & {*_WIDTHS, "%f"})
            width = _WIDTHS[part][-1] if is_tight else _WIDTHS[part]
            pattern += f"(?P<{part[1]}>[0-9]{{{width}}})"
            pattern += _FRACTION if part == "%S" and "%f" not in parts else ""
        elif part in ".," and "%f" in parts[place + 1 : place + 2]:
            continue
        elif part == "%f":
            pattern += _FRACTION if parts[place - 1] in ".," else _READERS[part]
        else:
            pattern += _READERS.get(part) or (_SPACE if part == " " else re.escape(part))
    may_end_with_offset = {"%H", "%I"} & set(parts) and "%z" not in parts
    return re.compile(f"{pattern}(?: ?{_OFFSET})?" if may_end_with_offset else pattern, re.IGNORECASE | re.ASCII)


def _moment_of(said: Mapping[str, str]) -> dt.datetime:
    """The moment, with its offset where it has one. Raises ValueError for none of the calendar."""
    year = int(said["Y"]) if "Y" in said else int(said["y"]) + (1900 if int(said["y"]) > 68 else 2000)
    month = _MONTHS.index(said["b"].lower()) + 1 if "b" in said else int(said["m"])
    micros = int(said.get("f", "0")[:6].ljust(6, "0"))
    moment = dt.datetime(  # noqa: DTZ001 — its zone is put on below, or by the caller
        year, month, int(said["d"]), _hour_of(said), int(said.get("M", 0)), int(said.get("S", 0)), micros
    )
    return moment.replace(tzinfo=_offset_of(said["z"])) if "z" in said else moment


def _hour_of(said: Mapping[str, str]) -> int:
    if "I" not in said:
        return int(said.get("H", 0))
    hour = int(said["I"])
    if not 1 <= hour <= 12:
        raise ValueError("no hour of the clock")
    return hour % 12 + (12 if said["p"].lower() == "pm" else 0)


def _offset_of(text: str) -> dt.tzinfo:
    if text in "zZ":
        return dt.UTC
    hours, minutes = int(text[1:3]), int(text[-2:])
    if minutes > 59:
        raise ValueError("no offset")
    length = dt.timedelta(hours=hours, minutes=minutes)
    return dt.timezone(-length if text[0] == "-" else length)


def _in_zone(local: dt.datetime, zone: ZoneInfo, text: str) -> dt.datetime:
    """The instant at which the zone's clocks show this time. Raises ClockChange."""
    first, second = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return first
    if first.astimezone(dt.UTC).astimezone(zone).replace(tzinfo=None) != local:
        raise ClockChange(f"does not occur in {zone.key}, where the clocks went forward. Correct the time")
    offset = f"{first:%z}"
    such_as = f"{text} {offset[:3]}:{offset[3:5]}"
    raise ClockChange(f"occurs twice in {zone.key}, where the clocks went back. Add the offset, such as {such_as}")
