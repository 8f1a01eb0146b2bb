"""Being asked to stop, once politely, twice at once; and to reload."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

STOPPING_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequests:
    """`stopping` is set by the first SIGINT or SIGTERM, `hurrying` by the second, or `seconds` after the first.

    SIGHUP sets `reloading`; if it comes because the terminal was closed, it asks to stop.
    To be made on the main thread.
    """

    def __init__(self, seconds: float, hurry: Callable[[], object] | None = None) -> None:
        """Listen from now on. `hurry` is called when `hurrying` is set."""
        self.stopping = threading.Event()
        self.hurrying = threading.Event()
        self.reloading = threading.Event()
        self._has_terminal = _is_terminal()
        self._seconds = seconds
        self._hurry = hurry
        for number in STOPPING_SIGNALS:
            signal.signal(number, self._hear)
        signal.signal(signal.SIGHUP, self._hear)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        # On another thread: a handler interrupts the main one anywhere, even while that holds the lock of an event.
        threading.Thread(target=self._note, args=[number], name="signals", daemon=True).start()

    def _note(self, number: int) -> None:
        if number == signal.SIGHUP and not self._has_hung_up():
            self.reloading.set()
            return
        is_first = not self.stopping.is_set()
        self.stopping.set()
        if is_first and self.hurrying.wait(self._seconds):
            return
        self.hurrying.set()
        if self._hurry is not None:
            self._hurry()

    def _has_hung_up(self) -> bool:
        """Whether the terminal that this process was started from is gone."""
        return self._has_terminal and not _is_terminal()


def _is_terminal() -> bool:
    try:
        return os.isatty(sys.stdin.fileno())
    except (AttributeError, OSError, ValueError):
        return False
