"""Who is looking at a page: guards for blueprints, and the developer behind the browser's session.

Pages behind these guards are about one visitor and stay out of every cache.
"""

from __future__ import annotations

from flask import Flask, Response, after_this_request, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user, login_user, logout_user

from portal.accounts.browser_sessions import PageSession
from portal.accounts.models import Developer
from portal.accounts.service import create_guest, keep_guest
from portal.core.errors import NotFound
from portal.core.runtime import current_session
from portal.core.session import TenantSession
from portal.web.desk_link import asks_for_desk_link, forget_desk, remember_desk


class Logins(LoginManager):  # type: ignore[misc]
    """Flask-Login without its second cookie, so that pages that know nobody never look at a session."""

    def _update_remember_cookie(self, response: Response) -> Response:
        return response


def init_logins(app: Flask) -> None:
    """Let Flask-Login ask the browser's session who is before a page."""
    logins = Logins()
    logins.session_protection = None
    logins.user_loader(_load)
    logins.init_app(app, add_context_processor=False)


def guest() -> None:
    """Guard of pages for anybody."""
    after_this_request(_keep_private)


def member() -> ResponseReturnValue | None:
    """Guard of pages for developers who have signed up; others are sent to sign in and come back."""
    after_this_request(_keep_private)
    developer = current_developer()
    if developer is not None and developer.is_member:
        return None
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("entrance.show_sign_in", next=wanted), 303)


def staff() -> None:
    """Guard of the desk. Raises NotFound for everybody else, as if there were no desk."""
    after_this_request(_keep_private)
    developer = current_developer()
    if developer is None or not developer.is_staff:
        raise NotFound
    after_this_request(remember_desk)


def current_developer() -> Developer | None:
    """The developer before the page, a guest too, for reading; None for a visitor without a session."""
    developer: Developer | None = current_user._get_current_object()
    return developer if developer is not None and developer.is_authenticated else None


def own_developer(database: TenantSession) -> Developer | None:
    """The same as a row of `database`, for writing."""
    developer = current_developer()
    return None if developer is None else database.get(Developer, developer.id)


def ensure_developer(database: TenantSession) -> Developer:
    """The developer before the page, for writing; a visitor becomes a guest, who gets a cookie."""
    developer = own_developer(database)
    if developer is None:
        developer = create_guest(database)
        start_session(developer)
    keep_guest(developer)
    return developer


def start_session(developer: Developer) -> None:
    """Begin a session for `developer`, under a new id. Nothing of an earlier one is taken along."""
    g.pop("csrf_token", None)
    page_session().begin(current_session(), developer)
    login_user(developer)


def end_session() -> None:
    """End the browser's session for good, in every copy of its cookie."""
    page_session().end(current_session())
    logout_user()


def page_session() -> PageSession:
    """The session of this page's visitor."""
    own: PageSession = session._get_current_object()  # type: ignore[attr-defined]
    return own


def _load(public_id: str) -> Developer | None:
    """Return the developer of the session's row, which was read together with it."""
    developer = page_session().developer
    return developer if developer is not None and developer.public_id == public_id else None


def _keep_private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    if asks_for_desk_link(request.headers.get("Cookie", "")) and response.status_code < 500 and not _is_staff():
        forget_desk(response)
    return response


def _is_staff() -> bool:
    developer = current_developer()
    return developer is not None and developer.is_staff
