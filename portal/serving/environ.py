"""The WSGI environ (PEP 3333) of a request as Granian's RSGI describes it."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Protocol


class Headers(Protocol):
    """The headers of a request: names in lower case, one pair for each line that was sent."""

    def items(self) -> Iterable[tuple[str, str]]: ...

    def get(self, key: str, default: Any = None) -> Any: ...

    def __contains__(self, key: str) -> bool: ...


class Scope(Protocol):
    """What RSGI tells of a request besides its body. `path` is decoded, `client` and `server` are `address:port`."""

    http_version: str
    server: str
    client: str
    scheme: str
    method: str
    path: str
    query_string: str
    authority: str | None
    headers: Headers


_CONSTANT = {
    "GATEWAY_INTERFACE": "CGI/1.1",
    "SCRIPT_NAME": "",
    "SERVER_SOFTWARE": "Slipway",
    "wsgi.errors": sys.stderr,
    "wsgi.input_terminated": True,
    "wsgi.multiprocess": True,
    "wsgi.multithread": True,
    "wsgi.run_once": False,
    "wsgi.version": (1, 0),
}


def build_environ(scope: Scope) -> dict[str, Any]:
    """Return the environ of a request with an empty body; `put_body` adds the received one."""
    environ: dict[str, Any] = _CONSTANT.copy()
    environ["REQUEST_METHOD"] = scope.method
    environ["PATH_INFO"] = as_latin1(scope.path)
    environ["QUERY_STRING"] = scope.query_string
    environ["REMOTE_ADDR"] = _split(scope.client)[0]
    environ["SERVER_NAME"], environ["SERVER_PORT"] = _split(scope.server)
    environ["SERVER_PROTOCOL"] = f"HTTP/{scope.http_version}"
    environ["wsgi.url_scheme"] = scope.scheme
    environ["wsgi.input"] = io.BytesIO()
    for name, value in scope.headers.items():
        key = _key_of(name)
        if key in environ:
            environ[key] += (";" if key == "HTTP_COOKIE" else ",") + value
        elif key:
            environ[key] = value
    if "HTTP_HOST" not in environ:
        environ["HTTP_HOST"] = scope.authority or ""
    return environ


def put_body(environ: dict[str, Any], body: bytes, length: int) -> None:
    """Give the environ its body. `length` is larger than the body if it was too large to be received."""
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    environ["CONTENT_LENGTH"] = str(length)
    environ["wsgi.input"] = io.BytesIO(body)


def as_latin1(path: str) -> str:
    """Return a decoded path as PEP 3333 has it: each character stands for a byte."""
    return path if path.isascii() else path.encode().decode("latin-1")


@lru_cache(maxsize=1024)
def _key_of(name: str) -> str:
    """Return the key of a header. One with an underscore could pose as another with a dash, so it has none."""
    if "_" in name:
        return ""
    key = name.upper().replace("-", "_")
    return key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"


@lru_cache(maxsize=1024)
def _split(text: str) -> tuple[str, str]:
    """Return the address and the port."""
    address, _, port = text.rpartition(":")
    return address.strip("[]"), port
