"""Copying SQLite's write-ahead log into the database file, beside the requests.

Left to itself SQLite has the commit that fills the log copy all of it: one call in a thousand waited 40 ms. Here a
thread does so, in two steps. A passive checkpoint copies what it can while others read and write. Where so many write
that it never comes to the end of the log, the thread takes a turn and copies the little that is left.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, closing

EVERY = 500
"""After so many write transactions of this process; each adds some ten pages to the log."""
LONGEST_LOG = 16_000
"""Pages of 4 KiB in the log at which writers are held up for the rest of it. SQLite's own limit is above it."""

log = logging.getLogger("slipway.checkpoints")
Turn = Callable[[], AbstractContextManager[None]]


class Checkpointer:
    """Checkpoints of one database file; `turn` makes the one writer. Its thread starts with the first that is due."""

    def __init__(self, path: str, turn: Turn) -> None:
        self._path = path
        self._turn = turn
        self._writes = 0
        self._is_full = False
        self._due = threading.Event()
        self._thread: threading.Thread | None = None

    def note_write(self) -> None:
        """Count a write transaction that has ended. Called while it still has the turn, so never twice at once."""
        self._writes += 1
        if self._writes >= EVERY:
            self._writes = 0
            self._start()

    def make_room(self) -> None:
        """Cut the log off soon, because a write failed: its space may be all that the next one needs."""
        self._is_full = True
        self._start()

    def checkpoint(self) -> int:
        """Copy what can be copied, and all of it where the log is long. Returns the pages the log is left with."""
        with closing(sqlite3.connect(self._path, timeout=15, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous=NORMAL")
            pages, left = _copy(connection)
            if pages < LONGEST_LOG or not left:
                return left
            with self._turn():
                return _copy(connection)[1]

    def truncate(self) -> None:
        """Copy all of the log and give its space back to the disk."""
        with self._turn(), closing(sqlite3.connect(self._path, timeout=5, isolation_level=None)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)
            self._thread.start()
        self._due.set()

    def _run(self) -> None:
        while self._due.wait():
            self._due.clear()
            is_full, self._is_full = self._is_full, False
            try:
                self.truncate() if is_full else self.checkpoint()
            except BaseException:
                log.exception("the write-ahead log was not copied; the next checkpoint tries again")


def _copy(connection: sqlite3.Connection) -> tuple[int, int]:
    """Copy what nobody stands in the way of. Gives the pages in the log, and how many of them are still to be copied.

    It waits for nobody. Once nothing is left, the next writer begins the log anew, unless somebody still reads it.
    """
    _, pages, copied = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return pages, pages - copied
