"""Counting calls against limits, exactly, over all workers: in Redis where there is one, else in the database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import redis
from limits.storage import RedisStorage
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, String, Table, text
from sqlalchemy.orm import Session

from portal.core.breaker import CircuitBreaker
from portal.core.database import Base, Database
from portal.core.errors import RateLimited, ServiceUnavailable
from portal.core.prepared import Direct, Prepared, direct

KEY_LENGTH = 200


@dataclass(frozen=True)
class Limit:
    """At most `count` calls in a window of `seconds`. `name` is shown to the caller, `reason` to the reader."""

    name: str
    count: int
    seconds: int
    reason: str


@dataclass(frozen=True)
class Reading:
    """Where a caller stands: `used` includes the call at hand, `reset_at` is in epoch seconds."""

    limit: Limit
    used: int
    reset_at: int

    @property
    def remaining(self) -> int:
        return max(0, self.limit.count - self.used)

    @property
    def headers(self) -> dict[str, str]:
        """The three headers of contract section 4."""
        return {
            "X-RateLimit-Limit": str(self.limit.count),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset_at),
        }

    @property
    def is_exceeded(self) -> bool:
        """True when the call at hand is one too many."""
        return self.used > self.limit.count

    def refuse_if_exceeded(self) -> None:
        """Raises RateLimited when the call at hand is one too many."""
        if self.is_exceeded:
            wait = max(1, self.reset_at - int(time.time()))
            raise RateLimited(self.limit.name, wait, count=self.limit.count, reset_at=self.reset_at)


class Meter(Protocol):
    """Something that counts, in windows that begin with the first call."""

    def add(self, key: str, seconds: int, amount: int) -> tuple[int, int]:
        """Add to a counter. Returns what it has come to and when its window ends, in epoch seconds."""
        ...

    def read(self, key: str) -> tuple[int, int]:
        """A counter and the end of its window; zeros when there is none."""
        ...


def charge(meter: Meter, limit: Limit, subject: str, amount: int = 1) -> Reading:
    """Count `amount` calls of `subject` and say where it stands now."""
    used, reset_at = meter.add(f"{limit.name}:{subject}"[:KEY_LENGTH], limit.seconds, amount)
    return Reading(limit, used, reset_at)


def _define(metadata: MetaData) -> Table:
    return Table(
        "rate_limits",
        metadata,
        Column("key", String(200), primary_key=True),
        Column("used", Integer, nullable=False),
        Column("expires_at", BigInteger, nullable=False),
        Index(None, "expires_at"),
    )


_define(Base.metadata)

_CHARGE = Prepared(
    text(
        "INSERT INTO rate_limits (key, used, expires_at) VALUES (:key, :amount, :expires_at) "
        "ON CONFLICT (key) DO UPDATE SET "
        "used = CASE WHEN rate_limits.expires_at <= :now THEN :amount ELSE rate_limits.used + :amount END, "
        "expires_at = CASE WHEN rate_limits.expires_at <= :now THEN :expires_at ELSE rate_limits.expires_at END "
        "RETURNING used, expires_at"
    )
)
_READ = Prepared(text("SELECT used, expires_at FROM rate_limits WHERE key = :key AND expires_at > :now"))
_SWEEP = text("DELETE FROM rate_limits WHERE expires_at <= :now")


class DatabaseMeter:
    """Counts in the table `rate_limits`, each time in a short transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._engine = database.engine

    def add(self, key: str, seconds: int, amount: int) -> tuple[int, int]:
        now = int(time.time())
        values = {"key": key, "amount": amount, "now": now, "expires_at": now + seconds}
        with direct(self._engine, write=True) as connection:
            used, expires_at = connection.rows(_CHARGE, values)[0]
        return used, expires_at

    def read(self, key: str) -> tuple[int, int]:
        with direct(self._engine, write=False) as connection:
            return _read(connection, key)


@dataclass(frozen=True)
class Tab:
    """A charge still to be made: it is written together with the log, in one transaction.

    It stays exact: the charge decides, and a call over the limit is undone and its answer withheld, whatever
    the look beforehand said.
    """

    limit: Limit
    subject: str
    amount: int

    @property
    def key(self) -> str:
        return f"{self.limit.name}:{self.subject}"[:KEY_LENGTH]

    def look(self, connection: Direct) -> Reading:
        """Where the subject would stand after this call, without counting it."""
        used, reset_at = _read(connection, self.key)
        return Reading(self.limit, used + self.amount, reset_at)

    def settle(self, connection: Direct) -> Reading:
        """Count the call."""
        now = int(time.time())
        values = {"key": self.key, "amount": self.amount, "now": now, "expires_at": now + self.limit.seconds}
        used, reset_at = connection.rows(_CHARGE, values)[0]
        return Reading(self.limit, used, reset_at)


def _read(connection: Direct, key: str) -> tuple[int, int]:
    row = connection.row(_READ, {"key": key, "now": int(time.time())})
    return (row[0], row[1]) if row else (0, 0)


def sweep_meter(session: Session) -> None:
    """Delete the counters whose window is over."""
    session.connection().execute(_SWEEP, {"now": int(time.time())})


class RedisMeter:
    """Counts in Redis through the storage of the `limits` library."""

    def __init__(self, url: str, timeout: float) -> None:
        """Count in the Redis at `url`; each wait for it takes at most `timeout` seconds."""
        again = Retry(NoBackoff(), 1, (redis.ConnectionError,))
        waits = {"socket_timeout": timeout, "socket_connect_timeout": timeout}
        self._storage = RedisStorage(url, redis.ConnectionPool.from_url(url, retry=again, **waits))
        self._breaker = CircuitBreaker()

    def add(self, key: str, seconds: int, amount: int) -> tuple[int, int]:
        with self._answering():
            used = self._storage.incr(key, seconds, amount=amount)
            return used, int(self._storage.get_expiry(key))

    def read(self, key: str) -> tuple[int, int]:
        with self._answering():
            return self._storage.get(key), int(self._storage.get_expiry(key))

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Raise ServiceUnavailable if Redis fails, at once while it is known not to answer."""
        self._breaker.admit()
        try:
            yield
        except redis.TimeoutError as error:
            self._breaker.trip()
            raise ServiceUnavailable from error
        except redis.RedisError as error:
            self._breaker.reset()
            raise ServiceUnavailable from error
        self._breaker.reset()
