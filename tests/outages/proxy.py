"""A proxy before PostgreSQL that swallows the confirmation of a commit, and ends the connection."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Proxy:
    """Passes bytes both ways. Once a connection has carried `mark`, what confirms its next COMMIT is lost."""

    def __init__(self, port: int, mark: bytes) -> None:
        self._target, self._mark = port, mark
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.lost = 0

    def run(self) -> None:
        """Take connections until the listener is closed."""
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                line = _Line(self, client, server)
                threading.Thread(target=line.upstream, daemon=True).start()
                threading.Thread(target=line.downstream, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def carries_mark(self, data: bytes) -> bool:
        return self._mark in data


class _Line:
    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._is_marked = self._is_losing = False

    def upstream(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._client.recv(65_536):
                self._is_marked = self._is_marked or self._proxy.carries_mark(data)
                if self._is_marked and b"COMMIT" in data and not self._proxy.lost:
                    self._proxy.lost += 1
                    self._is_losing = True
                self._server.sendall(data)
        self._hang_up()
        self._client.close()

    def downstream(self) -> None:
        with contextlib.suppress(OSError):
            while (data := self._server.recv(65_536)) and not self._is_losing:
                self._client.sendall(data)
        self._hang_up()
        self._server.close()

    def _hang_up(self) -> None:
        for one in (self._client, self._server):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@contextmanager
def losing_confirmations(port: int, mark: bytes) -> Iterator[Proxy]:
    """A proxy before the server at `port`, on a port of its own."""
    proxy = Proxy(port, mark)
    thread = threading.Thread(target=proxy.run, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join()
