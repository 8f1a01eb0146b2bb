"""Servers of other people, on loopback: each answers as a test wants, byte by byte if need be."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Act = Callable[["Line"], None]


@dataclass
class Line:
    """One connection: what was received on it, and the means to answer."""

    socket: socket.socket
    heard: list[bytes]
    is_over: threading.Event

    def hear(self) -> bytes:
        """The next request, head and body; empty when the caller hangs up."""
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._receive() or self._hang_up()
        head, _, body = data.partition(b"\r\n\r\n")
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        wanted = int(lengths[0].partition(b":")[2]) if lengths else 0
        while len(body) < wanted:
            body += self._receive() or self._hang_up()
        self.heard.append(head + b"\r\n\r\n" + body)
        return self.heard[-1]

    def say(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.socket.sendall(data)

    def drip(self, data: bytes, pause: float = 0.02) -> None:
        """Send one byte at a time until the caller hangs up or the test is over."""
        for byte in data:
            self.say(bytes([byte]))
            if self.is_over.wait(pause):
                return

    def _receive(self) -> bytes:
        return self.socket.recv(65_536)

    def _hang_up(self) -> bytes:
        raise ConnectionResetError


@dataclass
class Stranger:
    """A server: `heard` holds the requests it received, `connections` how many callers connected."""

    act: Act
    tls: ssl.SSLContext | None = None
    heard: list[bytes] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    @property
    def origin(self) -> str:
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}"


@contextlib.contextmanager
def serving(act: Act, tls: ssl.SSLContext | None = None) -> Iterator[Stranger]:
    """Serve on a port of loopback: `act` is called for each connection."""
    stranger = Stranger(act, tls)
    is_over = threading.Event()
    callers: list[tuple[socket.socket, threading.Thread]] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stranger.port = listener.getsockname()[1]
        accepting = threading.Thread(target=_accept, args=(listener, stranger, is_over, callers), daemon=True)
        accepting.start()
        try:
            yield stranger
        finally:
            is_over.set()
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for connected, thread in callers:
                with contextlib.suppress(OSError):
                    connected.shutdown(socket.SHUT_RDWR)
                thread.join()
                connected.close()


def answering(status: str, body: bytes = b"", *headers: str) -> Act:
    """Answers every request on a connection alike, and keeps the connection."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    answer = "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def act(line: Line) -> None:
        while True:
            line.hear()
            line.say(answer)

    return act


def once(*, head: bytes = b"", dripping: bytes = b"") -> Act:
    """Hears one request, says `head`, then drips the rest."""

    def act(line: Line) -> None:
        line.hear()
        line.say(head)
        line.drip(dripping)

    return act


def _accept(
    listener: socket.socket,
    stranger: Stranger,
    is_over: threading.Event,
    callers: list[tuple[socket.socket, threading.Thread]],
) -> None:
    while True:
        try:
            connected, _ = listener.accept()
        except OSError:
            return
        stranger.connections += 1
        thread = threading.Thread(target=_serve, args=(connected, stranger, is_over), daemon=True)
        callers.append((connected, thread))
        thread.start()


def _serve(connected: socket.socket, stranger: Stranger, is_over: threading.Event) -> None:
    """Act on a second handle of the connection, so that the first can end it from outside."""
    with contextlib.suppress(OSError), connected.dup() as line:
        line.settimeout(10)
        if stranger.tls is None:
            stranger.act(Line(line, stranger.heard, is_over))
        else:
            with stranger.tls.wrap_socket(line, server_side=True) as safe:
                stranger.act(Line(safe, stranger.heard, is_over))
    with contextlib.suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)
