"""Taking turns to write on SQLite, which has one writer at a time.

Left to themselves, waiting writers sleep and poll, and some starve: of eight, the slowest waited half a second.
Here they queue, threads at a lock of their process and processes at a lock of a file beside the database, where the
kernel wakes the next one at once, and frees the lock of a process that dies. A turn ends when the connection goes
back to its pool, whatever became of the transaction.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Pool, event

from portal.core.breaker import CircuitBreaker
from portal.core.checkpoints import Checkpointer
from portal.core.errors import ServiceUnavailable
from portal.core.file_lock import FileLock
from portal.core.store_errors import kind_of

_TURN, _FAILED = "slipway.turn", "slipway.failed"
Info = MutableMapping[Any, Any]


class Turnstile:
    """Lets one writer of all processes through. Without a `database` path it only minds the threads of this one.

    Its breaker opens when somebody waited in vain for the turn, or had it and found the database locked.
    """

    def __init__(self, database: str | None) -> None:
        self.breaker = CircuitBreaker()
        self._threads = threading.Lock()
        self._file = None if database is None else FileLock(f"{database}.turn")
        self.checkpointer = None if database is None else Checkpointer(database, self.turn)

    def enter(self, seconds: float | None = None) -> None:
        """Wait for the turn, at most so many seconds. Raises ServiceUnavailable when it takes longer."""
        ends_at = None if seconds is None else time.monotonic() + seconds
        if not self._threads.acquire(timeout=-1 if seconds is None else seconds):
            raise ServiceUnavailable
        try:
            left = None if ends_at is None else max(0.0, ends_at - time.monotonic())
            if self._file is not None and not self._file.acquire(left):
                raise ServiceUnavailable
        except BaseException:
            self._threads.release()
            raise

    def leave(self) -> None:
        """Give the turn to the next."""
        if self._file is not None:
            self._file.release()
        self._threads.release()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Be the one writer meanwhile."""
        self.enter()
        try:
            yield
        finally:
            self.leave()

    def take(self, info: Info, seconds: float | None) -> None:
        """Take the turn for a connection, if it has none; `info` is the connection's. Raises ServiceUnavailable."""
        if info.get(_TURN):
            return
        was_open = self.breaker.is_open
        self.breaker.admit()
        try:
            self.enter(seconds)
        except ServiceUnavailable:
            self.breaker.trip(seconds)
            raise
        info[_TURN] = True
        if self.breaker.is_open and not was_open:
            info[_FAILED] = True
            raise ServiceUnavailable

    def note_failure(self, info: Info, error: BaseException, reading: CircuitBreaker) -> None:
        """Learn from a failed statement: open the writers' breaker or the one for `reading`, or free space."""
        kind = kind_of(error)
        if kind == "stuck":
            info[_FAILED] = True
            (self.breaker if info.get(_TURN) else reading).trip()
        elif kind == "full" and self.checkpointer is not None:
            self.checkpointer.make_room()

    def end(self, info: Info) -> None:
        """End the turn of a connection that goes back to its pool, or is given up."""
        if info.pop(_TURN, False):
            if self.checkpointer is not None:
                self.checkpointer.note_write()
            self.leave()

    def note_use(self, info: Info, reading: CircuitBreaker) -> None:
        """Learn from the use of a connection that comes to its end: unless a statement failed, the store answers."""
        if not info.pop(_FAILED, False):
            (self.breaker if info.get(_TURN) else reading).reset()


def keep_turns(pool: Pool, turnstile: Turnstile, reading: CircuitBreaker) -> None:
    """Let a turn end with the use of its connection."""

    def give_back(connection: Any, record: Any) -> None:
        turnstile.note_use(record.info, reading)
        turnstile.end(record.info)

    def give_up(connection: Any, record: Any, *_: Any) -> None:
        turnstile.end(record.info)

    event.listen(pool, "checkin", give_back)
    event.listen(pool, "invalidate", give_up)
    event.listen(pool, "soft_invalidate", give_up)
