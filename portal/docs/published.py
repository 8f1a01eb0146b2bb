"""Pages printed once: bytes in three encodings with an ETag each, served without rendering.

A page belongs here only if it is the same for every visitor: its view reads nothing of the request but
the path.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any

import brotli
from flask import Response, current_app, make_response, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import Headers

CACHE_CONTROL = "public, max-age=0, must-revalidate"
DROPPED = {"content-length", "content-type", "etag", "cache-control", "vary", "set-cookie"}


class Edition:
    """One page in one encoding, ready to send."""

    __slots__ = ("body", "etag", "headers")

    def __init__(self, body: bytes, etag: str, headers: list[tuple[str, str]]) -> None:
        self.body = body
        self.etag = etag
        self.headers = headers

    def answer(self, if_none_match: str | None) -> Response:
        """The page, or 304 when the caller has it."""
        if if_none_match and (if_none_match == self.etag or _names(if_none_match, self.etag)):
            return Response(status=304, headers=Lines(self.headers))
        return Response(self.body, headers=Lines(self.headers))


class Lines(Headers):
    """Headers known to be sound: taken over without checking each again, which would cost half the answer."""

    def __init__(self, lines: list[tuple[str, str]]) -> None:
        self._list = list(lines)


class Shelf:
    """The printed pages of one application, by path. Grows only by pages that exist."""

    def __init__(self) -> None:
        self.pages: dict[str, dict[str, Edition]] = {}

    def put(self, path: str, response: Response) -> dict[str, Edition]:
        """Print a rendered response and keep it."""
        body = response.get_data()
        digest = hashlib.sha256(body).hexdigest()[:32]
        bodies = {
            "identity": body,
            "gzip": gzip.compress(body, 9, mtime=0),
            "br": brotli.compress(body, quality=11),
        }
        extra = [(name, value) for name, value in response.headers if name.lower() not in DROPPED]
        editions = {
            encoding: _edition(encoding, data, digest, response.headers["Content-Type"], extra)
            for encoding, data in bodies.items()
        }
        self.pages[path] = editions
        return editions


def _edition(encoding: str, body: bytes, digest: str, content_type: str, extra: list[tuple[str, str]]) -> Edition:
    etag = f'"{digest}"' if encoding == "identity" else f'"{digest}-{encoding}"'
    headers = [
        ("Content-Type", content_type),
        ("ETag", etag),
        ("Cache-Control", CACHE_CONTROL),
        ("Vary", "Accept-Encoding"),
        *extra,
    ]
    if encoding != "identity":
        headers.append(("Content-Encoding", encoding))
    return Edition(body, etag, headers)


def published(view: Callable[..., ResponseReturnValue]) -> Callable[..., Response]:
    """Serve what the view answers from the shelf after the first time.

    Only plain 200 answers are kept; the query string is not looked at. While the application is in debug
    mode nothing is kept, so that writers see their edits.
    """

    @wraps(view)
    def serve(**values: Any) -> Response:
        app = current_app
        environ = request.environ
        shelf: Shelf = app.extensions["docs"].shelf
        path = environ.get("PATH_INFO", "")
        editions = shelf.pages.get(path)
        if editions is None:
            response = make_response(view(**values))
            if response.status_code != 200 or app.debug:
                return response
            editions = shelf.put(path, response)
        encoding = preferred_encoding(environ.get("HTTP_ACCEPT_ENCODING", ""))
        return editions[encoding].answer(environ.get("HTTP_IF_NONE_MATCH"))

    return serve


@lru_cache(maxsize=256)
def preferred_encoding(header: str) -> str:
    """The encoding to send for an Accept-Encoding header: `br`, `gzip` or `identity` (RFC 9110, 12.5.3)."""
    weights: dict[str, float] = {}
    for part in header[:500].lower().split(","):
        name, _, parameter = part.strip().partition(";")
        weights[name.strip()] = _weight(parameter)
    weighed = [(weights.get(name, weights.get("*", 0.0)), name) for name in ("br", "gzip")]
    best = max(weighed, key=lambda pair: pair[0])
    return best[1] if best[0] > 0 and best[0] >= weights.get("identity", 0.0) else "identity"


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0


def _names(if_none_match: str, etag: str) -> bool:
    """Whether an If-None-Match list holds the tag, compared weakly (RFC 9110, 13.1.2)."""
    if if_none_match.strip() == "*":
        return True
    return any(tag.strip().removeprefix("W/") == etag for tag in if_none_match.split(","))
