"""How a guest proves to be one: a bearer token from servers, an HttpOnly cookie from browsers."""

from __future__ import annotations

from flask import request
from werkzeug.http import dump_cookie

from portal.limits import chat_cookie, guest_token


def given_tokens() -> list[str]:
    """What the request carries: one token at most, the one that its limits count."""
    token = guest_token()
    return [token] if token else []


def is_browser() -> bool:
    """True for a caller whose scripts must not get at the token. Sec-Fetch-Mode says nothing: Node sends it too."""
    return "Origin" in request.headers or "Sec-Fetch-Site" in request.headers


def cookie_with(token: str, *, path: str, is_secure: bool) -> str:
    """The Set-Cookie line: until the browser is closed, out of reach of scripts and of other sites."""
    return dump_cookie(chat_cookie(), token, path=path, httponly=True, samesite="Lax", secure=is_secure)
