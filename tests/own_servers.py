"""Store servers of a test's own, from the binaries on this machine, which it may stop, start, freeze and fill."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import psycopg.sql
import redis


@dataclass
class PostgresqlServer:
    """A cluster in a folder of its own. `log` in that folder holds what the server said."""

    binaries: Path
    folder: Path
    options: str = ""
    port: int = field(default_factory=lambda: free_port())

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def create(self) -> None:
        """Make the cluster; no server runs yet."""
        self.folder.mkdir()
        user = unprivileged_user()
        if user:
            shutil.chown(self.folder, user)
        initdb = [self.binaries / "initdb", "-D", self._cluster, "-U", "postgres", "-A", "trust", "--no-sync"]
        self._run(initdb)

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off {self.options}"
        self._run([*self._control, "-o", options, "start"])

    def stop(self) -> None:
        """End the server at once, as a crash would. Safe to call when it does not run."""
        with contextlib.suppress(OSError, ValueError):
            self.thaw()
        self._run([*self._control, "-m", "immediate", "stop"], check=False)

    def ensure_running(self) -> None:
        """Start what was stopped, thaw what was frozen."""
        try:
            self.thaw()
            psycopg.connect(self.url, connect_timeout=5).close()
        except (OSError, ValueError, psycopg.OperationalError):
            self.stop()
            self.start()

    def freeze(self) -> None:
        """Stop every process of the server in its tracks: connections stay open, nothing answers."""
        for number in self.processes():
            _signal(number, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        for number in self.processes():
            _signal(number, signal.SIGCONT)

    def processes(self) -> list[int]:
        """The server's process and its children."""
        first = int((self._cluster / "postmaster.pid").read_text().split()[0])
        return [first, *_children(first)]

    def backends(self) -> list[int]:
        """The processes that serve a connection, this one's excepted."""
        with self.connect() as connection:
            rows = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
            return [number for (number,) in rows]

    @contextmanager
    def connect(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection that commits each statement."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            yield connection

    @contextmanager
    def hold(self, table: str) -> Iterator[Callable[[], int]]:
        """Keep a table locked; yields a function that counts who waits for a lock."""
        with contextlib.suppress(psycopg.OperationalError), self.connect() as holder, holder.transaction():
            holder.execute(psycopg.sql.SQL("LOCK TABLE {}").format(psycopg.sql.Identifier(table)))
            yield lambda: len(holder.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchall())

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Let every new connection only read."""
        with self.connect() as connection:
            connection.execute("ALTER SYSTEM SET default_transaction_read_only = on")
            connection.execute("SELECT pg_reload_conf()")
            yield
            connection.execute("SET default_transaction_read_only = off")
            connection.execute("ALTER SYSTEM RESET default_transaction_read_only")
            connection.execute("SELECT pg_reload_conf()")

    @contextmanager
    def fill(self) -> Iterator[None]:
        """Take every connection there is, those kept for superusers too."""
        with contextlib.ExitStack() as stack:
            while True:
                try:
                    stack.enter_context(psycopg.connect(self.url))
                except psycopg.OperationalError:
                    break
            yield

    @property
    def _cluster(self) -> Path:
        return self.folder / "cluster"

    @property
    def _control(self) -> list[Any]:
        return [self.binaries / "pg_ctl", "-D", self._cluster, "-l", self.folder / "log", "-w"]

    def _run(self, command: list[Any], *, check: bool = True) -> None:
        user = unprivileged_user()
        details: dict[str, Any] = {"user": user, "cwd": self.folder} if user else {}
        subprocess.run(command, check=check, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **details)


@dataclass
class RedisServer:
    """A Redis without a file."""

    folder: Path
    port: int = field(default_factory=lambda: free_port())
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        arguments = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self._process = subprocess.Popen([*arguments, "--dir", str(self.folder)], stdout=subprocess.DEVNULL)
        with self.client() as client:
            for _ in range(1000):
                with contextlib.suppress(redis.ConnectionError):
                    client.ping()
                    return
                time.sleep(0.02)
        raise RuntimeError("Redis did not start")

    def stop(self) -> None:
        """End the server at once. Safe to call when it does not run."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def ensure_running(self) -> None:
        """Start what was stopped, thaw what was frozen."""
        if self._process is None:
            self.start()
        self.thaw()

    def freeze(self) -> None:
        """Stop it in its tracks."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._send(signal.SIGCONT)

    @contextmanager
    def fill(self) -> Iterator[None]:
        """Let it hold no more than it holds: writes are refused meanwhile."""
        with self.client() as client:
            client.config_set("maxmemory-policy", "noeviction")
            client.config_set("maxmemory", "1")
            yield
            client.config_set("maxmemory", "0")

    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port)

    def _send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)


def postgresql_binaries() -> Path | None:
    """The folder of PostgreSQL's programs, if it is installed."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    return versions[-1] if versions else None


def unprivileged_user() -> str | None:
    """PostgreSQL refuses to run as root; another user must own it then."""
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _children(parent: int) -> list[int]:
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            after_name = status.read_text().rpartition(")")[2].split()
            if int(after_name[1]) == parent:
                found.append(int(status.parent.name))
    return found


def _signal(number: int, kind: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(number, kind)
