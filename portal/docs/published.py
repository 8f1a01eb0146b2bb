"""Pages printed once: bytes in three encodings with an ETag each, served without rendering.

A page belongs here only if it is the same for every visitor: its view reads nothing of the request but
the path. Staff get the same page with one link more.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Iterable
from functools import lru_cache, wraps
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import brotli
from flask import Flask, Response, g, make_response, request
from flask.typing import ResponseReturnValue

from portal.web.desk_link import add_desk_link, asks_for_desk_link
from portal.web.headers import request_id_for

CACHE_CONTROL = "public, max-age=0, must-revalidate"
STAFF_CACHE_CONTROL = "private, max-age=0, must-revalidate"
DROPPED = {"content-length", "content-type", "etag", "cache-control", "vary", "set-cookie", "x-request-id"}
ABOUT_THE_BODY = {"Content-Type", "Content-Encoding"}
READING = {"GET", "HEAD"}


class Edition:
    """One page in one encoding, ready to send."""

    __slots__ = ("body", "etag", "headers")

    def __init__(self, body: bytes, etag: str, headers: list[tuple[str, str]]) -> None:
        self.body = body
        self.etag = etag
        self.headers = headers

    def is_known_to(self, if_none_match: str | None) -> bool:
        """Whether the caller has it already."""
        return bool(if_none_match) and (if_none_match == self.etag or _names(if_none_match or "", self.etag))


class Shelf:
    """The printed pages of one application, by path. Grows only by pages that exist."""

    def __init__(self) -> None:
        self.pages: dict[str, dict[str, Edition]] = {}
        self.staff_pages: dict[str, dict[str, Edition]] = {}

    def put(self, path: str, response: Response) -> None:
        """Print a rendered response and keep it, with the link to the desk for staff as well."""
        body, content_type = response.get_data(), response.headers["Content-Type"]
        extra = [(name, value) for name, value in response.headers if name.lower() not in DROPPED]
        self.pages[path] = _print(body, content_type, [("Cache-Control", CACHE_CONTROL), *extra])
        private = [("Cache-Control", STAFF_CACHE_CONTROL), *extra]
        self.staff_pages[path] = _print(add_desk_link(body), content_type, private, brotli_quality=5)

    def find(self, path: str, cookies: str) -> dict[str, Edition] | None:
        """Return a page's editions for a visitor, told by the Cookie header; None if it is not printed yet."""
        return (self.staff_pages if cookies and asks_for_desk_link(cookies) else self.pages).get(path)


def _print(
    body: bytes, content_type: str, extra: list[tuple[str, str]], *, brotli_quality: int = 11
) -> dict[str, Edition]:
    digest = hashlib.sha256(body).hexdigest()[:32]
    bodies = {
        "identity": body,
        "gzip": gzip.compress(body, 9, mtime=0),
        "br": brotli.compress(body, quality=brotli_quality),
    }
    return {encoding: _edition(encoding, data, digest, content_type, extra) for encoding, data in bodies.items()}


def _edition(encoding: str, body: bytes, digest: str, content_type: str, extra: list[tuple[str, str]]) -> Edition:
    etag = f'"{digest}"' if encoding == "identity" else f'"{digest}-{encoding}"'
    headers = [("Content-Type", content_type), ("ETag", etag), ("Vary", "Accept-Encoding"), *extra]
    if encoding != "identity":
        headers.append(("Content-Encoding", encoding))
    return Edition(body, etag, headers)


def published(view: Callable[..., ResponseReturnValue]) -> Callable[..., Response]:
    """Mark what the view answers as the same for everybody, so that it is printed once.

    Only plain 200 answers are kept; the query string is not looked at. While the application is in debug
    mode nothing is kept, so that writers see their edits.
    """

    @wraps(view)
    def serve(**values: Any) -> Response:
        g.is_published = True
        return make_response(view(**values))

    return serve


def init_printing(app: Flask, shelf: Shelf) -> None:
    """Print published pages once all headers are on, and let them leave before Flask from then on."""

    def keep(response: Response) -> Response:
        if not g.get("is_published") or response.status_code != 200 or app.debug or request.method != "GET":
            return response
        path = request.environ["PATH_INFO"]
        shelf.put(path, response)
        editions = shelf.find(path, request.headers.get("Cookie", "")) or shelf.pages[path]
        edition = editions[preferred_encoding(request.headers.get("Accept-Encoding", ""))]
        request_id = response.headers.get("X-Request-Id", "")
        return Response(edition.body, headers=[*edition.headers, ("X-Request-Id", request_id)])

    app.after_request_funcs.setdefault(None, []).insert(0, keep)
    press = app.extensions["press"] = Press(app.wsgi_app, shelf)
    app.wsgi_app = press  # type: ignore[method-assign]


class Press:
    """WSGI middleware: hands out what is on the shelf, asks the application for the rest.

    Only published pages, which are public and the same for everybody, ever stand on the shelf.
    """

    def __init__(self, application: WSGIApplication, shelf: Shelf) -> None:
        self._application = application
        self._shelf = shelf
        self._pages = shelf.pages

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] not in self._pages or environ["REQUEST_METHOD"] not in READING:
            return self._application(environ, start_response)
        status, headers, body = self.hand_out(
            environ["PATH_INFO"],
            environ.get("HTTP_ACCEPT_ENCODING", ""),
            environ.get("HTTP_IF_NONE_MATCH"),
            environ.get("HTTP_X_REQUEST_ID", ""),
            environ.get("HTTP_COOKIE", ""),
        )
        start_response("200 OK" if status == 200 else "304 NOT MODIFIED", headers)
        return (body,) if body and environ["REQUEST_METHOD"] == "GET" else ()

    def __contains__(self, path: str) -> bool:
        return path in self._pages

    def hand_out(
        self, path: str, accept_encoding: str, if_none_match: str | None, request_id: str, cookies: str = ""
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """Return status, headers and body of the edition a caller can read; no body for who has it already."""
        editions = self._shelf.find(path, cookies) or self._pages[path]
        edition = editions[preferred_encoding(accept_encoding)]
        headers = [*edition.headers, ("X-Request-Id", request_id_for(request_id))]
        if edition.is_known_to(if_none_match):
            return 304, [line for line in headers if line[0] not in ABOUT_THE_BODY], b""
        headers.append(("Content-Length", str(len(edition.body))))
        return 200, headers, edition.body


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
