"""Header Configuration: partners' addresses and the credentials they issued."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from portal.api.records import find_record
from portal.api.schema import validate
from portal.core.errors import Conflict, ValidationFailed
from portal.core.runtime import commit_early, current_session, runtime
from portal.limits import CONSOLE_SENDS
from portal.tenancy.models import Tenant
from sandbox.delivery.destinations import UNRESOLVED, check_destination, note_destination
from sandbox.delivery.states import states_of
from sandbox.integration.outgoing.acting import begin_writing, note
from sandbox.integration.outgoing.connections import (
    ConnectionBody,
    add_connection,
    change_connection,
    remove_connection,
)
from sandbox.integration.outgoing.headers import MOST_HEADERS
from sandbox.integration.outgoing.models import Connection
from sandbox.integration.outgoing.typed import Body, read_connection, shown_connection, spare_rows
from sandbox.integration.visiting import integrated_sandbox


def add_routes(blueprint: Blueprint) -> None:
    """The pages about connections."""
    path = "/connections"
    blueprint.add_url_rule(path, "list_connections", list_connections, methods=["GET"])
    blueprint.add_url_rule(f"{path}/new", "new_connection", show_connection, methods=["GET"])
    blueprint.add_url_rule(path, "create_connection", CONSOLE_SENDS(save_connection), methods=["POST"])
    blueprint.add_url_rule(f"{path}/<reference>", "show_connection", show_connection, methods=["GET"])
    blueprint.add_url_rule(f"{path}/<reference>", "save_connection", CONSOLE_SENDS(save_connection), methods=["POST"])
    blueprint.add_url_rule(f"{path}/<reference>/delete", "delete_connection", delete_connection, methods=["POST"])


def list_connections() -> str:
    """Every connection with its state; secrets masked."""
    tenant, found = integrated_sandbox(), list_all()
    states = states_of(current_session(), Connection, [connection.id for connection in found])
    return render_template("outgoing/list_connections.html", tenant=tenant, connections=found, states=states)


def list_all() -> list[Connection]:
    """Every connection of the sandbox, oldest first."""
    return list(current_session().scalars(select(Connection).order_by(Connection.id)))


def show_connection(reference: str = "") -> str:
    """The form, filled with what the connection is now, or empty."""
    tenant = integrated_sandbox()
    connection = find_record(current_session(), Connection, reference) if reference else None
    return _render(tenant, connection, shown_connection(connection))


def save_connection(reference: str = "") -> ResponseReturnValue:
    """Add or change a connection, or show the form with more rows."""
    tenant, session, typed = integrated_sandbox(), current_session(), read_connection(request.form)
    connection = find_record(session, Connection, reference) if reference else None
    if request.form.get("act") == "rows":
        return _render(tenant, connection, typed, more=True)
    try:
        connection = _store(connection, typed)
    except ValidationFailed as error:
        return _render(tenant, connection, typed, error.errors), 400
    except Conflict as error:
        return _render(tenant, connection, typed, {"name": error.message}), 409
    note(f"connections.{'replace' if reference else 'create'}", connection.public_id)
    flash("Connection saved", "success")
    return redirect(url_for("outgoing.list_connections"), 303)


def delete_connection(reference: str) -> ResponseReturnValue:
    """Take a connection away, unless mappings use it."""
    integrated_sandbox()
    begin_writing()
    connection = find_record(current_session(), Connection, reference, lock=True)
    try:
        remove_connection(current_session(), connection)
    except Conflict as error:
        flash(error.message, "warning")
        return redirect(url_for("outgoing.show_connection", reference=reference), 303)
    note("connections.delete", connection.public_id)
    flash("Connection deleted", "success")
    return redirect(url_for("outgoing.list_connections"), 303)


def _store(connection: Connection | None, typed: Body) -> Connection:
    """Raises ValidationFailed, Conflict. A name may take seconds to resolve, so nothing is locked meanwhile."""
    body, is_resolved = validate(ConnectionBody, typed), None
    if connection is None or body.url != connection.url:
        commit_early()
        is_resolved = check_destination(runtime().outgoing, body.url)
    begin_writing()
    if connection is None:
        connection = add_connection(current_session(), body)
    else:
        connection = find_record(current_session(), Connection, connection.id, lock=True)
        change_connection(current_session(), connection, body.model_dump())
    if is_resolved is not None:
        note_destination(current_session(), connection, is_resolved=is_resolved)
    if is_resolved is False:
        flash(UNRESOLVED, "warning")
    return connection


def _render(
    tenant: Tenant,
    connection: Connection | None,
    typed: Body,
    errors: dict[str, str] | None = None,
    *,
    more: bool = False,
) -> str:
    words: dict[str, Any] = {
        "connection": connection,
        "typed": typed,
        "errors": errors or {},
        "rows": spare_rows(len(typed["headers"]), more, MOST_HEADERS),
        "state": states_of(current_session(), Connection, [connection.id])[connection.id] if connection else None,
    }
    return render_template("outgoing/show_connection.html", tenant=tenant, **words)
