"""The session of a page's visitor: a row of the store whose id the cookie holds, once there is a developer.

A visitor without one has Flask's signed cookie, for a form's token and messages, so that looking at a form writes
nothing. It is read when a page asks for it, since printed pages need no store. The API knows credentials, no sessions.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

from flask import Flask, Request, Response, request
from flask.sessions import SecureCookieSessionInterface, SessionMixin

from portal.accounts.models import BrowserSession, Developer
from portal.accounts.session_store import (
    ID_PREFIX,
    Visit,
    begin_session,
    end_session,
    find_session,
    keep_data,
    needs_touch,
    touch,
)
from portal.api.errors import is_api_path
from portal.core.errors import NotFound
from portal.core.runtime import Runtime
from portal.core.session import TenantSession
from portal.core.store_errors import is_store_failure
from portal.limits import client_address


class PageSession(SessionMixin):
    """What one visitor's pages keep between requests, and who the visitor is.

    `begun_id` is the id of a session begun by this request. `is_over` tells that this request ended one or that the
    cookie named none, `is_unread` that it names one that was not looked up, or could not be.
    """

    def __init__(self, parts: Runtime, *, session_id: str = "", data: dict[str, Any] | None = None) -> None:
        self._parts = parts
        self._session_id = session_id
        self._data = data
        self.row: BrowserSession | None = None
        self._developer: Developer | None = None
        self.begun_id = ""
        self.is_over = False
        self.is_unread = bool(session_id)
        self.modified = False

    @property
    def developer(self) -> Developer | None:
        """The developer of the session, for reading; None for a visitor without one."""
        self._load()
        return self._developer

    def begin(self, database: TenantSession, developer: Developer) -> None:
        """Begin a session for `developer` in the request's transaction. The one before ends, nothing of it stays."""
        self.end(database)
        visit = Visit(client_address(), request.user_agent.string)
        self.row, self.begun_id = begin_session(database, developer, visit)
        self._developer, self.is_over = developer, False
        self["csrf_token"] = secrets.token_hex(20)

    def end(self, database: TenantSession) -> None:
        """End the session in the request's transaction, with all that it holds."""
        self._load()
        if self.row is not None and self._developer is not None:
            _end_quietly(database, self._developer, self.row)
            self.is_over = True
        self.row, self._developer, self._data = None, None, {}
        self.modified = True

    def _load(self) -> dict[str, Any]:
        if self._data is not None:
            return self._data
        self._data = {}
        with self._parts.database.transaction(write=False) as database:
            found = find_session(database, self._parts.settings, self._session_id)
        self.is_unread = False
        if found is None:
            self.is_over = True
        else:
            self.row, self._developer = found
            self._data = dict(self.row.data)
        return self._data

    def __getitem__(self, key: str) -> Any:
        return self._load()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._load()[key] = value
        self.modified = True

    def __delitem__(self, key: str) -> None:
        del self._load()[key]
        self.modified = True

    def __iter__(self) -> Iterator[str]:
        return iter(self._load())

    def __len__(self) -> int:
        return len(self._load())


class PageSessions(SecureCookieSessionInterface):
    """Opens no session under the API's paths."""

    def open_session(self, app: Flask, request: Request) -> PageSession | None:  # type: ignore[override]
        if is_api_path(request.path):
            return None
        parts: Runtime = app.extensions["slipway"]
        cookie = request.cookies.get(self.get_cookie_name(app), "")
        if cookie.startswith(ID_PREFIX):
            return PageSession(parts, session_id=cookie)
        return PageSession(parts, data=dict(super().open_session(app, request) or {}))

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Keep what the request changed. The request's own transaction has ended before."""
        assert isinstance(session, PageSession)
        if session.accessed:
            response.vary.add("Cookie")
        if session.row is not None:
            self._save_row(app, session, response)
        elif session.is_over and response.status_code < 500:
            self._forget_cookie(app, session, response)
        elif session.modified and not session.is_unread:
            super().save_session(app, session, response)

    def _save_row(self, app: Flask, session: PageSession, response: Response) -> None:
        """A session begun by a request that was refused was taken back with everything else."""
        if session.begun_id and response.status_code >= 400:
            return
        is_changed, session.modified = session.modified, False
        parts: Runtime = app.extensions["slipway"]
        assert session.row is not None
        if is_changed:
            with parts.database.transaction() as database:
                keep_data(database, session.row, dict(session))
        elif needs_touch(session.row):
            _touch_if_possible(parts, session.row)
        if session.begun_id:
            self._set_cookie(app, session, response)

    def _set_cookie(self, app: Flask, session: PageSession, response: Response) -> None:
        settings = app.extensions["slipway"].settings
        lifetime = settings.session_hours * 3600
        response.set_cookie(self.get_cookie_name(app), session.begun_id, max_age=lifetime, **self._attributes(app))

    def _forget_cookie(self, app: Flask, session: PageSession, response: Response) -> None:
        """Replace the cookie of an ended session by a signed one if the page keeps something, else delete it."""
        if session.modified and len(session):
            super().save_session(app, session, response)
        elif response.status_code < 400 or not session.modified:
            response.delete_cookie(self.get_cookie_name(app), **self._attributes(app))

    def _attributes(self, app: Flask) -> dict[str, Any]:
        return {
            "path": self.get_cookie_path(app),
            "domain": self.get_cookie_domain(app),
            "secure": self.get_cookie_secure(app),
            "httponly": self.get_cookie_httponly(app),
            "samesite": self.get_cookie_samesite(app),
        }


def _end_quietly(database: TenantSession, developer: Developer, row: BrowserSession) -> None:
    """End a session that another request may have ended a moment ago."""
    try:
        end_session(database, developer, row.public_id)
    except NotFound:
        return


def _touch_if_possible(parts: Runtime, row: BrowserSession) -> None:
    """A page that was read well is not refused because the store takes no writes just now."""
    try:
        with parts.database.transaction() as database:
            touch(database, row, client_address())
    except Exception as error:
        if not is_store_failure(error):
            raise
