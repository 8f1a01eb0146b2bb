"""The Outgoing Mapping List, and the editor. Buttons that change the rows save nothing and lose nothing."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from portal.core.errors import Conflict, ValidationFailed
from portal.core.runtime import current_session
from portal.tenancy.models import Tenant
from sandbox.integration.outgoing.acting import begin_writing, note, own_mapping
from sandbox.integration.outgoing.connection_pages import list_all
from sandbox.integration.outgoing.editing import (
    ADDITIONS,
    Editor,
    complain,
    edit_mapping,
    judge,
    new_editor,
    read_editor,
    show_form,
)
from sandbox.integration.outgoing.mappings import (
    OutgoingMappingBody,
    add_mapping,
    change_mapping,
    list_mappings,
    remove_mapping,
)
from sandbox.integration.outgoing.models import OutgoingMapping, SendSchedule
from sandbox.integration.outgoing.rows import stored_rows
from sandbox.integration.outgoing.sources import SOURCES
from sandbox.integration.outgoing.trial_pages import typed_record
from sandbox.integration.outgoing.trials import try_rows
from sandbox.integration.outgoing.versions import discard_draft, find_version, list_versions, make_draft_of, publish
from sandbox.integration.transformations.rearranging import rearrange
from sandbox.integration.visiting import integrated_sandbox

SAVED_ELSEWHERE = "It was saved by somebody else meanwhile. Save once more to put what stands here in its place."
_ACTS = {"check", "save", "publish", "preview"}


def add_routes(blueprint: Blueprint) -> None:
    """The pages about mappings."""
    path = "/outgoing"
    blueprint.add_url_rule(path, "list_mappings", show_mappings, methods=["GET"])
    blueprint.add_url_rule(f"{path}/new", "new_mapping", show_mapping, methods=["GET"])
    blueprint.add_url_rule(path, "create_mapping", save_mapping, methods=["POST"])
    blueprint.add_url_rule(f"{path}/<reference>", "show_mapping", show_mapping, methods=["GET"])
    blueprint.add_url_rule(f"{path}/<reference>", "save_mapping", save_mapping, methods=["POST"])
    blueprint.add_url_rule(f"{path}/<reference>/discard", "discard_draft", discard, methods=["POST"])
    blueprint.add_url_rule(f"{path}/<reference>/delete", "delete_mapping", delete_mapping, methods=["POST"])
    versions = f"{path}/<reference>/versions/<int:number>/draft"
    blueprint.add_url_rule(versions, "draft_again", draft_again, methods=["POST"])


def show_mappings() -> str:
    """Every mapping: what it sends, where, and when."""
    tenant, session = integrated_sandbox(), current_session()
    runs = {schedule.mapping_id: schedule for schedule in session.scalars(select(SendSchedule))}
    connections = {connection.id: connection for connection in list_all()}
    words: dict[str, Any] = {"mappings": list_mappings(session), "connections": connections, "runs": runs}
    return render_template("outgoing/list_mappings.html", tenant=tenant, **words)


def show_mapping(reference: str = "") -> str:
    """The draft, else the live version, in the form."""
    tenant = integrated_sandbox()
    if not reference:
        wanted = request.args.get("source", "")
        return _render(tenant, None, new_editor(wanted if wanted in SOURCES else "invoice"))
    mapping = own_mapping(reference)
    draft = find_version(current_session(), mapping, "draft")
    rows = draft.rows if draft is not None else mapping.rows
    return _render(tenant, mapping, edit_mapping(mapping, rows), rows=rows)


def save_mapping(reference: str = "") -> ResponseReturnValue:
    """Do what the pressed button says: check, preview, save, publish, or change the rows."""
    tenant, editor, act = integrated_sandbox(), read_editor(request.form), request.form.get("do", "check")
    begin_writing()
    mapping = own_mapping(reference, lock=True) if reference else None
    if editor.texts["source"] not in SOURCES:
        editor.texts["source"] = "invoice"
        return _render(tenant, mapping, editor), 400
    if act not in _ACTS:
        at = rearrange(editor.rows, act, ADDITIONS)
        return _render(tenant, mapping, editor, at=f"{at}.code")
    data = judge(current_session(), editor, mapping)
    if act == "preview":
        return _preview(tenant, mapping, editor)
    if data is None:
        return _render(tenant, mapping, editor), 400
    if act == "check":
        return _render(tenant, mapping, editor, is_sound=True)
    return _save(tenant, mapping, editor, data, act)


def draft_again(reference: str, number: int) -> ResponseReturnValue:
    """Make what an older version says the draft."""
    integrated_sandbox()
    begin_writing()
    mapping = own_mapping(reference, lock=True)
    try:
        draft = make_draft_of(current_session(), mapping, number)
    except ValidationFailed as refused:
        raise Conflict(f"Version {number} can no longer work: {next(iter(refused.errors.values()))}.") from None
    note("outgoing-mappings.draft", mapping.public_id)
    flash(f"Version {number} is now the draft, as version {draft.number}", "success")
    return _back_to(mapping)


def discard(reference: str) -> ResponseReturnValue:
    """Delete the draft."""
    integrated_sandbox()
    begin_writing()
    mapping = own_mapping(reference, lock=True)
    discard_draft(current_session(), mapping)
    note("outgoing-mappings.replace", mapping.public_id)
    flash("Draft discarded", "success")
    return _back_to(mapping)


def delete_mapping(reference: str) -> ResponseReturnValue:
    """Delete a mapping. What it posted before goes its way."""
    integrated_sandbox()
    begin_writing()
    mapping = own_mapping(reference, lock=True)
    remove_mapping(current_session(), mapping)
    current_session().delete(mapping)
    note("outgoing-mappings.delete", mapping.public_id)
    flash("Mapping deleted", "success")
    return redirect(url_for("outgoing.list_mappings"), 303)


def _save(
    tenant: Tenant, mapping: OutgoingMapping | None, editor: Editor, data: OutgoingMappingBody, act: str
) -> ResponseReturnValue:
    if mapping is not None and editor.seen != str(mapping.version):
        editor.seen, editor.errors[""] = str(mapping.version), SAVED_ELSEWHERE
        return _render(tenant, mapping, editor), 409
    is_new = mapping is None
    try:
        mapping, said = _store(mapping, data, act)
    except ValidationFailed as refused:
        complain(editor.errors, refused.errors)
        return _render(tenant, mapping, editor), 400
    except Conflict as refused:
        editor.errors["name"] = refused.message
        return _render(tenant, mapping, editor), 409
    verb = "create" if is_new else "publish" if act == "publish" else "replace"
    note(f"outgoing-mappings.{verb}", mapping.public_id)
    flash(said, "success")
    return _back_to(mapping)


def _store(mapping: OutgoingMapping | None, data: OutgoingMappingBody, act: str) -> tuple[OutgoingMapping, str]:
    """Save the mapping and what its rows are to be. Gives what is said of it."""
    session, is_draft = current_session(), act == "save"
    if mapping is None:
        mapping = add_mapping(session, data.model_copy(update={"as_draft": is_draft}))
        return mapping, "Draft saved" if is_draft else "Version 1 is live"
    fields = data.model_dump()
    has_draft = find_version(session, mapping, "draft") is not None
    if not has_draft and mapping.rows == stored_rows(fields["rows"]) and mapping.source == fields["source"]:
        kept = {name: value for name, value in fields.items() if name not in ("rows", "source", "as_draft")}
        change_mapping(session, mapping, kept)
        return mapping, "Mapping saved"
    change_mapping(session, mapping, fields | {"as_draft": True})
    if is_draft:
        return mapping, "Draft saved"
    return mapping, f"Version {publish(session, mapping).number} is live"


def _back_to(mapping: OutgoingMapping) -> ResponseReturnValue:
    return redirect(url_for("outgoing.show_mapping", reference=mapping.public_id), 303)


def _preview(tenant: Tenant, mapping: OutgoingMapping | None, editor: Editor) -> ResponseReturnValue:
    """What the typed rows make of the chosen record, if they could be saved."""
    editor.errors = {place: text for place, text in editor.errors.items() if place.startswith("rows")}
    if editor.errors:
        return _render(tenant, mapping, editor), 400
    body, _ = editor.body
    return _render(tenant, mapping, editor, rows=stored_rows(body["rows"]))


def _render(
    tenant: Tenant,
    mapping: OutgoingMapping | None,
    editor: Editor,
    *,
    is_sound: bool = False,
    at: str = "",
    rows: list[dict[str, Any]] | None = None,
) -> str:
    session = current_session()
    action = url_for("outgoing.create_mapping")
    if mapping is not None:
        action = url_for("outgoing.show_mapping", reference=mapping.public_id)
    words: dict[str, Any] = {
        "mapping": mapping,
        "editor": editor,
        "form": show_form(editor, action, at),
        "is_sound": is_sound,
        "source": SOURCES[editor.texts["source"]],
        "sources": [(name, name.replace("_", " ")) for name in SOURCES],
        "connections": [(str(connection.id), connection.name) for connection in list_all()],
        "versions": list_versions(session, mapping) if mapping is not None else [],
        "trial": try_rows(session, editor.texts["source"], rows, typed_record()) if rows else None,
    }
    return render_template("outgoing/show_mapping.html", tenant=tenant, record=typed_record(), **words)
