"""What the clients sent and were told, attempt by attempt."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Write:
    """One write: its kind, a mark of its own, when it was first sent, and the answer once it was made."""

    kind: str
    mark: str
    began_at: float
    answer: dict[str, Any] | None = None


SLOW_SECONDS = 2.0
"""A response that took longer means that nobody served meanwhile."""


@dataclass
class Attempts:
    """When one client's attempts succeeded and failed, in seconds of the monotonic clock.

    `slow` are those of the successes whose response was long in coming.
    """

    successes: list[float] = field(default_factory=list)
    failures: list[float] = field(default_factory=list)
    slow: list[float] = field(default_factory=list)

    def succeed(self, began_at: float, ended_at: float) -> None:
        """Note a success."""
        self.successes.append(ended_at)
        if ended_at - began_at > SLOW_SECONDS:
            self.slow.append(ended_at)

    def back_at(self, since: float) -> float | None:
        """The first success after `since` with no failure and no slow response behind it; None if there is none."""
        last = max([since, *(at for at in self.failures if at > since)])
        first = next((at for at in self.successes if at > last), None)
        return None if first is None else max(first, *(at for at in self.slow if at > since), since)


class WriteLog:
    """The writes of all clients of one row. Safe for threads."""

    def __init__(self) -> None:
        self.writes: list[Write] = []
        self.statuses: Counter[int] = Counter()
        self.broken: Counter[str] = Counter()
        self.unexpected: list[str] = []
        self._lock = threading.Lock()

    def begin(self, kind: str, mark: str) -> Write:
        """Note a write that is about to be sent for the first time."""
        write = Write(kind, mark, time.monotonic())
        with self._lock:
            self.writes.append(write)
        return write

    def note_status(self, status: int, text: str) -> None:
        """Note an answer; keep the words of one that no caller should get."""
        with self._lock:
            self.statuses[status] += 1
            if status not in EXPECTED:
                self.unexpected.append(f"{status} {text[:300]}")

    def note_broken(self, kind: str) -> None:
        """Note an attempt without an answer, and what became of it: refused, cut off, or silent."""
        with self._lock:
            self.broken[kind] += 1

    def answered(self, *, since: float = 0.0) -> list[Write]:
        """The writes acknowledged that were first sent after `since`."""
        with self._lock:
            return [write for write in self.writes if write.answer is not None and write.began_at > since]


EXPECTED = frozenset({200, 201, 409, 429, 503})
"""What an honest client may be told: made, still under way, too many, come back later."""
