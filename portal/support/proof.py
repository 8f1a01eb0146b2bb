"""How a guest proves to be one: a bearer token from servers and other sites, an HttpOnly cookie from browsers."""

from __future__ import annotations

import datetime as dt

from flask import Response, after_this_request, request
from werkzeug.http import dump_cookie

from portal.limits import chat_cookie, guest_token
from portal.support.tokens import SILENCE
from portal.web.csrf import comes_from_here


def given_token() -> str:
    """Return the one proof that the request carries, which its limits count; empty if none."""
    return guest_token()


def silence_of() -> dt.timedelta | None:
    """Return after how long a silence the request's proof has ended: a cookie ends, a server's token does not."""
    scheme = request.headers.get("Authorization", "").partition(" ")[0]
    return None if scheme.lower() == "bearer" else SILENCE


def is_browser() -> bool:
    """True for a caller whose scripts must not get at the token. Sec-Fetch-Mode says nothing: Node sends it too."""
    return "Origin" in request.headers or "Sec-Fetch-Site" in request.headers


def is_foreign_script() -> bool:
    """True for a script of another site: no cookie of ours reaches or leaves it (contract section 6)."""
    return is_browser() and not comes_from_here()


def cookie_with(token: str, *, path: str, is_secure: bool) -> str:
    """Return the Set-Cookie line: for SILENCE from the last visit, out of reach of scripts and of other sites."""
    return dump_cookie(
        chat_cookie(), token, max_age=SILENCE, path=path, httponly=True, samesite="Lax", secure=is_secure
    )


def renew_cookie(token: str, *, path: str, is_secure: bool) -> None:
    """Let the cookie of this request live for another SILENCE."""
    line = cookie_with(token, path=path, is_secure=is_secure)

    @after_this_request
    def add_cookie(response: Response) -> Response:
        if response.status_code < 400 and "Set-Cookie" not in response.headers:
            response.headers["Set-Cookie"] = line
        return response


def spent_cookie(*, is_secure: bool) -> str:
    """Return the Set-Cookie line that makes the browser forget the conversation."""
    return dump_cookie(chat_cookie(), "", max_age=0, path="/", httponly=True, samesite="Lax", secure=is_secure)
