"""The link to the desk in the header of every page, for browsers in which staff have been at the desk.

Printed pages know no visitor, so a cookie that proves nothing asks for the link. Whoever forges it finds no desk.
"""

from __future__ import annotations

import datetime as dt

from flask import Flask, Response, current_app, g, request

COOKIE = "slipway_desk"
LIFETIME = dt.timedelta(days=14)
_ASKS = f"{COOKIE}=1"
_PLACE = b'<ul class="personal">'
_LINK = b'\n<li><a href="/staff">Desk</a></li>'


def init_desk_link(app: Flask) -> None:
    """Give templates `shows_desk_link()`."""
    app.add_template_global(_shows_desk_link, "shows_desk_link")


def asks_for_desk_link(cookies: str) -> bool:
    """True if a Cookie header asks for the link."""
    return _ASKS in cookies


def add_desk_link(page: bytes) -> bytes:
    """Return a rendered page with the link in its header; what is no page stays as it is."""
    return page.replace(_PLACE, _PLACE + _LINK, 1)


def remember_desk(response: Response) -> Response:
    """Have this browser ask for the link from now on."""
    response.set_cookie(
        COOKIE, "1", max_age=LIFETIME, httponly=True, samesite="Lax", secure=current_app.config["SESSION_COOKIE_SECURE"]
    )
    return response


def forget_desk(response: Response) -> None:
    """Have this browser ask no more."""
    response.delete_cookie(COOKIE)


def _shows_desk_link() -> bool:
    is_printed = g.get("is_published", False) and not current_app.debug
    return not is_printed and asks_for_desk_link(request.headers.get("Cookie", ""))
