"""The processes of `flask serve`: the server and one worker, started again when they die, stopped without loss."""

from __future__ import annotations

import logging
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from portal.core.config import ROOT

log = logging.getLogger("slipway.serve")

POLL_SECONDS = 0.2
SHORT_SECONDS = 0.05
STEADY_SECONDS = 60
"""A process that has lived this long is started again at once when it dies."""
LONGEST_PAUSE = 30.0
MARGIN_SECONDS = 5
"""What a process may take longer to end than what is under way in it, before it is killed."""
OPEN_FILES = 65_536


class Child:
    """A process that is kept running. What it started itself ends with it."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        clock: Callable[[], float] = time.monotonic,
        *,
        pass_fds: Sequence[int] = (),
        reload_signal: signal.Signals | None = None,
    ) -> None:
        """Take what to start. `pass_fds` are descriptors it inherits.

        `reload_signal` has it take on new code and settings by itself; without, it ends for that and is started again.
        """
        self._name = name
        self._command = list(command)
        self._clock = clock
        self._pass_fds = tuple(pass_fds)
        self._reload_signal = reload_signal
        self._is_reloading = False
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
            self._command, cwd=ROOT, start_new_session=True, pass_fds=self._pass_fds
        )

    def revive(self) -> None:
        """Start it again if it has died: at once if it had lived long, otherwise after a growing pause."""
        if self.code is None:
            return
        if not self._restart_at:
            self._end_rest(signal.SIGTERM)
            self._restart_at = self._clock() + self._pause_before_restart()
        if self._clock() >= self._restart_at:
            self._restart_at = 0.0
            self.start()

    def _pause_before_restart(self) -> float:
        if self._is_reloading:
            self._is_reloading = False
            return 0.0
        lived = self._clock() - self._born
        self._pause = 0.0 if lived >= STEADY_SECONDS else min(LONGEST_PAUSE, self._pause * 2 or 0.5)
        log.error("the %s ended with code %s; starting again in %g s", self._name, self.code, self._pause)
        return self._pause

    def reload(self) -> None:
        """Have it take on new code and settings."""
        self._is_reloading = self._reload_signal is None
        self.tell(self._reload_signal or signal.SIGTERM)

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


def supervise(children: Sequence[Child], stopping: threading.Event, reloading: threading.Event) -> None:
    """Keep the children running until told to stop; have them reload when that is asked for."""
    while not stopping.wait(POLL_SECONDS):
        if reloading.is_set():
            reloading.clear()
            for child in children:
                child.reload()
        for child in children:
            child.revive()


def stop(children: Sequence[Child], hurrying: threading.Event) -> None:
    """Let the children end what is under way, together; kill those that have not when it is time to hurry."""
    for child in children:
        child.tell(signal.SIGTERM)
    while any(child.is_running for child in children) and not hurrying.wait(SHORT_SECONDS):
        pass
    for child in children:
        child.end()


def server_command(listeners: Sequence[int] = (), parent: int | None = None) -> list[str]:
    """Return the command of a server on open sockets, or on its own if none. It ends with the process `parent`."""
    options = [("--listener", number) for number in listeners] + ([("--parent", parent)] if parent else [])
    given = [part for name, value in options for part in (name, str(value))]
    return [sys.executable, "-m", "portal.serving.server", *given]


def worker_command(parent: int | None = None) -> list[str]:
    """Return the command of a worker. It ends with the process `parent`."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "worker"]
    return command if parent is None else [*command, "--parent", str(parent)]


def allow_many_connections() -> None:
    """Raise this process's limit of open files, which its children inherit, as far as it may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft not in {resource.RLIM_INFINITY, hard} and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
