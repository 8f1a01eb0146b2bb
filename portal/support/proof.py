"""How a guest proves to be one: a bearer token from servers, an HttpOnly cookie from browsers."""

from __future__ import annotations

from flask import request
from werkzeug.http import dump_cookie

from portal.limits import CHAT_COOKIE


def given_tokens() -> list[str]:
    """What the request carries: one token by `Authorization: Bearer`, else those of the cookies of that name.

    A browser holds two where it tries a sandbox beside a real chat.
    """
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    return [bearer.strip()] if scheme.lower() == "bearer" else request.cookies.getlist(CHAT_COOKIE)[:2]


def is_browser() -> bool:
    """True for a caller whose scripts must not get at the token. Sec-Fetch-Mode says nothing: Node sends it too."""
    return "Origin" in request.headers or "Sec-Fetch-Site" in request.headers


def cookie_with(token: str, *, path: str, is_secure: bool) -> str:
    """The Set-Cookie line: until the browser is closed, out of reach of scripts and of other sites."""
    return dump_cookie(CHAT_COOKIE, token, path=path, httponly=True, samesite="Lax", secure=is_secure)
