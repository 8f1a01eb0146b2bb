"""A circuit breaker: while a store does not answer, those who would wait for it are refused at once.

Threads are few. Without a breaker all of them would wait for a store that is stuck, and pages that need no store
would wait for a thread.
"""

from __future__ import annotations

import threading
import time

from portal.core.deadlines import AFTER_A_FAILURE
from portal.core.errors import ServiceUnavailable

PAUSE_SECONDS = 1.0
"""After which one caller may try whether the store answers again."""
LONGEST_TRIAL = 10.0
"""Seconds after which another may try, should nobody have told what became of the last trial."""


class CircuitBreaker:
    """Closed while the store answers, open after it has not. Safe for threads."""

    def __init__(self, pause: float = PAUSE_SECONDS) -> None:
        self._pause = pause
        self._open_until = 0.0
        self._lock = threading.Lock()

    @property
    def is_open(self) -> bool:
        """True from the time the store failed to answer until it answers."""
        return self._open_until > 0

    def admit(self) -> None:
        """Let a caller through; while the breaker is open, one after each pause. Raises ServiceUnavailable."""
        if not self._open_until:
            return
        with self._lock:
            now = time.monotonic()
            if now < self._open_until:
                raise ServiceUnavailable
            if self._open_until:
                self._open_until = now + LONGEST_TRIAL

    def trip(self, seconds: float | None = None) -> None:
        """Note that somebody waited in vain; `seconds` is how long, None for as long as it takes.

        A wait that was cut short proves nothing while the store answers, but it ends a trial.
        """
        if seconds is None or seconds >= AFTER_A_FAILURE or self._open_until:
            with self._lock:
                self._open_until = time.monotonic() + self._pause

    def reset(self) -> None:
        """Note that the store has answered."""
        if self._open_until:
            with self._lock:
                self._open_until = 0.0
