"""The product as an operator runs it: `flask serve` under a service manager that starts it again when it ends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from portal.core.config import ROOT

RESTART_SECONDS = 1.0
"""After which the service manager starts again what has ended."""
WORKERS, THREADS = 2, 4
PATIENCE_SECONDS = 90
_STOP_SECONDS = 45
_SERVES = "multiprocessing.spawn"
_FLASK = [sys.executable, "-m", "flask", "--app", "wsgi"]


class NotReady(Exception):
    """The product did not start, or did not answer in time."""


class Product:
    """One deployment: its settings, its processes, and what they log."""

    def __init__(self, settings: Mapping[str, str], port: int, log: Path) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self.port = port
        self.log = log
        self._environ = {**os.environ, **settings, "PORT": str(port), "BASE_URL": self.origin}
        self._environ |= {"WORKERS": str(WORKERS), "THREADS": str(THREADS)}
        self._stopping = threading.Event()
        self._starting = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper = threading.Thread(target=self._keep, daemon=True)

    def run(self, *arguments: str) -> str:
        """Run a command of the product to its end; return what it printed."""
        done = subprocess.run(
            [*_FLASK, *arguments], cwd=ROOT, env=self._environ, capture_output=True, text=True, timeout=PATIENCE_SECONDS
        )
        if done.returncode:
            raise NotReady(f"flask {' '.join(arguments)}: {done.stderr.strip()[-300:]}")
        return done.stdout

    def create_sandbox(self) -> dict[str, Any]:
        """A sandbox by command: its tenant, its publishable key and its keys by role."""
        created: dict[str, Any] = json.loads(self.run("sandbox", "create", "--format", "json"))
        return created

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Serve meanwhile, whatever becomes of the processes."""
        self._start()
        self._keeper.start()
        try:
            self.wait_until_ready()
            yield
        finally:
            with self._starting:
                self._stopping.set()
            self._end()
            self._keeper.join()

    def wait_until_ready(self, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until every server process runs and every store takes a write. Raises NotReady."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with contextlib.suppress(requests.RequestException):
                if self.is_whole() and requests.get(f"{self.origin}/readyz", timeout=5).status_code == 200:
                    return
            time.sleep(0.1)
        raise NotReady("the server was not ready in time")

    def is_whole(self) -> bool:
        """Return True if every server process has started its threads, those of its event loop included."""
        try:
            return sum(threads_of(number) >= THREADS + 4 for number in self.server_processes) >= WORKERS
        except StopIteration:
            return False

    @property
    def serve(self) -> int:
        """The process of `serve`."""
        assert self._process is not None
        return self._process.pid

    @property
    def server(self) -> int:
        """The parent of the server's processes."""
        return next(number for number in children(self.serve) if "worker" not in command_of(number))

    @property
    def server_processes(self) -> list[int]:
        """The processes that respond to requests. Python's resource tracker stands beside them."""
        return [number for number in children(self.server) if _SERVES in " ".join(command_of(number))]

    @property
    def busiest_process(self) -> int:
        """Of those, the one that has the most files and connections open."""
        return max(self.server_processes, key=lambda number: len(list(Path(f"/proc/{number}/fd").iterdir())))

    @property
    def worker(self) -> int:
        """The process that delivers."""
        return next(number for number in children(self.serve) if "worker" in command_of(number))

    def _start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*_FLASK, "serve"], cwd=ROOT, env=self._environ, stdout=log, stderr=log, start_new_session=True
            )

    def _keep(self) -> None:
        while self._process is not None:
            self._process.wait()
            self._stopping.wait(RESTART_SECONDS)
            with self._starting:
                if self._stopping.is_set():
                    return
                self._start()

    def _end(self) -> None:
        """Ask it to stop; kill what does not."""
        process = self._process
        if process is None:
            return
        family = [process.pid, *descendants(process.pid)]
        send(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            family += descendants(process.pid)
            for number in family:
                send(number, signal.SIGKILL)
            process.wait()


def children(parent: int) -> list[int]:
    """The processes that a process has started, oldest first."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(status.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(status.parent.name))
    return sorted(found)


def descendants(parent: int) -> list[int]:
    """Its children and theirs."""
    return [number for child in children(parent) for number in (child, *descendants(child))]


def command_of(number: int) -> list[str]:
    """The arguments of a process; none if it has ended."""
    try:
        return Path(f"/proc/{number}/cmdline").read_text().split("\0")
    except OSError:
        return []


def threads_of(number: int) -> int:
    """How many threads a process has; 0 if it has ended."""
    try:
        return sum(1 for _ in Path(f"/proc/{number}/task").iterdir())
    except OSError:
        return 0


def send(number: int, kind: signal.Signals) -> None:
    """Signal a process, if it still runs."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(number, kind)
