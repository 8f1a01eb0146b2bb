"""For operators: is the process up, are its stores reachable, what is waiting."""

from __future__ import annotations

import hmac
import ipaddress

from flask import Blueprint, Response, abort, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from portal.core.jobs import Job
from portal.core.runtime import current_session, runtime
from portal.tenancy.models import Tenant

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def tell_health() -> Response:
    """The process answers."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def tell_readiness() -> ResponseReturnValue:
    """Tell whether every store takes a write; 503 with the names of those that do not, and how each fails."""
    probes = runtime().probes
    problems = probes.find_problems()
    stores = {name: name not in problems for name in probes.names()}
    if not problems:
        return jsonify(status="ok", stores=stores)
    return jsonify(status="unavailable", stores=stores, problems=problems), 503, {"Retry-After": "2"}


@blueprint.get("/metrics")
def tell_metrics() -> Response:
    """Gauges in the text format of Prometheus; from loopback, or with the token."""
    if not _may_read_metrics():
        abort(404)
    session = current_session()
    lines = []
    for status in ("due", "dead"):
        count = session.scalar(select(func.count()).select_from(Job).where(Job.status == status))
        lines.append(f'slipway_jobs{{status="{status}"}} {count}')
    for mode in ("sandbox", "house"):
        count = session.scalar(select(func.count()).select_from(Tenant).where(Tenant.mode == mode))
        lines.append(f'slipway_tenants{{mode="{mode}"}} {count}')
    return Response("\n".join(lines) + "\n", mimetype="text/plain")


def _may_read_metrics() -> bool:
    token = runtime().settings.metrics_token
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if token and hmac.compare_digest(given.encode(), token.encode()):
        return True
    is_forwarded = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
    return not is_forwarded and ipaddress.ip_address(request.remote_addr or "0.0.0.0").is_loopback  # noqa: S104
