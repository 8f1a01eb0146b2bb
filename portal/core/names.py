"""Resolving names in time: the system's resolver cannot be told to hurry."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future

from portal.core.addresses import Resolver

_slots = threading.BoundedSemaphore(64)


def resolve_by_system(host: str) -> Sequence[str]:
    """Every address the system knows for a name. Raises OSError where there is none."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(f"{host} is no name") from error
    return [str(entry[4][0]) for entry in found]


def resolve_within(seconds: float, resolve: Resolver) -> Resolver:
    """The same resolver, which raises TimeoutError when it takes longer than so many seconds."""

    def resolve_in_time(host: str) -> Sequence[str]:
        ends_at = time.monotonic() + seconds
        if not _slots.acquire(timeout=max(seconds, 0)):
            raise TimeoutError
        answer: Future[Sequence[str]] = Future()
        threading.Thread(target=_resolve_into, args=(answer, resolve, host), daemon=True).start()
        return answer.result(max(ends_at - time.monotonic(), 0))

    return resolve_in_time


def _resolve_into(answer: Future[Sequence[str]], resolve: Resolver, host: str) -> None:
    try:
        answer.set_result(resolve(host))
    except BaseException as error:
        answer.set_exception(error if isinstance(error, Exception) else OSError(f"{host} was not resolved"))
    finally:
        _slots.release()
