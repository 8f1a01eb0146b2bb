"""The Outgoing Mapping List, and the editor with a preview on a real record."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from portal.api.records import find_record
from portal.api.schema import validate
from portal.core.errors import Conflict, Duplicate, NotFound, ValidationFailed
from portal.core.runtime import current_session
from portal.limits import CONSOLE_SENDS
from portal.tenancy.models import Tenant
from sandbox.console.drafts import printable
from sandbox.console.showing import paint_body
from sandbox.delivery.models import Delivery
from sandbox.integration.outgoing.acting import begin_writing, note
from sandbox.integration.outgoing.by_hand import UNDER_WAY, find_latest, send_by_hand
from sandbox.integration.outgoing.composing import Composed, compose_body
from sandbox.integration.outgoing.connection_pages import list_all
from sandbox.integration.outgoing.mappings import (
    OutgoingMappingBody,
    add_mapping,
    change_mapping,
    list_mappings,
    remove_mapping,
)
from sandbox.integration.outgoing.models import OutgoingMapping, SendSchedule
from sandbox.integration.outgoing.rows import check_rows
from sandbox.integration.outgoing.schedules import zone_of
from sandbox.integration.outgoing.sends_api import find_of_source
from sandbox.integration.outgoing.sources import SOURCES
from sandbox.integration.outgoing.typed import Body, read_mapping, shown_mapping, spare_rows
from sandbox.integration.outgoing.values import FITTING
from sandbox.integration.visiting import integrated_sandbox

SAVED_ELSEWHERE = "It was saved by somebody else meanwhile. Save once more to put what stands here in its place."


def add_routes(blueprint: Blueprint) -> None:
    """The pages about mappings."""
    path = "/outgoing"
    blueprint.add_url_rule(path, "list_mappings", show_mappings, methods=["GET"])
    blueprint.add_url_rule(f"{path}/new", "new_mapping", show_mapping, methods=["GET"])
    blueprint.add_url_rule(path, "create_mapping", save_mapping, methods=["POST"])
    blueprint.add_url_rule(f"{path}/<reference>", "show_mapping", show_mapping, methods=["GET"])
    blueprint.add_url_rule(f"{path}/<reference>", "save_mapping", save_mapping, methods=["POST"])
    blueprint.add_url_rule(f"{path}/<reference>/delete", "delete_mapping", delete_mapping, methods=["POST"])
    blueprint.add_url_rule(f"{path}/<reference>/send", "send_record", CONSOLE_SENDS(send_record), methods=["POST"])


def show_mappings() -> str:
    """Every mapping: what it sends, where, and when."""
    tenant, session = integrated_sandbox(), current_session()
    runs = {schedule.mapping_id: schedule for schedule in session.scalars(select(SendSchedule))}
    connections = {connection.id: connection for connection in list_all()}
    words: dict[str, Any] = {"mappings": list_mappings(session), "connections": connections, "runs": runs}
    return render_template("outgoing/list_mappings.html", tenant=tenant, **words)


def show_mapping(reference: str = "") -> str:
    """The editor, with a preview of the first record of the source."""
    tenant = integrated_sandbox()
    mapping = _own(reference) if reference else None
    typed = shown_mapping(mapping)
    if mapping is None and request.args.get("source") in SOURCES:
        typed["source"] = request.args["source"]
    return _render(tenant, mapping, typed, preview=mapping is not None)


def save_mapping(reference: str = "") -> ResponseReturnValue:
    """Add or change a mapping; or save nothing, and show more rows or a preview."""
    tenant, typed = integrated_sandbox(), read_mapping(request.form)
    mapping = _own(reference) if reference else None
    act = request.form.get("act", "save")
    if act != "save" or typed["source"] not in SOURCES:
        typed["source"] = typed["source"] if typed["source"] in SOURCES else "invoice"
        return _render(tenant, mapping, typed, preview=act == "preview", more=act == "rows")
    if mapping is not None and request.form.get("seen") != str(mapping.version):
        return _render(tenant, mapping, typed, {"": SAVED_ELSEWHERE}), 409
    try:
        mapping = _store(mapping, typed)
    except (ValidationFailed, Duplicate) as error:
        return _render(tenant, mapping, typed, error.extra["errors"]), error.status
    except Conflict as error:
        return _render(tenant, mapping, typed, {"name": error.message}), 409
    note(f"outgoing-mappings.{'replace' if reference else 'create'}", mapping.public_id)
    flash("Mapping saved", "success")
    return redirect(url_for("outgoing.show_mapping", reference=mapping.public_id), 303)


def delete_mapping(reference: str) -> ResponseReturnValue:
    """Take a mapping away. What it posted before goes its way."""
    integrated_sandbox()
    begin_writing()
    mapping = _own(reference, lock=True)
    remove_mapping(current_session(), mapping)
    current_session().delete(mapping)
    note("outgoing-mappings.delete", mapping.public_id)
    flash("Mapping deleted", "success")
    return redirect(url_for("outgoing.list_mappings"), 303)


def send_record(reference: str) -> ResponseReturnValue:
    """Send to API: one record, now. One that was delivered in its present version is sent again on a second press."""
    integrated_sandbox()
    begin_writing()
    session, mapping = current_session(), _own(reference)
    place: dict[str, Any] = {"reference": mapping.public_id, "record": _typed_record()}
    try:
        record = find_of_source(session, mapping, _typed_record())
        latest = find_latest(session, mapping, record)
        if latest is not None and latest.status == "delivered" and request.form.get("act") != "again":
            flash(f"{record.public_id} was delivered in this version already. Send again to send it twice.", "warning")
            return redirect(url_for("outgoing.show_mapping", **place, again=1, _anchor="send"), 303)
        is_known = latest is not None and latest.status in UNDER_WAY
        delivery = send_by_hand(session, mapping, record)
    except (ValidationFailed, Conflict) as error:
        flash(" ".join(error.extra.get("errors", {}).values()) or error.message, "warning")
        return redirect(url_for("outgoing.show_mapping", **place), 303)
    note("outgoing-mappings.send", record.public_id)
    flash(*_said_of(delivery, is_known))
    return redirect(url_for("outgoing.show_send", reference=delivery.public_id), 303)


def _said_of(delivery: Delivery, is_known: bool) -> tuple[str, str]:
    if is_known:
        return "This version is on its way already", "warning"
    if delivery.status == "failed":
        return "Not sent: see the reason", "warning"
    return "Posted to the partner", "success"


def _store(mapping: OutgoingMapping | None, typed: Body) -> OutgoingMapping:
    body = validate(OutgoingMappingBody, typed)
    session = current_session()
    begin_writing()
    if mapping is None:
        return add_mapping(session, body)
    mapping = _own(str(mapping.id), lock=True)
    change_mapping(session, mapping, body.model_dump())
    return mapping


def _own(reference: str, *, lock: bool = False) -> OutgoingMapping:
    return find_record(current_session(), OutgoingMapping, reference, lock=lock)


def _typed_record() -> str:
    return printable(request.values.get("record", "")).strip() or "1"


def _seen(mapping: OutgoingMapping | None, errors: dict[str, str] | None) -> str:
    """The version that the form was filled from, until its writer has been told that there is a later one."""
    known = str(mapping.version) if mapping else ""
    return known if errors == {"": SAVED_ELSEWHERE} else request.form.get("seen", known)


def _compose(typed: Body) -> tuple[Composed | None, dict[str, str]]:
    """What the rows as they stand make of the chosen record; or what is wrong with them, or with the record."""
    source, session = SOURCES[typed["source"]], current_session()
    errors = check_rows(source, typed["rows"])
    try:
        record = find_record(session, source.resource.model, _typed_record())
    except NotFound:
        return None, errors | {"record": f"No such {source.singular}"}
    rows = [row for number, row in enumerate(typed["rows"]) if not any(e.startswith(f"rows.{number}.") for e in errors)]
    return compose_body(rows, source.read(session, [record])[record.id], zone_of(session)), errors


def _render(
    tenant: Tenant,
    mapping: OutgoingMapping | None,
    typed: Body,
    errors: dict[str, str] | None = None,
    *,
    preview: bool = False,
    more: bool = False,
) -> str:
    composed, found = _compose(typed) if preview else (None, {})
    words: dict[str, Any] = {
        "mapping": mapping,
        "seen": _seen(mapping, errors),
        "typed": typed,
        "errors": errors or found,
        "rows": spare_rows(len(typed["rows"]), more),
        "source": SOURCES[typed["source"]],
        "sources": [(name, name.replace("_", " ")) for name in SOURCES],
        "types": tuple(FITTING),
        "connections": [(connection.id, connection.name) for connection in list_all()],
        "record": _typed_record(),
        "composed": composed,
        "body": paint_body(composed.text) if composed else None,
    }
    return render_template("outgoing/show_mapping.html", tenant=tenant, **words)
