"""Other sites' scripts: they may call the public operations, without cookies, and nothing else (contract section 4)."""

from __future__ import annotations

from flask import Blueprint, Response, request

_ANY_ANSWER = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": (
        "ETag, Idempotent-Replayed, Link, Location, Retry-After, X-Request-Id, "
        "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Sandbox-Scenario"
    ),
}
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST",
    "Access-Control-Allow-Headers": (
        "Content-Type, Idempotency-Key, X-Publishable-Key, X-Request-Id, X-Sandbox-Scenario"
    ),
    "Access-Control-Max-Age": "600",
}


def open_to_scripts(blueprint: Blueprint) -> Blueprint:
    """Let scripts of any site call the operations of `blueprint`, without cookies and without secret credentials."""
    blueprint.after_request(_permit)
    return blueprint


def _permit(response: Response) -> Response:
    response.headers.update(_ANY_ANSWER)
    if request.method == "OPTIONS":
        response.headers.update(_PREFLIGHT)
    return response
