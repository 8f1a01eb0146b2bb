"""The server: Granian, on a listening socket that it is given, so that no connection is refused while it changes.

Run as `python -m portal.serving.server`, by `serve` with the socket's descriptor and its own process id.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import socket

from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from portal.core.config import Settings, load_settings
from portal.serving.listening import BACKLOG, open_listener
from portal.serving.parents import end_with_parent

CONNECTIONS = 4096
TARGET = "rsgi:server"
MARGIN_SECONDS = 3
"""What the main process may take longer to end than its server processes."""


class Server(MPServer):
    """Granian whose processes share one socket, on Linux too, where it would have each listen on a socket of its own.

    A connection that waits in a process's own socket is reset when that process ends.
    """

    def listen_on(self, listener: socket.socket) -> None:
        """Serve this socket. To be called before `serve`."""
        self._listener = listener

    def _init_shared_socket(self) -> None:
        number = self._listener.fileno()
        self._sso, self._sfd = self._listener, number  # type: ignore[assignment]
        self._shd = SocketHolder(number, False, BACKLOG)  # type: ignore[assignment, call-arg]


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
        "--listener", type=int, help="descriptor of an open socket; opens one by the settings if missing"
    )
    parser.add_argument("--parent", type=int, help="process to end with")
    options = parser.parse_args()
    settings = load_settings()
    if options.parent:
        end_with_parent(options.parent, settings.shutdown_timeout + MARGIN_SECONDS)
    listener = open_listener(settings) if options.listener is None else socket.socket(fileno=options.listener)
    # New interpreters, so that a reload takes on all new code: forks would keep what is loaded here.
    multiprocessing.set_start_method("spawn")
    server = build_server(settings)
    server.listen_on(listener)
    server.serve()


if __name__ == "__main__":
    main()
