"""A gate in place of a pause, so that a test decides by order, not by the clock, how long a held call waits."""

from __future__ import annotations

import threading

PATIENCE_SECONDS = 60


class Gate:
    """Holds every call that is to wait until the gate is opened."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._arrived = threading.Semaphore(0)

    def hold(self, ms: int) -> None:
        self._arrived.release()
        assert self._open.wait(PATIENCE_SECONDS), "the gate was never opened"

    def wait_for(self, count: int) -> None:
        """Return once this many calls wait."""
        for _ in range(count):
            assert self._arrived.acquire(timeout=PATIENCE_SECONDS), "no call waits"

    def open(self) -> None:
        self._open.set()
