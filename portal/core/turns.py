"""Taking turns to write on SQLite, which has one writer at a time.

Left to themselves, waiting writers sleep and poll, and some starve: of eight, the slowest waited half a second.
Threads of one process queue here instead; only the few processes still meet at SQLite's own lock. A turn ends when
the connection goes back to its pool, whatever became of the transaction.
"""

from __future__ import annotations

import threading
from collections.abc import MutableMapping
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Pool, event

from portal.core.errors import ServiceUnavailable

PATIENCE_SECONDS = 15
_TURN = "slipway.turn"
_turns: WeakKeyDictionary[Pool, threading.Lock] = WeakKeyDictionary()


def keep_turns(pool: Pool) -> None:
    """Let the writers of this pool queue."""
    turn = _turns[pool] = threading.Lock()

    def give_back(connection: Any, record: Any, *_: Any) -> None:
        if record.info.pop(_TURN, False):
            turn.release()

    event.listen(pool, "checkin", give_back)
    event.listen(pool, "invalidate", give_back)
    event.listen(pool, "soft_invalidate", give_back)


def take_turn(pool: Pool, info: MutableMapping[Any, Any]) -> None:
    """Wait to be the one writer of this process; `info` is the connection's. Raises ServiceUnavailable."""
    turn = _turns.get(pool)
    if turn is None or info.get(_TURN):
        return
    if not turn.acquire(timeout=PATIENCE_SECONDS):
        raise ServiceUnavailable
    info[_TURN] = True
