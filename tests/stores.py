"""Finding the stores to test on: SQLite always, PostgreSQL and Redis where they are found.

`TEST_DATABASE_URL` and `TEST_REDIS_URL` name running services; without them a server of our own is
started from the binaries on this machine, in a temporary folder.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis
from sqlalchemy.engine import make_url


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
        return stack.enter_context(_database_of_our_own(given))
    binaries = _postgresql_binaries()
    return stack.enter_context(_temporary_cluster(binaries, folder)) if binaries else ""


@contextmanager
def _database_of_our_own(url: str) -> Iterator[str]:
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


def _postgresql_binaries() -> Path | None:
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    return versions[-1] if versions else None


@contextmanager
def _temporary_cluster(binaries: Path, folder: Path) -> Iterator[str]:
    user = _unprivileged_user()
    data = folder / "postgresql"
    data.mkdir()
    if user:
        shutil.chown(data, user)
    port = _free_port()
    run = (
        {"check": True, "user": user, "cwd": data, "stdout": subprocess.DEVNULL}
        if user
        else {"check": True, "stdout": subprocess.DEVNULL}
    )
    subprocess.run([binaries / "initdb", "-D", data / "cluster", "-U", "postgres", "-A", "trust", "--no-sync"], **run)
    options = f"-p {port} -k {data} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=200"
    control = [binaries / "pg_ctl", "-D", data / "cluster", "-l", data / "log", "-w"]
    subprocess.run([*control, "-o", options, "start"], **run)
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], **(run | {"check": False}))


def _unprivileged_user() -> str | None:
    """PostgreSQL refuses to run as root; another user must own it then."""
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _redis(stack: ExitStack, folder: Path) -> str:
    given = os.environ.get("TEST_REDIS_URL")
    if given or not shutil.which("redis-server"):
        return given or ""
    return stack.enter_context(_temporary_redis(folder))


@contextmanager
def _temporary_redis(folder: Path) -> Iterator[str]:
    port = _free_port()
    arguments = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
    client = redis.Redis(port=port)
    for _ in range(200):
        try:
            client.ping()
            break
        except redis.ConnectionError:
            time.sleep(0.02)
    client.close()
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
