"""The faults: how each begins and ends. Their names are what FAULTS takes."""

from __future__ import annotations

import contextlib
import signal
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass

import psycopg

from tests.faults.deployments import POSTGRESQL, SQLITE, Deployment
from tests.faults.processes import descendants, send

_MOMENT_SECONDS = 0.3
_RESTART_SECONDS = 60
Injection = Callable[[Deployment], AbstractContextManager[None]]


@dataclass(frozen=True)
class Fault:
    """One row of the table. `lasts` is in seconds. Recovery counts from its end, or its start if `from_start`."""

    name: str
    title: str
    inject: Injection
    stores: tuple[str, ...] = (SQLITE, POSTGRESQL)
    lasts: float = 0.0
    from_start: bool = False
    needs_disk: bool = False


def _signalled(kind: signal.Signals, find: Callable[[Deployment], int]) -> Injection:
    """Send a signal to one process."""

    @contextmanager
    def inject(deployment: Deployment) -> Iterator[None]:
        send(find(deployment), kind)
        yield

    return inject


def _killed(find: Callable[[Deployment], int]) -> Injection:
    """Kill one process while it has work at hand: it is frozen for a moment first."""

    @contextmanager
    def inject(deployment: Deployment) -> Iterator[None]:
        victim = find(deployment)
        send(victim, signal.SIGSTOP)
        time.sleep(_MOMENT_SECONDS)
        send(victim, signal.SIGKILL)
        yield

    return inject


@contextmanager
def _rolling_restart(deployment: Deployment) -> Iterator[None]:
    """Have every process replaced, and wait until those before are gone."""
    product = deployment.product
    old = {product.worker, *product.server_processes}
    send(product.serve, signal.SIGHUP)
    until = time.monotonic() + _RESTART_SECONDS
    while old & set(descendants(product.serve)) and time.monotonic() < until:
        time.sleep(_MOMENT_SECONDS)
    yield


@contextmanager
def _postgresql_stopped(deployment: Deployment) -> Iterator[None]:
    assert deployment.postgresql is not None
    deployment.postgresql.stop()
    yield
    deployment.postgresql.start()


@contextmanager
def _postgresql_frozen(deployment: Deployment) -> Iterator[None]:
    assert deployment.postgresql is not None
    deployment.postgresql.freeze()
    yield
    deployment.postgresql.thaw()


@contextmanager
def _connections_taken(deployment: Deployment) -> Iterator[None]:
    """End the product's connections, and take every one there is before it can."""
    assert deployment.postgresql is not None
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend'"
    own = " AND NOT pid = ANY(%s)"
    with ExitStack() as stack:
        taken: list[psycopg.Connection[object]] = []
        while True:
            try:
                taken.append(stack.enter_context(psycopg.connect(deployment.postgresql.url, autocommit=True)))
            except psycopg.OperationalError:
                pids = [one.info.backend_pid for one in taken]
                if not taken[0].execute(others + own, [pids]).fetchall():
                    break
        yield


@contextmanager
def _redis_stopped(deployment: Deployment) -> Iterator[None]:
    assert deployment.redis is not None
    deployment.redis.stop()
    yield
    deployment.redis.start()


@contextmanager
def _redis_frozen(deployment: Deployment) -> Iterator[None]:
    assert deployment.redis is not None
    deployment.redis.freeze()
    yield
    deployment.redis.thaw()


def _redis_full(deployment: Deployment) -> AbstractContextManager[None]:
    assert deployment.redis is not None
    return deployment.redis.fill()


@contextmanager
def _file_locked(deployment: Deployment) -> Iterator[None]:
    """Hold SQLite's write lock, as another program may."""
    assert deployment.database is not None
    with contextlib.closing(sqlite3.connect(deployment.database, timeout=30, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def _disk_full(deployment: Deployment) -> Iterator[None]:
    assert deployment.disk is not None
    with deployment.disk.fill():
        yield
    if deployment.postgresql is not None:
        deployment.postgresql.ensure_running()


def _slow_bodies(count: int) -> Injection:
    """So many connections that send the head of a message and one byte of its body."""
    head = "POST /api/v1/support/guest HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"

    @contextmanager
    def inject(deployment: Deployment) -> Iterator[None]:
        with ExitStack() as stack:
            for _ in range(count):
                one = stack.enter_context(socket.create_connection(("127.0.0.1", deployment.product.port), timeout=10))
                one.sendall(f"{head}Content-Length: 900\r\n\r\n{{".encode())
            yield

    return inject


_PROCESSES = (
    Fault(
        "kill-parent",
        "kill -9 of the server's parent",
        _killed(lambda deployment: deployment.product.server),
        from_start=True,
    ),
    Fault(
        "kill-process",
        "kill -9 of a server process",
        _killed(lambda deployment: deployment.product.busiest_process),
        from_start=True,
    ),
    Fault(
        "kill-worker",
        "kill -9 of the worker",
        _killed(lambda deployment: deployment.product.worker),
        from_start=True,
    ),
    Fault(
        "kill-serve",
        "kill -9 of serve",
        _killed(lambda deployment: deployment.product.serve),
        from_start=True,
    ),
    Fault(
        "stop-start",
        "SIGTERM, and start",
        _signalled(signal.SIGTERM, lambda deployment: deployment.product.serve),
        from_start=True,
    ),
    Fault(
        "rolling-restart",
        "rolling restart (SIGHUP)",
        _rolling_restart,
        from_start=True,
    ),
)
_STORES = (
    Fault("file-locked", "database file locked, 15 s", _file_locked, (SQLITE,), 15),
    Fault("database-stopped", "PostgreSQL stopped, 5 s", _postgresql_stopped, (POSTGRESQL,), 5),
    Fault("database-frozen", "PostgreSQL frozen, 15 s", _postgresql_frozen, (POSTGRESQL,), 15),
    Fault("database-crowded", "no connection left, 5 s", _connections_taken, (POSTGRESQL,), 5),
    Fault("redis-stopped", "Redis stopped, 5 s", _redis_stopped, (POSTGRESQL,), 5),
    Fault("redis-frozen", "Redis frozen, 15 s", _redis_frozen, (POSTGRESQL,), 15),
    Fault("redis-full", "Redis full, 5 s", _redis_full, (POSTGRESQL,), 5),
)
FAULTS = (
    *_PROCESSES,
    *_STORES,
    Fault("bodies-16", "16 slow bodies", _slow_bodies(16), lasts=5, from_start=True),
    Fault("bodies-200", "200 slow bodies", _slow_bodies(200), lasts=5, from_start=True),
    Fault("disk-full", "disk full, 8 s", _disk_full, lasts=8, needs_disk=True),
)
