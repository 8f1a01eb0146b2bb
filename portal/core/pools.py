"""Connections of one store: nobody waits for one longer than the store's timeout, or while its breaker is open."""

from __future__ import annotations

import math
from collections.abc import Callable, MutableMapping
from typing import Any

import psycopg
from psycopg.errors import ConnectionTimeout, _WaitTimeout
from sqlalchemy import QueuePool
from sqlalchemy.pool import PoolProxiedConnection

from portal.core.breaker import CircuitBreaker
from portal.core.deadlines import seconds_left, within
from portal.core.errors import ServiceUnavailable
from portal.core.turns import Turnstile

Info = MutableMapping[Any, Any]
SHORTEST_CONNECT_TIMEOUT = 2
"""Seconds: PostgreSQL's client takes nothing shorter."""
GRACE_SECONDS = 1.0
"""For which the client waits longer than the server may work, so that the server has the first word."""
_CHECK_SECONDS = 0.1


class Watch:
    """What is known of a store: how long to wait for it, whether it answers, and whose turn it is to write.

    `timeout` is in seconds; None waits without end, as a migration must.
    """

    def __init__(self, timeout: float | None, turnstile: Turnstile | None = None) -> None:
        self.timeout = timeout
        self.breaker = CircuitBreaker()
        self.turnstile = turnstile

    def take_turn(self, info: Info) -> None:
        """Wait to be SQLite's one writer; `info` is the connection's. Raises ServiceUnavailable."""
        if self.turnstile is not None:
            self.turnstile.take(info, seconds_left(self.timeout))

    def note_failure(self, info: Info, error: BaseException) -> None:
        """Learn from a statement that failed on the connection with `info`."""
        if self.turnstile is not None and not isinstance(error, ServiceUnavailable):
            self.turnstile.note_failure(info, error, self.breaker)


class StorePool(QueuePool):
    """A pool with a watch on its store."""

    watch: Watch

    def connect(self) -> PoolProxiedConnection:
        """Return a connection. Raises ServiceUnavailable while the breaker is open."""
        breaker = self.watch.breaker
        breaker.admit()
        try:
            with within(self.watch.timeout):
                return super().connect()
        except Exception as error:
            if not isinstance(error, ConnectionTimeout | ServiceUnavailable):
                breaker.reset()
            raise

    def recreate(self) -> StorePool:
        """Return an empty pool with the same watch."""
        pool = super().recreate()
        assert isinstance(pool, StorePool)
        pool.watch = self.watch
        return pool


def connector_with_deadlines(watch: Watch) -> Callable[..., psycopg.Connection[Any]]:
    """A function that connects to PostgreSQL; on its connections no wait outlasts the watch's timeout.

    A server that is frozen, or behind a network that swallows everything, sends no error: only the client's own
    clock ends such a wait. What is merely slow is ended by the server's `statement_timeout` before.
    """

    class Connection(psycopg.Connection[Any]):
        def wait(self, gen: Any, interval: float = _CHECK_SECONDS, timeout: float | None = None) -> Any:
            most = seconds_left(None if watch.timeout is None else watch.timeout + GRACE_SECONDS)
            try:
                result = super().wait(gen, interval, timeout if timeout is not None else most)
            except _WaitTimeout:
                if timeout is not None:
                    raise
                self.pgconn.finish()
                watch.breaker.trip(most)
                raise ConnectionTimeout("the server did not answer in time") from None
            except psycopg.Error:
                watch.breaker.reset()
                raise
            watch.breaker.reset()
            return result

    def connect(*arguments: Any, **details: Any) -> psycopg.Connection[Any]:
        try:
            return Connection.connect(*arguments, **details | _limits(watch.timeout))
        except ConnectionTimeout:
            watch.breaker.trip()
            raise

    return connect


def _limits(timeout: float | None) -> dict[str, Any]:
    """Parameters of a connection that hold the server and the network to the timeout."""
    left = seconds_left(timeout)
    if timeout is None or left is None:
        return {"options": "-c timezone=utc"}
    millis = math.ceil(timeout * 1000)
    return {
        "connect_timeout": max(SHORTEST_CONNECT_TIMEOUT, math.ceil(left)),
        "tcp_user_timeout": millis,
        "keepalives_idle": max(1, math.ceil(timeout)),
        "options": f"-c timezone=utc -c lock_timeout={millis} -c statement_timeout={millis}",
    }
