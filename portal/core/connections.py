"""Connections that resolve a name themselves, check every address, connect to the checked one, and end in time.

What one exchange may do is told to the connection by a context variable: a connection outside an exchange fails.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from collections.abc import Callable
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from typing import Any

import certifi
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from portal.core.addresses import AddressRules, OutgoingFailed, Resolver
from portal.core.names import resolve_within

LARGEST_HEAD = 128 * 1024
ADDRESSES_TRIED = 4
ANYWHERE = AddressRules(("0.0.0.0/0", "::/0"))
_SLICE = 16 * 1024
_current: ContextVar[Exchange] = ContextVar("exchange")


@dataclass
class Exchange:
    """One request and its answer: where it may go, by when it ends (monotonic seconds), and where it went.

    `rules` is None for a place of our own, whose address is not checked.
    """

    rules: AddressRules | None
    resolve: Resolver
    roots: Callable[[], ssl.SSLContext]
    ends_at: float
    address: str = ""
    reads: io.RawIOBase | None = None
    _token: Token[Exchange] | None = field(default=None, repr=False)

    def __enter__(self) -> Exchange:
        self._token = _current.set(self)
        return self

    def __exit__(self, kind: object, *error: object) -> None:
        if self._token is not None:
            _current.reset(self._token)
        if kind is not None and self.reads is not None:
            self.reads.close()

    def left(self) -> float:
        """Seconds left. Raises OutgoingFailed("timeout") when there are none."""
        seconds = self.ends_at - time.monotonic()
        if seconds <= 0:
            raise self.overdue()
        return seconds

    def overdue(self) -> OutgoingFailed:
        """What is raised when the time is up."""
        return OutgoingFailed("timeout", "No whole answer arrived in time.")

    def addresses(self, host: str) -> list[str]:
        """The addresses to connect to, all of them checked. Raises OutgoingFailed."""
        rules = self.rules or ANYWHERE
        try:
            return rules.checked(host, resolve_within(self.left(), self.resolve))[:ADDRESSES_TRIED]
        except OutgoingFailed as failure:
            if failure.kind == "unresolved":
                self.left()
            raise


def trusted_roots() -> ssl.SSLContext:
    """The certificate authorities to trust: the well-known ones, and those this machine trusts besides."""
    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    return context


class CheckedHttpConnection(HTTPConnection):
    """A connection to a checked address, on which nothing outlasts the exchange."""

    address: str = ""

    def _new_conn(self) -> socket.socket:
        exchange = _current.get()
        connected = _connect(exchange, self.host, self.port or self.default_port)
        self.address = exchange.address = str(connected.getpeername()[0])
        return connected

    def send(self, data: Any) -> None:
        """Send bytes in slices, each within the time that is left."""
        exchange = _current.get()
        if self.sock is None:
            self.connect()
        exchange.address = self.address
        for start in range(0, len(data), _SLICE):
            self.sock.settimeout(exchange.left())
            try:
                self.sock.sendall(data[start : start + _SLICE])
            except TimeoutError:
                raise exchange.overdue() from None


class CheckedHttpsConnection(CheckedHttpConnection, HTTPSConnection):
    """The same with TLS: the certificate is verified for the host's name."""

    default_port = HTTPSConnection.default_port  # type: ignore[misc]

    def connect(self) -> None:
        """Connect and shake hands. Raises OutgoingFailed("tls") when the certificate is not accepted."""
        self.ssl_context = _current.get().roots()
        try:
            super().connect()
        except ssl.SSLCertVerificationError as error:
            text = f"The server's certificate was not accepted: {error.verify_message.rstrip('.')}."
            raise OutgoingFailed("tls", text) from None
        except TimeoutError:
            raise _current.get().overdue() from None
        except (ssl.SSLError, OSError):
            raise OutgoingFailed("tls", "No encrypted connection could be agreed on with the server.") from None


class CheckedHttpPool(HTTPConnectionPool):
    """Keeps checked connections."""

    ConnectionCls = CheckedHttpConnection


class CheckedHttpsPool(HTTPSConnectionPool):
    """Keeps checked connections with TLS."""

    ConnectionCls = CheckedHttpsConnection


def _connect(exchange: Exchange, host: str, port: int) -> socket.socket:
    """A socket connected to the first address that accepts; its timeout is what is left of the exchange."""
    addresses = exchange.addresses(host)
    is_overdue = False
    for index, address in enumerate(addresses):
        share = exchange.left() / (len(addresses) - index)
        try:
            connected = socket.create_connection((address, port), timeout=share)
        except TimeoutError:
            is_overdue = True
        except OSError:
            continue
        else:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connected.settimeout(exchange.left())
            return connected
    if is_overdue:
        raise OutgoingFailed("timeout", f"{host} did not accept a connection on port {port} in time.")
    raise OutgoingFailed("refused", f"{host} does not accept connections on port {port}.")


class _TimedReads(io.RawIOBase):
    """What a socket receives, each read within the time that is left; the head of an answer has a size limit."""

    def __init__(self, sock: socket.socket, exchange: Exchange) -> None:
        self._sock = sock
        self._file = sock.makefile("rb", buffering=0)
        self._exchange = exchange
        self.head_left: int | None = LARGEST_HEAD

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._exchange.left())
        try:
            count = self._file.readinto(buffer)
        except TimeoutError:
            raise self._exchange.overdue() from None
        if self.head_left is not None:
            self.head_left -= count or 0
            if self.head_left < 0:
                raise OutgoingFailed("broken", "The headers of the answer are too large.")
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


class _TimedResponse(http.client.HTTPResponse):
    """Reads an answer through timed reads."""

    def __init__(self, sock: socket.socket, *arguments: Any, **details: Any) -> None:
        super().__init__(sock, *arguments, **details)
        self.fp.close()
        exchange = _current.get()
        self._reads = exchange.reads = _TimedReads(sock, exchange)
        self.fp = io.BufferedReader(self._reads)

    def begin(self) -> None:
        super().begin()
        self._reads.head_left = None


CheckedHttpConnection.response_class = _TimedResponse
