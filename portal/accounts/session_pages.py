"""Ending sessions from the account page."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, flash, redirect, url_for
from flask.typing import ResponseReturnValue

from portal.accounts.devices import describe_device
from portal.accounts.guards import current_developer, page_session
from portal.accounts.models import BrowserSession, Developer
from portal.accounts.session_store import end_session, end_sessions, list_sessions
from portal.core.runtime import current_session, runtime


@dataclass(frozen=True)
class ListedSession:
    """A session as its owner sees it."""

    row: BrowserSession
    device: str
    is_this: bool


def list_own_sessions() -> list[ListedSession]:
    """The sessions of the developer before the page, this one first."""
    this = page_session().row
    rows = list_sessions(current_session(), runtime().settings, _developer())
    listed = [
        ListedSession(row, describe_device(row.user_agent), this is not None and row.id == this.id) for row in rows
    ]
    return sorted(listed, key=lambda one: not one.is_this)


def add_routes(blueprint: Blueprint) -> None:
    """Add the views to the account's blueprint."""
    blueprint.add_url_rule("/sessions/<public_id>/end", view_func=end_one, methods=["POST"])
    blueprint.add_url_rule("/sessions/end-others", view_func=end_others, methods=["POST"])


def end_one(public_id: str) -> ResponseReturnValue:
    end_session(current_session(), _developer(), public_id)
    flash("The session is ended.", "success")
    return redirect(url_for("account.show_account", _anchor="sessions"), 303)


def end_others() -> ResponseReturnValue:
    this = page_session().row
    end_sessions(current_session(), _developer(), but=this.public_id if this else "")
    flash("All other sessions are ended.", "success")
    return redirect(url_for("account.show_account", _anchor="sessions"), 303)


def _developer() -> Developer:
    developer = current_developer()
    assert developer is not None
    return developer
