"""Other sites' scripts: they may call the public operations, without cookies, and nothing else (contract section 4)."""

from __future__ import annotations

from flask import Blueprint, Response, request

from portal.api.guards import current_operation

_ANY_ANSWER = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": (
        "ETag, Idempotent-Replayed, Link, Location, Retry-After, X-Request-Id, "
        "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Sandbox-Scenario"
    ),
}
_HEADERS = "Content-Type, Idempotency-Key, X-Publishable-Key, X-Request-Id, X-Sandbox-Scenario"
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST",
    "Access-Control-Max-Age": "600",
}


def open_to_scripts(blueprint: Blueprint) -> Blueprint:
    """Let scripts of any site call the operations of `blueprint`, without cookies and without secret credentials.

    A guest token belongs to the script's own visitor, so where one is taken `Authorization` may be sent.
    """
    blueprint.after_request(_permit)
    return blueprint


def _permit(response: Response) -> Response:
    response.headers.update(_ANY_ANSWER)
    if request.method == "OPTIONS":
        response.headers.update(_PREFLIGHT)
        operation = current_operation()
        takes_token = operation is not None and operation.takes_guest_token
        response.headers["Access-Control-Allow-Headers"] = f"Authorization, {_HEADERS}" if takes_token else _HEADERS
    return response
