"""Counting calls against limits, exactly, over all workers: in Redis where there is one, else in the database."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

import redis
from limits.storage import RedisStorage, Storage
from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, String, Table, text
from sqlalchemy.orm import Session

from portal.core.database import Base, Database
from portal.core.errors import RateLimited
from portal.core.prepared import Prepared, direct


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

    def refuse_if_exceeded(self) -> None:
        """Raises RateLimited when the call at hand is one too many."""
        if self.used > self.limit.count:
            raise RateLimited(self.limit.name, max(1, self.reset_at - int(time.time())))


class Meter(Protocol):
    """Something that counts."""

    def charge(self, limit: Limit, subject: str, amount: int = 1) -> Reading:
        """Count `amount` calls of `subject` and say where it stands now."""
        ...


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
    """Counts in the table `rate_limits`, each charge a short transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def charge(self, limit: Limit, subject: str, amount: int = 1) -> Reading:
        used, expires_at = self.add(f"{limit.name}:{subject}", limit.seconds, amount)
        return Reading(limit, used, expires_at)

    def add(self, key: str, seconds: int, amount: int) -> tuple[int, int]:
        """Add to a counter that starts anew when its window ends."""
        now = int(time.time())
        values = {"key": key[:200], "amount": amount, "now": now, "expires_at": now + seconds}
        with direct(self._database.engine, write=True) as connection:
            used, expires = connection.rows(_CHARGE, values)[0]
        return used, expires

    def read(self, key: str) -> tuple[int, int]:
        """A counter and the end of its window; zeros when there is none."""
        with direct(self._database.engine, write=False) as connection:
            row = connection.row(_READ, {"key": key[:200], "now": int(time.time())})
        return (row[0], row[1]) if row else (0, 0)


def sweep_meter(session: Session) -> None:
    """Delete the counters whose window is over."""
    session.connection().execute(_SWEEP, {"now": int(time.time())})


class RedisMeter:
    """Counts in Redis through the storage of the `limits` library."""

    def __init__(self, url: str) -> None:
        self._storage = RedisStorage(url)

    def charge(self, limit: Limit, subject: str, amount: int = 1) -> Reading:
        key = f"{limit.name}:{subject}"
        used = self._storage.incr(key, limit.seconds, amount=amount)
        return Reading(limit, used, int(self._storage.get_expiry(key)))


class DatabaseStorage(Storage):
    """Lets Flask-Limiter count where DatabaseMeter counts."""

    STORAGE_SCHEME = ["slipway"]
    meter: DatabaseMeter

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **options: DatabaseMeter) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions)
        self.meter = options["meter"]

    @property
    def base_exceptions(self) -> type[Exception]:
        return Exception

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        return self.meter.add(key, int(expiry), amount)[0]

    def get(self, key: str) -> int:
        return self.meter.read(key)[0]

    def get_expiry(self, key: str) -> float:
        return self.meter.read(key)[1] or time.time()

    def check(self) -> bool:
        return True

    def reset(self) -> int | None:
        return None

    def clear(self, key: str) -> None:
        return None


def connect_redis(url: str) -> redis.Redis:
    """A client for the health check."""
    return redis.Redis.from_url(url, socket_timeout=2)
