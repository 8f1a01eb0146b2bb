"""Keeping callers waiting, for a rehearsal, without keeping everybody else waiting too."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from portal.core.errors import RateLimited
from portal.core.runtime import runtime

_waiting = 0
_turn = threading.Lock()


def hold(ms: int) -> None:
    """Keep the call at hand waiting, by one who has a place to wait."""
    time.sleep(ms / 1000)


@contextmanager
def place_to_wait() -> Iterator[None]:
    """A place for one waiting call. Half of a process's threads may wait at once, so that the others go on serving.

    Raises RateLimited when all places are taken.
    """
    global _waiting
    most = runtime().settings.threads // 2
    with _turn:
        if _waiting >= most:
            raise RateLimited("waiting calls of a server process at once", 1, count=most)
        _waiting += 1
    try:
        yield
    finally:
        with _turn:
            _waiting -= 1
