"""Being asked to stop: once politely, twice at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType

STOPPING_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequests:
    """`stopping` is set by the first SIGINT or SIGTERM, `hurrying` by the second, or `seconds` after the first.

    To be made on the main thread.
    """

    def __init__(self, seconds: float, hurry: Callable[[], object] | None = None) -> None:
        """Listen from now on. `hurry` is called when `hurrying` is set."""
        self.stopping = threading.Event()
        self.hurrying = threading.Event()
        self._seconds = seconds
        self._hurry = hurry
        for number in STOPPING_SIGNALS:
            signal.signal(number, self._hear)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        # On another thread: a handler interrupts the main one anywhere, even while that holds the lock of an event.
        threading.Thread(target=self._note, name="signals", daemon=True).start()

    def _note(self) -> None:
        is_first = not self.stopping.is_set()
        self.stopping.set()
        if is_first and self.hurrying.wait(self._seconds):
            return
        self.hurrying.set()
        if self._hurry is not None:
            self._hurry()
