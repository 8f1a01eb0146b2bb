"""The one client for calls to other people's servers (contract section 7).

It goes to public addresses only, and checks the very address it connects to; it follows no redirect, keeps no
cookie, uses no proxy, decodes no body, and ends every exchange in time.
"""

from __future__ import annotations

import functools
import logging
import re
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

from portal.core.addresses import AddressRules, OutgoingFailed, Place, Resolver, read_place
from portal.core.connections import CheckedHttpPool, CheckedHttpsPool, Exchange, trusted_roots
from portal.core.names import resolve_by_system, resolve_within

__all__ = ["OutgoingAnswer", "OutgoingClient", "OutgoingFailed", "OutgoingRequest", "Resolver", "check_headers"]

USER_AGENT = "Slipway/1"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
CONNECTION_HEADERS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade", "expect"}
)
"""Headers that describe the connection itself: sent by the client alone."""
CHECK_SECONDS = 5.0
HEADERS_KEPT = 64
HEADER_LENGTH_KEPT = 2_000
_SEGMENT = re.compile(r"[A-Za-z0-9_-]+")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_VALUE = re.compile(r"[\t\x20-\x7e\xa0-\xff]*")

# What a hostile server sends must not fill the log, nor must URLs, which hold secrets.
logging.getLogger("urllib3").setLevel(logging.ERROR)


@dataclass(frozen=True)
class OutgoingRequest:
    """What to send. `timeout` is in seconds, from resolving the name to the last byte of the answer."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    timeout: float = 15.0


@dataclass(frozen=True)
class OutgoingAnswer:
    """What came back, redirects and errors included. `duration` is in seconds, `is_cut` marks a longer body.

    `body` is as it was sent, undecoded. `address` is the one that was connected to. Headers have no control characters.
    """

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    is_cut: bool
    duration: float
    address: str


def check_headers(headers: Mapping[str, str]) -> None:
    """Raise OutgoingFailed("forbidden") for a header that cannot be sent, or must be left to the client."""
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            raise OutgoingFailed("forbidden", f"The header {name!r} has characters that no header may have.")
        if name.lower() in CONNECTION_HEADERS or name.lower().startswith("proxy-"):
            raise OutgoingFailed("forbidden", f"The header {name} is set by the sender alone. Remove it.")


class OutgoingClient:
    """Sends requests to public addresses, to the networks of `allow` (CIDR), and to a few places of our own.

    `own` maps the URL prefixes of our own places to where they are reached from here; it is read anew for each
    call. A prefix followed by one segment of letters, digits, `_` and `-` qualifies, nothing else of ours.
    At most `body_kept` bytes of an answer's body are read. May be used by many threads at once.
    """

    def __init__(
        self,
        allow: Sequence[str],
        own: Mapping[str, str] = {},
        resolve: Resolver = resolve_by_system,
        body_kept: int = 65_536,
    ) -> None:
        self._rules = AddressRules(allow)
        self._own = own
        self._resolve = resolve
        self._body_kept = body_kept
        self._roots = functools.cache(trusted_roots)
        self._adapter = _Adapter(pool_connections=64, pool_maxsize=16)
        # Connections to our own places are made unchecked, so nobody else's call may ever reuse one.
        self._own_adapter = _Adapter(pool_connections=4, pool_maxsize=16)

    def check(self, url: str) -> None:
        """Say whether a URL may be called, as it stands and as its name resolves now.

        Raises OutgoingFailed("forbidden") or OutgoingFailed("unresolved"); its text names the remedy.
        """
        if self._own_place(url) is None:
            self._rules.checked(read_place(url).host, resolve_within(CHECK_SECONDS, self._resolve))

    def send(self, request: OutgoingRequest) -> OutgoingAnswer:
        """Send one request and read the answer, whatever its status. Raises OutgoingFailed."""
        if request.method not in METHODS:
            raise OutgoingFailed("forbidden", f"{request.method!r} is no method that may be sent.")
        check_headers(request.headers)
        own = self._own_place(request.url)
        place = own or read_place(request.url)
        if place.scheme == "https":
            self._roots()  # Read once, which takes a while that is not the first request's to lose.
        exchange = Exchange(
            rules=None if own else self._rules,
            resolve=self._resolve,
            roots=self._roots,
            ends_at=time.monotonic() + request.timeout,
        )
        prepared = _prepare(request, place)
        adapter = self._own_adapter if own else self._adapter
        with exchange:
            return self._carry_out(adapter, prepared, exchange, request.timeout)

    def close(self) -> None:
        """Close the connections that are kept."""
        self._adapter.close()
        self._own_adapter.close()

    def _own_place(self, url: str) -> Place | None:
        for prefix, reached_at in self._own.items():
            rest = url.removeprefix(prefix)
            if rest != url and _SEGMENT.fullmatch(rest):
                return read_place(reached_at + rest, any_port=True)
        return None

    def _carry_out(
        self, adapter: _Adapter, prepared: requests.PreparedRequest, exchange: Exchange, timeout: float
    ) -> OutgoingAnswer:
        started = time.monotonic()
        try:
            with adapter.send(prepared, stream=True, timeout=timeout, verify=True, proxies={}) as response:
                body = self._read_body(response.raw)
                headers = _kept_headers(response.raw)
                status = response.status_code
        except (requests.Timeout, TimeoutError, urllib3.exceptions.TimeoutError):
            raise exchange.overdue() from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError):
            raise OutgoingFailed("broken", "The connection broke before a whole answer had arrived.") from None
        if status < 200:
            raise OutgoingFailed("broken", f"The server answered with the interim status {status}.")
        kept, duration = body[: self._body_kept], time.monotonic() - started
        return OutgoingAnswer(status, headers, kept, len(body) > len(kept), duration, exchange.address)

    def _read_body(self, raw: urllib3.HTTPResponse) -> bytes:
        """The body, or one byte more than is kept; what follows is left, and its connection given up."""
        body = bytearray()
        for chunk in raw.stream(self._body_kept + 1, decode_content=False):
            body += chunk
            if len(body) > self._body_kept:
                break
        return bytes(body)


class _Adapter(HTTPAdapter):
    """Requests' own adapter on pools whose connections check where they go."""

    def init_poolmanager(self, *arguments: Any, **details: Any) -> None:
        super().init_poolmanager(*arguments, **details)
        self.poolmanager.pool_classes_by_scheme = {"http": CheckedHttpPool, "https": CheckedHttpsPool}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Certificates are always verified; the roots are the exchange's, read once."""
        conn.cert_reqs = ssl.CERT_REQUIRED


def _prepare(request: OutgoingRequest, place: Place) -> requests.PreparedRequest:
    headers = {"User-Agent": USER_AGENT, "Accept": "*/*", **request.headers}
    headers = {name: value for name, value in headers.items() if name.lower() != "accept-encoding"}
    headers["Accept-Encoding"] = "identity"
    prepared = requests.Request(request.method, "http://host.invalid/", headers=headers, data=request.body).prepare()
    prepared.url = place.url
    return prepared


def _kept_headers(raw: urllib3.HTTPResponse) -> list[tuple[str, str]]:
    lines = list(raw.headers.iteritems())[:HEADERS_KEPT]
    return [(name[:100], _CONTROL.sub(" ", value)[:HEADER_LENGTH_KEPT]) for name, value in lines]
