"""Probes of the stores: does each take a write? Answered within a deadline, whatever the stores do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future

from portal.core.store_errors import kind_of

KEY, WINDOW_SECONDS = "readyz", 60
Problems = dict[str, str]


class StoreProbes:
    """A write to each store, on threads of its own. One that hangs is not started a second time."""

    def __init__(self, writes: Mapping[str, Callable[[], object]], seconds: float) -> None:
        """Take the write to each store by its name, and how many seconds all of them may take."""
        self._writes = writes
        self._seconds = seconds
        self._running: dict[str, Future[str]] = {}
        self._lock = threading.Lock()

    def find_problems(self) -> Problems:
        """Return how each store that takes no write fails: stuck, full, read-only or unreachable."""
        ends_at = time.monotonic() + self._seconds
        looks = {name: self._look(name) for name in self._writes}
        problems: Problems = {}
        for name, look in looks.items():
            try:
                problem = look.result(timeout=max(0.0, ends_at - time.monotonic()))
            except TimeoutError:
                problem = "stuck"
            if problem:
                problems[name] = problem
        return problems

    def names(self) -> list[str]:
        """The stores there are."""
        return list(self._writes)

    def _look(self, name: str) -> Future[str]:
        with self._lock:
            running = self._running.get(name)
            if running is None or running.done():
                running = self._running[name] = Future()
                threading.Thread(target=self._write, args=(name, running), name="probe", daemon=True).start()
            return running

    def _write(self, name: str, outcome: Future[str]) -> None:
        try:
            self._writes[name]()
        except BaseException as error:
            outcome.set_result(kind_of(error))
        else:
            outcome.set_result("")
