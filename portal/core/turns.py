"""Taking turns to write on SQLite, which has one writer at a time.

Left to themselves, waiting writers sleep and poll, and some starve: of eight, the slowest waited half a second.
Here they queue, threads at a lock of their process and processes at a lock of a file beside the database, where the
kernel wakes the next one at once, and frees the lock of a process that dies. A turn ends when the connection goes
back to its pool, whatever became of the transaction.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary, finalize

from sqlalchemy import Pool, event

from portal.core.checkpoints import Checkpointer
from portal.core.errors import ServiceUnavailable

PATIENCE_SECONDS = 15
_TURN = "slipway.turn"


class Turnstile:
    """Lets one writer of all processes through. Without a `path` it only minds the threads of this one."""

    def __init__(self, path: str | None) -> None:
        self._threads = threading.Lock()
        self._file = None if path is None else os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if self._file is not None:
            finalize(self, os.close, self._file)

    def enter(self) -> None:
        """Wait for the turn. Raises ServiceUnavailable when it takes too long."""
        if not self._threads.acquire(timeout=PATIENCE_SECONDS):
            raise ServiceUnavailable
        try:
            if self._file is not None:
                fcntl.flock(self._file, fcntl.LOCK_EX)
        except BaseException:
            self._threads.release()
            raise

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Be the one writer meanwhile. Raises ServiceUnavailable."""
        self.enter()
        try:
            yield
        finally:
            self.leave()

    def leave(self) -> None:
        """Give the turn to the next."""
        if self._file is not None:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        self._threads.release()


_turnstiles: WeakKeyDictionary[Pool, Turnstile] = WeakKeyDictionary()


def keep_turns(pool: Pool, database: str | None) -> None:
    """Let the writers of this pool queue; `database` is the path of its file, None where it is in memory."""
    turnstile = _turnstiles[pool] = Turnstile(f"{database}.turn" if database else None)
    checkpointer = Checkpointer(database, turnstile.turn) if database else None

    def give_back(connection: Any, record: Any, *_: Any) -> None:
        if record.info.pop(_TURN, False):
            if checkpointer is not None:
                checkpointer.note_write()
            turnstile.leave()

    event.listen(pool, "checkin", give_back)
    event.listen(pool, "invalidate", give_back)
    event.listen(pool, "soft_invalidate", give_back)


def take_turn(pool: Pool, info: MutableMapping[Any, Any]) -> None:
    """Wait to be the one writer; `info` is the connection's. Raises ServiceUnavailable."""
    turnstile = _turnstiles.get(pool)
    if turnstile is None or info.get(_TURN):
        return
    turnstile.enter()
    info[_TURN] = True
