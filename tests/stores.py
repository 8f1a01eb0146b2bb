"""Finding the stores to test on: SQLite always, PostgreSQL and Redis where they are found.

`TEST_DATABASE_URL` and `TEST_REDIS_URL` name running services; without them a server of our own is
started from the binaries on this machine, in a temporary folder.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from tests.own_servers import PostgresqlServer, RedisServer, postgresql_binaries


@dataclass(frozen=True)
class Store:
    """Where one run keeps its data; `reason` says why there is none."""

    database_url: str = ""
    redis_url: str = ""
    reason: str = ""


@contextmanager
def find_stores() -> Iterator[dict[str, Store]]:
    """SQLite with limits in the database; PostgreSQL with limits in Redis."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="slipway-")))
        folder.chmod(0o755)
        database_url = _postgresql(stack, folder)
        redis_url = _redis(stack, folder)
        yield {
            "sqlite": Store(f"sqlite:///{folder / 'slipway.db'}"),
            "postgresql": Store(database_url, redis_url)
            if database_url
            else Store(reason="PostgreSQL was not found: set TEST_DATABASE_URL or install its server"),
        }


def redis_missing() -> str:
    """Why the tests that need Redis are left out; empty when they are not."""
    found = os.environ.get("TEST_REDIS_URL") or shutil.which("redis-server")
    return "" if found else "Redis was not found: set TEST_REDIS_URL or install its server"


def _postgresql(stack: ExitStack, folder: Path) -> str:
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        return stack.enter_context(database_of_our_own(given))
    binaries = postgresql_binaries()
    return stack.enter_context(_temporary_cluster(binaries, folder)) if binaries else ""


@contextmanager
def database_of_our_own(url: str) -> Iterator[str]:
    """A new database on a running server, dropped at the end."""
    server = make_url(url.replace("postgres://", "postgresql://"))
    plain = server.set(drivername="postgresql").render_as_string(hide_password=False)
    name = f"slipway_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    yield server.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def _temporary_cluster(binaries: Path, folder: Path) -> Iterator[str]:
    server = PostgresqlServer(binaries, folder / "postgresql", "-c max_connections=200")
    server.create()
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


def _redis(stack: ExitStack, folder: Path) -> str:
    given = os.environ.get("TEST_REDIS_URL")
    if given or not shutil.which("redis-server"):
        return given or ""
    return stack.enter_context(_temporary_redis(folder))


@contextmanager
def _temporary_redis(folder: Path) -> Iterator[str]:
    server = RedisServer(folder)
    server.start()
    try:
        yield server.url
    finally:
        server.stop()
