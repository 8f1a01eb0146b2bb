"""Short writes of concurrent requests, committed together where the store has one writer at a time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from portal.core.errors import ServiceUnavailable
from portal.core.prepared import Direct, direct

Work = Callable[[Direct], Any]


@dataclass(eq=False)
class _Slip:
    """A piece of work that waits, and what became of it."""

    work: Work
    is_done: bool = False
    result: Any = None
    error: BaseException | None = None


class SharedWrites:
    """Each caller waits until its own write is committed. Whoever has the turn writes for all who have come by then.

    Where several can write at once (PostgreSQL), each writes alone: shared transactions would lock each other out.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._is_shared = engine.dialect.name == "sqlite"
        self._turn = threading.Lock()
        self._waiting: deque[_Slip] = deque()

    @property
    def waiting(self) -> int:
        """How many writes nobody has taken up yet."""
        return len(self._waiting)

    def write(self, work: Work) -> Any:
        """Run `work` in a transaction; return what it returns. It runs again, alone, if a transaction fails.

        Raises ServiceUnavailable if the store does not answer.
        """
        if not self._is_shared:
            return self._write_alone(work)
        slip = _Slip(work)
        self._waiting.append(slip)
        with self._turn:
            if not slip.is_done:
                self._write_waiting(slip)
        if isinstance(slip.error, ServiceUnavailable):
            raise ServiceUnavailable from slip.error
        return slip.result if slip.error is None else self._write_alone(work)

    def _write_alone(self, work: Work) -> Any:
        with direct(self._engine, write=True) as connection:
            return work(connection)

    def _write_waiting(self, own: _Slip) -> None:
        """Write for all who wait. Whatever ends the transaction, each of them is told that it did not happen."""
        taken: list[_Slip] = []
        error: BaseException | None = None
        running: _Slip | None = None
        try:
            with direct(self._engine, write=True) as connection:
                self._take(taken)
                for running in taken:
                    running.result = running.work(connection)
                running = None
        except BaseException as raised:
            error = raised
            self._take(taken)
            is_anothers = running is not None and running is not own
            if not isinstance(raised, Exception) and not is_anothers:
                raise
        finally:
            for slip in taken:
                slip.error, slip.is_done = error, True

    def _take(self, taken: list[_Slip]) -> None:
        while self._waiting:
            taken.append(self._waiting.popleft())
