"""When a failed delivery is tried again: the example schedule of the Standard Webhooks specification, with jitter."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from email.utils import parsedate_to_datetime

_HOUR = 3600
WAITS = (5, 300, 1800, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 14 * _HOUR, 20 * _HOUR, 24 * _HOUR)
"""Seconds before the second attempt, the third, and so on: ten attempts in 75 hours and a half."""
JITTER = 0.1
"""By how much of itself a wait may grow, at most. It never shrinks: nobody is called earlier than they were told."""
LONGEST_WAIT = dt.timedelta(hours=24)
"""The most a `Retry-After` is honoured for."""
OVERWHELMED = frozenset({429, 502, 504})
"""Answers that ask for less, by the same specification."""
GONE = 410
"""The answer that asks for nothing more."""
FIRST_PAUSE, LONGEST_PAUSE = dt.timedelta(seconds=5), dt.timedelta(minutes=10)


def wait_after(tries: int, waits: Sequence[float] = WAITS, asked: dt.timedelta | None = None) -> dt.timedelta | None:
    """How long to wait after that many attempts; not less than `asked`. None once there are to be no more."""
    if tries > len(waits):
        return None
    planned = dt.timedelta(seconds=waits[tries - 1] * (1 + JITTER * random.random()))  # noqa: S311 — spreads load
    return max(planned, asked or planned)


def read_retry_after(value: str | None, now: dt.datetime) -> dt.timedelta | None:
    """A `Retry-After` header as a length of time: seconds, or a date (RFC 9110 section 10.2.3). None for neither."""
    text = (value or "").strip()
    if text.isascii() and text.isdecimal():
        return min(dt.timedelta(seconds=int(text[:9])), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    if until.tzinfo is None:
        return None
    try:
        wait: dt.timedelta = until - now
    except OverflowError:
        return None
    return min(max(wait, dt.timedelta()), LONGEST_WAIT)


def pause_after(slowdowns: int, asked: dt.timedelta | None) -> dt.timedelta:
    """How long an endpoint is left alone that said it is overwhelmed, for the so many-th time running."""
    grown = min(FIRST_PAUSE * (1 << min(slowdowns, 10)), LONGEST_PAUSE)
    return max(grown, asked or grown)
