"""The sockets on which the server listens. `serve` holds them: connections wait there while processes change."""

from __future__ import annotations

import errno
import http.client
import socket
import threading
from collections.abc import Callable
from contextlib import closing

from portal.core.config import Settings

BACKLOG = 4096
EVERY_INTERFACE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 — compared with, not listened on
BUSY_ATTEMPTS = 100
PAUSE_SECONDS = 0.1
READY_ATTEMPTS = 1200


class PortInUse(Exception):
    """Another program listens on the port."""


def open_listeners(settings: Settings, stopping: threading.Event | None = None) -> list[socket.socket]:
    """Listen on the port of the settings, with a socket for each server process, so that all get their share.

    Raises PortInUse, after some patience with a server that is ending.
    """
    pause = stopping or threading.Event()
    for _ in range(BUSY_ATTEMPTS):
        try:
            _listen(settings, is_shared=False).close()
            return [_listen(settings, is_shared=True) for _ in range(settings.workers)]
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            if pause.wait(PAUSE_SECONDS):
                break
    raise PortInUse(f"Port {settings.port} of {settings.host} is in use. Stop the program that uses it, or set PORT.")


def _listen(settings: Settings, *, is_shared: bool) -> socket.socket:
    """Listen on the port, alone, or beside others that share it: the kernel deals out connections (SO_REUSEPORT)."""
    host = settings.host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    both = host == "::" and socket.has_dualstack_ipv6()
    return socket.create_server(
        (host, settings.port), family=family, backlog=BACKLOG, dualstack_ipv6=both, reuse_port=is_shared
    )


def is_answering(settings: Settings, has_ended: Callable[[], bool], stopping: threading.Event) -> bool:
    """Wait until the server answers; False if it ended instead, or takes too long."""
    for _ in range(READY_ATTEMPTS):
        if has_ended():
            return False
        if _answers(settings):
            return True
        if stopping.wait(PAUSE_SECONDS):
            return False
    return False


def _answers(settings: Settings) -> bool:
    host = EVERY_INTERFACE.get(settings.host, settings.host)
    with closing(http.client.HTTPConnection(host, settings.port, timeout=1)) as connection:
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
