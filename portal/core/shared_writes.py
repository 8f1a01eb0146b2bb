"""Short writes of concurrent calls, committed together where the store has one writer at a time."""

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


@dataclass
class _Slip:
    """A piece of work that waits, and what became of it."""

    work: Work
    is_done: bool = False
    result: Any = None
    error: Exception | None = None


class SharedWrites:
    """Each caller waits until its own write is committed. Whoever has the turn writes for all who have come by then.

    Where several can write at once (PostgreSQL), each writes alone: shared transactions would lock each other out.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._is_shared = engine.dialect.name == "sqlite"
        self._turn = threading.Lock()
        self._waiting: deque[_Slip] = deque()

    def write(self, work: Work) -> Any:
        """Run `work` in a transaction; what it returns. It is run again, alone, when a transaction fails.

        Raises ServiceUnavailable where the store does not answer.
        """
        if not self._is_shared:
            return self._write_alone(work)
        slip = _Slip(work)
        self._waiting.append(slip)
        with self._turn:
            if not slip.is_done:
                self._write_waiting()
        if isinstance(slip.error, ServiceUnavailable):
            raise ServiceUnavailable from slip.error
        return slip.result if slip.error is None else self._write_alone(work)

    def _write_alone(self, work: Work) -> Any:
        with direct(self._engine, write=True) as connection:
            return work(connection)

    def _write_waiting(self) -> None:
        taken: list[_Slip] = []
        error: Exception | None = None
        try:
            with direct(self._engine, write=True) as connection:
                self._take(taken)
                for slip in taken:
                    slip.result = slip.work(connection)
        except Exception as raised:
            error = raised
            self._take(taken)
        for slip in taken:
            slip.error, slip.is_done = error, True

    def _take(self, taken: list[_Slip]) -> None:
        while self._waiting:
            taken.append(self._waiting.popleft())
