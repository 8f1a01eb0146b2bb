"""Browser sessions: Flask's signed cookie, for pages only. The API knows credentials, never cookies of a session."""

from __future__ import annotations

from flask import Flask, Request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface

from portal.api.errors import is_api_path


class PageSessions(SecureCookieSessionInterface):
    """Opens no session under the API's paths."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        return None if is_api_path(request.path) else super().open_session(app, request)
