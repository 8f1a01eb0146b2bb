"""The processes of `flask serve`: the server and one worker, started again when they die, stopped without loss."""

from __future__ import annotations

import ctypes
import logging
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from portal.core.config import ROOT, Settings

log = logging.getLogger("slipway.serve")

POLL_SECONDS = 0.2
SHORT_SECONDS = 0.05
STEADY_SECONDS = 60
"""A process that has lived this long is started again at once when it dies."""
LONGEST_PAUSE = 30.0
MARGIN_SECONDS = 5
"""What a process may take longer to end than what is under way in it, before it is killed."""
CONNECTIONS = 4096
OPEN_FILES = 65_536
EVERY_INTERFACE = {"0.0.0.0", "::"}  # noqa: S104 — compared with, not listened on
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class Child:
    """A process that is kept running. What it started itself ends with it."""

    def __init__(self, name: str, command: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._command = list(command)
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._born = 0.0
        self._restart_at = 0.0
        self._pause = 0.0

    @property
    def code(self) -> int | None:
        """The exit code; None while it runs, or has not been started."""
        return self._process.poll() if self._process else None

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self.code is None

    @property
    def pid(self) -> int:
        """The process's id. To be asked once it was started."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it in a group of its own, so that it hears of an interrupt from us alone, and once."""
        self._born = self._clock()
        self._process = subprocess.Popen(  # noqa: S603 — our own arguments
            self._command, cwd=ROOT, start_new_session=True, preexec_fn=_end_with_parent
        )

    def revive(self) -> None:
        """Start it again if it has died: at once if it had lived long, otherwise after a growing pause."""
        if self.code is None:
            return
        if not self._restart_at:
            self._end_rest(signal.SIGTERM)
            lived = self._clock() - self._born
            self._pause = 0.0 if lived >= STEADY_SECONDS else min(LONGEST_PAUSE, self._pause * 2 or 0.5)
            self._restart_at = self._clock() + self._pause
            log.error("the %s ended with code %s; starting again in %g s", self._name, self.code, self._pause)
        if self._clock() >= self._restart_at:
            self._restart_at = 0.0
            self.start()

    def tell(self, number: signal.Signals) -> None:
        """Send it a signal if it runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def end(self) -> int:
        """Kill what still runs of it. Returns its exit code."""
        if self._process is None:
            return 0
        if self.code is None:
            log.error("the %s did not stop in time and is killed", self._name)
            self._process.kill()
        code = self._process.wait()
        self._end_rest(signal.SIGKILL)
        return code

    def _end_rest(self, number: signal.Signals) -> None:
        """Signal what a process that is gone has left behind."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)


def supervise(children: Sequence[Child], stopping: threading.Event, hurrying: threading.Event) -> None:
    """Keep the children running until told to stop; then stop all of them at once and wait for them."""
    while not stopping.wait(POLL_SECONDS):
        for child in children:
            child.revive()
    stop(children, hurrying)


def stop(children: Sequence[Child], hurrying: threading.Event) -> None:
    """Let the children end what is under way, together; kill those that have not when it is time to hurry."""
    for child in children:
        child.tell(signal.SIGTERM)
    while any(child.is_running for child in children) and not hurrying.wait(SHORT_SECONDS):
        pass
    for child in children:
        child.end()


def is_listening(settings: Settings, server: Child, stopping: threading.Event) -> bool:
    """Wait until the server takes connections; False if it ended instead, or takes too long."""
    host = "127.0.0.1" if settings.host in EVERY_INTERFACE else settings.host
    for _ in range(1200):
        if server.code is not None:
            return False
        try:
            socket.create_connection((host, settings.port), timeout=1).close()
            return True
        except OSError:
            if stopping.wait(0.05):
                return False
    return False


def server_command(settings: Settings) -> list[str]:
    """Return the command of the server: as many processes as settings say, each with its event loop and threads."""
    headers_ms = int(min(settings.request_timeout, 60) * 1000)
    return [
        *(sys.executable, "-m", "granian", "--interface", "rsgi", "--loop", "uvloop", "--http", "1", "--no-ws"),
        *("--host", settings.host, "--port", str(settings.port), "--workers", str(settings.workers)),
        *("--backlog", str(CONNECTIONS), "--backpressure", str(_connections_allowed())),
        *("--http1-header-read-timeout", str(headers_ms)),
        *("--respawn-failed-workers", "--workers-kill-timeout", str(settings.shutdown_timeout)),
        *("--log-level", settings.log_level.lower(), "rsgi:server"),
    ]


def worker_command() -> list[str]:
    """Return the command of a worker."""
    return [sys.executable, "-m", "flask", "--app", "wsgi", "worker"]


def allow_many_connections() -> None:
    """Raise this process's limit of open files, which its children inherit, as far as it may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft not in {resource.RLIM_INFINITY, hard} and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _connections_allowed() -> int:
    """Connections a server process may hold: half of its open files, the rest is for stores and logs."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return CONNECTIONS if soft == resource.RLIM_INFINITY else max(64, min(CONNECTIONS, soft // 2))


def _end_with_parent() -> None:
    """Be told to stop when the process that started this one dies, however it does (Linux)."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
