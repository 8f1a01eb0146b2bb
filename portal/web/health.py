"""For operators: is the process up, are its stores reachable, does a worker live, what is waiting."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Blueprint, Flask, Response, abort, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from portal.core.heartbeats import WORKER, Attendance, read_attendance
from portal.core.runtime import current_session, runtime
from portal.web.headers import request_id_for, security_headers
from portal.web.metrics import write_metrics

ALIVE = b'{"status":"ok"}\n'

blueprint = Blueprint("health", __name__)
HEALTH = "/healthz"


class Health:
    """The response of /healthz, which needs no store."""

    def __init__(self, *, is_secure: bool) -> None:
        self._headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(ALIVE))),
            ("Cache-Control", "no-store"),
            *security_headers(is_secure=is_secure).items(),
        ]

    def respond(self, request_id: str) -> tuple[int, list[tuple[str, str]], bytes]:
        """Return status, headers and body; `request_id` is the client's own, or empty."""
        return 200, [*self._headers, ("X-Request-Id", request_id_for(request_id))], ALIVE


class HealthCheck:
    """WSGI middleware: answers /healthz before anything that could wait for a store."""

    def __init__(self, application: WSGIApplication, health: Health) -> None:
        self._application = application
        self._health = health

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] != HEALTH or environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            return self._application(environ, start_response)
        _, headers, body = self._health.respond(environ.get("HTTP_X_REQUEST_ID", ""))
        start_response("200 OK", headers)
        return [body] if environ["REQUEST_METHOD"] == "GET" else []


def init_health(app: Flask, *, is_secure: bool) -> None:
    """Answer /healthz before everything else. To be called once all other middleware is in place."""
    app.extensions["health"] = Health(is_secure=is_secure)
    app.wsgi_app = HealthCheck(app.wsgi_app, app.extensions["health"])  # type: ignore[method-assign]


@blueprint.get(HEALTH)
def tell_health() -> Response:
    """Say that the process answers. Other methods than GET come here, to be told so."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def tell_readiness() -> ResponseReturnValue:
    """Tell whether every store takes a write; 503 with the names of those that do not, and how each fails.

    Without a worker this machine still answers requests, so that is told with 200, as `degraded`.
    """
    probes = runtime().probes
    problems = probes.find_problems()
    stores = {name: name not in problems for name in probes.names()}
    if problems:
        return jsonify(status="unavailable", stores=stores, problems=problems), 503, {"Retry-After": "2"}
    workers = read_attendance(current_session())[WORKER]
    return jsonify(status="ok" if workers.alive else "degraded", stores=stores, workers=_describe(workers))


def _describe(workers: Attendance) -> dict[str, object]:
    """Numbers only: anybody may read them."""
    last = workers.last_beat_at
    return {"alive": workers.alive, "last_beat_at": last.strftime("%Y-%m-%dT%H:%M:%SZ") if last else None}


@blueprint.get("/metrics")
def tell_metrics() -> Response:
    """Gauges in the text format of Prometheus; from loopback, or with the token."""
    if not _may_read_metrics():
        abort(404)
    text = write_metrics(current_session(), current_app.extensions["backlogs"])
    return Response(text, mimetype="text/plain")


def _may_read_metrics() -> bool:
    token = runtime().settings.metrics_token
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if token and hmac.compare_digest(given.encode(), token.encode()):
        return True
    is_forwarded = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
    return not is_forwarded and ipaddress.ip_address(request.remote_addr or "0.0.0.0").is_loopback  # noqa: S104
