"""What every answer carries: security headers, a request id, nothing that names a version."""

from __future__ import annotations

import re
import time

from flask import Flask, Response, g, request

from portal.core.ids import new_request_id

_OWN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def init_headers(app: Flask, *, is_secure: bool) -> None:
    """Number each request, and put the headers on each answer."""
    headers = security_headers(is_secure=is_secure)

    def begin() -> None:
        g.request_id = request_id_for(request.headers.get("X-Request-Id", ""))
        g.started = time.perf_counter()

    def finish(response: Response) -> Response:
        response.headers.extend(headers)
        response.headers["X-Request-Id"] = g.request_id
        return response

    app.before_request(begin)
    app.after_request(finish)


def security_headers(*, is_secure: bool) -> dict[str, str]:
    """Return the headers that every response carries; `is_secure` where visitors come by HTTPS."""
    more = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"} if is_secure else {}
    return _HEADERS | more


def request_id_for(own: str) -> str:
    """The client's own number for a request if it is harmless, else a new one (contract section 4)."""
    return own if _OWN_ID.fullmatch(own) else new_request_id()
