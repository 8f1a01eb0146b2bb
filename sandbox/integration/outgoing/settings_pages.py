"""Outgoing API Settings: timeouts, triggers, schedules, the retry policy, connections on and off."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from portal.api.records import find_record
from portal.core.runtime import current_session
from sandbox.delivery.schedule import WAITS
from sandbox.integration.outgoing.acting import begin_writing, note
from sandbox.integration.outgoing.connection_pages import list_all
from sandbox.integration.outgoing.connections import LONGEST_TIMEOUT, change_connection
from sandbox.integration.outgoing.mappings import list_mappings
from sandbox.integration.outgoing.models import Connection, SendSchedule
from sandbox.integration.visiting import integrated_sandbox


def add_routes(blueprint: Blueprint) -> None:
    """The settings' page."""
    blueprint.add_url_rule("/settings", "show_settings", show_settings, methods=["GET"])
    blueprint.add_url_rule("/settings/<reference>", "save_settings", save_settings, methods=["POST"])


def show_settings() -> str:
    """When records are sent, how long a partner may take, and what follows a failure."""
    tenant, session = integrated_sandbox(), current_session()
    return render_template(
        "outgoing/show_settings.html",
        tenant=tenant,
        connections=list_all(),
        mappings=list_mappings(session),
        runs={schedule.mapping_id: schedule for schedule in session.scalars(select(SendSchedule))},
        waits=[_said(seconds) for seconds in WAITS],
        longest=LONGEST_TIMEOUT,
    )


def save_settings(reference: str) -> ResponseReturnValue:
    """Set a connection's timeout, and switch it on or off."""
    integrated_sandbox()
    begin_writing()
    connection = find_record(current_session(), Connection, reference, lock=True)
    text = request.form.get("timeout", "")
    timeout = int(text) if text.isascii() and text.isdecimal() and len(text) < 3 else 0
    if not 1 <= timeout <= LONGEST_TIMEOUT:
        flash(f"Timeout must be from 1 to {LONGEST_TIMEOUT} seconds", "failure")
        return redirect(url_for("outgoing.show_settings"), 303)
    change_connection(current_session(), connection, {"timeout": timeout, "active": "active" in request.form})
    note("connections.update", connection.public_id)
    flash("Settings saved", "success")
    return redirect(url_for("outgoing.show_settings"), 303)


def _said(seconds: float) -> str:
    length = dt.timedelta(seconds=seconds)
    hours, minutes = divmod(int(length.total_seconds()) // 60, 60)
    return f"{hours} h" if hours else f"{minutes} min" if minutes else f"{int(seconds)} s"
