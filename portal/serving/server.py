"""The server: Granian, on listening sockets that it is given, so that no connection is refused while it changes.

Run as `python -m portal.serving.server`, by `serve` with the sockets' descriptors and its own process id.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import logging
import multiprocessing
import os
import resource
import socket
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from portal.core.config import Settings, load_settings
from portal.serving.listening import BACKLOG, open_listeners
from portal.serving.parents import end_with_parent

log = logging.getLogger("slipway.serve")

CONNECTIONS = 4096
TARGET = "rsgi:server"
MARGIN_SECONDS = 3
"""What the main process may take longer to end than its server processes."""
READY_SECONDS = 120.0
"""After which a new process that is not ready is given up."""
LOOK_SECONDS = 0.05


class Server(MPServer):
    """Granian whose processes listen on sockets that others hold. It would have each open one of its own.

    A connection that waits in a socket that only its process holds is reset when that process ends.
    """

    def listen_on(self, listeners: Sequence[socket.socket]) -> None:
        """Serve these sockets, one for each process. To be called before `serve`."""
        self._listeners = listeners

    def _init_shared_socket(self) -> None:
        # Kept as long as the server, which starts processes from them again and again.
        self._holders = [SocketHolder(one.fileno(), False, BACKLOG) for one in self._listeners]  # type: ignore[call-arg]
        self._use(0)

    def _spawn_worker(self, idx: int, target: Any, callback_loader: Any) -> Any:  # type: ignore[override]
        self._use(idx)
        return super()._spawn_worker(idx, target, callback_loader)

    def _use(self, index: int) -> None:
        """Give the next process the socket of its place, the one that its predecessor had."""
        place = index % len(self._listeners)
        self._sso, self._sfd = self._listeners[place], self._listeners[place].fileno()  # type: ignore[assignment]
        self._shd = self._holders[place]  # type: ignore[assignment]

    def serve_until_stopped(self) -> None:
        """Serve. Each process says that it is ready by a file of its own, which outlives it if it is killed."""
        with tempfile.TemporaryDirectory(prefix="slipway-") as folder:
            self._ready = Path(folder)
            self.serve(target_loader=partial(load_application, folder))

    def _respawn_workers(self, workers: Iterable[int], spawn_target: Any, target_loader: Any, delay: float = 0) -> None:
        """Replace processes. On a reload each goes on until its successor is ready, however long that takes."""
        if not delay:
            super()._respawn_workers(workers, spawn_target, target_loader)
            return
        for index in workers:
            successor = self._spawn_worker(index, spawn_target, target_loader)
            if not self._start(successor):
                log.error("a new server process did not become ready; the old ones go on")
                return
            old, self.wrks[index] = self.wrks[index], successor
            self._end(old)

    def _start(self, successor: Any) -> bool:
        """Start a process and wait until it is ready; end it if it is not in time."""
        successor.interrupt_by_parent = True
        successor.start()
        until = time.monotonic() + READY_SECONDS
        while successor.is_alive() and time.monotonic() < until:
            if (self._ready / str(successor.inner.pid)).exists():
                successor.interrupt_by_parent = False
                return True
            time.sleep(LOOK_SECONDS)
        self._end(successor)
        return False

    def _end(self, process: Any) -> None:
        process.terminate()
        process.join(self.workers_kill_timeout)
        if process.is_alive():
            process.kill()
            process.join()


def load_application(folder: str, target: str) -> Callable[..., Any]:
    """Load what a server process serves, and say that it is ready. Runs in that process.

    What is loaded stays, so the garbage collector does not look through it: neither while it grows nor afterwards.
    """
    module, _, name = target.partition(":")
    gc.disable()
    application: Callable[..., Any] = getattr(importlib.import_module(module), name)
    gc.freeze()
    gc.enable()
    (Path(folder) / str(os.getpid())).touch()
    return application


def build_server(settings: Settings) -> Server:
    """Return the server of these settings: as many processes as they say, each with its event loop and threads."""
    return Server(
        TARGET,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.RSGI,
        loop=Loops.uvloop,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=int(min(settings.request_timeout, 60) * 1000)),
        websockets=False,
        workers=settings.workers,
        backlog=BACKLOG,
        backpressure=_connections_allowed(),
        respawn_failed_workers=True,
        workers_kill_timeout=settings.shutdown_timeout,
        log_level=LogLevels(settings.log_level.lower()),
    )


def _connections_allowed() -> int:
    """Connections a server process may hold: half of its open files, the rest is for stores and logs."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return CONNECTIONS if soft == resource.RLIM_INFINITY else max(64, min(CONNECTIONS, soft // 2))


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--listener",
        type=int,
        action="append",
        help="descriptor of an open socket, one for each process; opens them by the settings if missing",
    )
    parser.add_argument("--parent", type=int, help="process to end with")
    options = parser.parse_args()
    settings = load_settings()
    if options.parent:
        end_with_parent(options.parent, settings.shutdown_timeout + MARGIN_SECONDS)
    given = [socket.socket(fileno=number) for number in options.listener or ()]
    # New interpreters, so that a reload takes on all new code: forks would keep what is loaded here.
    multiprocessing.set_start_method("spawn")
    server = build_server(settings)
    server.listen_on(given or open_listeners(settings))
    server.serve_until_stopped()


if __name__ == "__main__":
    main()
