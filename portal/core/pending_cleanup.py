"""Small cleanups that a failing store did not take: retried until they are done."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from portal.core.errors import ServiceUnavailable

PAUSE_SECONDS = 1.0
Cleanup = Callable[[], bool]


class PendingCleanup:
    """A queue of cleanups. Each returns True once there is nothing left to do, and may raise ServiceUnavailable.

    Requests that come by try them, and so does a thread that lives as long as there are any. One that returned False
    is left to the thread.
    """

    def __init__(self, pause: float = PAUSE_SECONDS) -> None:
        self._pause = pause
        self._due: deque[Cleanup] = deque()
        self._later: deque[Cleanup] = deque()
        self._trying = threading.Lock()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, cleanup: Cleanup) -> None:
        """Try a cleanup, now and until it is done."""
        self._due.append(cleanup)
        self.run()

    def run(self) -> None:
        """Try what is due, unless another thread is trying."""
        if self._due:
            self._try()
            self._ensure_thread()

    def _try(self) -> None:
        if not self._trying.acquire(blocking=False):
            return
        try:
            while self._due:
                cleanup = self._due.popleft()
                try:
                    if not cleanup():
                        self._later.append(cleanup)
                except ServiceUnavailable:
                    self._due.appendleft(cleanup)
                    return
        finally:
            self._trying.release()

    def _ensure_thread(self) -> None:
        with self._starting:
            if self._thread is None and (self._due or self._later):
                self._thread = threading.Thread(target=self._go_on, name="cleanup", daemon=True)
                self._thread.start()

    def _go_on(self) -> None:
        pause = threading.Event()
        while True:
            pause.wait(self._pause)
            self._due.extend(self._later)
            self._later.clear()
            self._try()
            with self._starting:
                if not (self._due or self._later):
                    self._thread = None
                    return
