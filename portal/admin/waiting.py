"""How long something has waited, in words."""

from __future__ import annotations

import datetime as dt

_UNITS = (("day", 1440), ("hour", 60), ("minute", 1))


def describe_wait(since: dt.datetime, now: dt.datetime) -> str:
    """Return the time from `since` to `now` in its largest unit: `5 minutes`, `1 hour`, `3 days`."""
    minutes = int((now - since).total_seconds() // 60)
    if minutes < 1:
        return "less than a minute"
    unit, size = next((unit, size) for unit, size in _UNITS if minutes >= size)
    count = minutes // size
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
