"""The application with what the server needs to know about it."""

from __future__ import annotations

from flask import Flask

from portal.docs.service import load_docs
from portal.serving.adapter import Instant, RequestServer, Response
from portal.serving.bodies import Receiver
from portal.serving.environ import Scope, as_latin1
from portal.web.health import HEALTH, Health


def request_server(app: Flask) -> RequestServer:
    """Return the RSGI application that serves `app` by its settings. Its documentation is read before it serves."""
    settings = app.extensions["slipway"].settings
    load_docs(app)
    return RequestServer(app, Receiver(settings.request_timeout), settings.threads, instant_responses(app))


def instant_responses(app: Flask) -> Instant:
    """Return a function that hands out printed pages and tells that the process is up, from memory."""
    press = app.extensions["press"]
    health: Health = app.extensions["health"]

    def respond(scope: Scope) -> Response | None:
        if scope.method not in {"GET", "HEAD"}:
            return None
        path, get = as_latin1(scope.path), scope.headers.get
        if "content-length" in scope.headers or "transfer-encoding" in scope.headers:
            return None
        if path in press:
            known = get("accept-encoding", ""), get("if-none-match"), get("x-request-id", ""), _cookies(scope)
            status, headers, body = press.hand_out(path, *known)
        elif path == HEALTH:
            status, headers, body = health.respond(get("x-request-id", ""))
        else:
            return None
        return status, headers, body if scope.method == "GET" else b""

    return respond


def _cookies(scope: Scope) -> str:
    """Return the Cookie header, which HTTP/2 may send in several lines (RFC 9113, 8.2.3)."""
    if "cookie" not in scope.headers:
        return ""
    return "; ".join(value for name, value in scope.headers.items() if name == "cookie")
