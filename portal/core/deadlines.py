"""How long the work at hand may still wait for its stores, in all."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

AFTER_A_FAILURE = 0.5
"""Seconds that a request may still wait for its stores once one has failed it: for what can be tidied up quickly."""

_ends_at: ContextVar[float | None] = ContextVar("stores_deadline", default=None)


def begin_waiting() -> None:
    """Forget the deadline of what this thread did before. Called when a request begins."""
    _ends_at.set(None)


def hurry() -> None:
    """Let the rest of the request wait for its stores no longer than AFTER_A_FAILURE."""
    _shorten(AFTER_A_FAILURE)


def seconds_left(most: float | None) -> float | None:
    """Return how long the next wait may take: `most` seconds, or what is left; None without an end."""
    ends_at = _ends_at.get()
    if ends_at is None:
        return most
    left = max(0.0, ends_at - time.monotonic())
    return left if most is None else min(most, left)


@contextmanager
def within(seconds: float | None) -> Iterator[None]:
    """Let several waits take no longer than `seconds` in all."""
    token = _ends_at.set(_ends_at.get())
    try:
        if seconds is not None:
            _shorten(seconds)
        yield
    finally:
        _ends_at.reset(token)


def _shorten(seconds: float) -> None:
    ends_at, present = time.monotonic() + seconds, _ends_at.get()
    _ends_at.set(ends_at if present is None else min(present, ends_at))
