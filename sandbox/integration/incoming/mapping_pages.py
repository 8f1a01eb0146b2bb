"""The mapping editor: rows, duplicates, versions. Buttons that change the rows save nothing and lose nothing."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.core.errors import Conflict, ValidationFailed
from portal.core.runtime import current_session
from portal.tenancy.models import Tenant
from sandbox.integration.incoming.acting import (
    back_to,
    begin_writing,
    current_definition,
    note,
    own_mapping,
    show_calling,
)
from sandbox.integration.incoming.definition import Definition
from sandbox.integration.incoming.editing import Editor, base_of, complain, edit_mapping, judge, read_editor, read_names
from sandbox.integration.incoming.models import IncomingMapping
from sandbox.integration.incoming.row_words import show_form
from sandbox.integration.incoming.service import (
    discard_draft,
    list_versions,
    make_draft_of,
    publish,
    remove_mapping,
    save_draft,
)
from sandbox.integration.incoming.targets import TARGETS
from sandbox.integration.incoming.typed import ADDITIONS
from sandbox.integration.transformations.rearranging import rearrange
from sandbox.integration.visiting import integrated_sandbox

EDITOR = "incoming.show_mapping"
SAVED_ELSEWHERE = "It was saved by somebody else meanwhile. Save once more to put what stands here in its place."


def add_routes(blueprint: Blueprint) -> None:
    """The editor's pages."""
    blueprint.add_url_rule("/incoming/<reference>", "show_mapping", show_mapping, methods=["GET"])
    blueprint.add_url_rule("/incoming/<reference>", "edit_mapping", save_mapping, methods=["POST"])
    versions = "/incoming/<reference>/versions/<int:number>/draft"
    blueprint.add_url_rule(versions, "draft_again", draft_again, methods=["POST"])
    blueprint.add_url_rule("/incoming/<reference>/discard", "discard", discard, methods=["POST"])
    blueprint.add_url_rule("/incoming/<reference>/delete", "delete_mapping", delete_mapping, methods=["POST"])


def show_mapping(reference: str) -> str:
    """The draft, else the live version, in the form."""
    tenant, mapping = integrated_sandbox(), own_mapping(reference)
    status, definition = current_definition(mapping)
    return _render(tenant, mapping, edit_mapping(mapping, definition), status)


def save_mapping(reference: str) -> ResponseReturnValue:
    """Do what the pressed button says: check, save, publish, or change the rows."""
    tenant = integrated_sandbox()
    begin_writing()
    mapping = own_mapping(reference, lock=True)
    editor, act = read_editor(request.form), request.form.get("do", "check")
    if act not in {"check", "save", "publish"}:
        at = rearrange(editor.rows, act, ADDITIONS)
        return _render(tenant, mapping, editor, "unsaved", at=f"{at}.code")
    definition = _judge(mapping, editor)
    if definition is None:
        return _render(tenant, mapping, editor, "unsaved"), 400
    if act == "check":
        return _render(tenant, mapping, editor, "unsaved", is_sound=True)
    return _save(tenant, mapping, editor, definition, act)


def draft_again(reference: str, number: int) -> ResponseReturnValue:
    """Make what an older version says the draft."""
    integrated_sandbox()
    begin_writing()
    mapping = own_mapping(reference, lock=True)
    try:
        draft = make_draft_of(current_session(), mapping, min(number, 2**31 - 1))
    except ValidationFailed as refused:
        raise Conflict(f"Version {number} can no longer work: {next(iter(refused.errors.values()))}.") from None
    note("draft", mapping)
    flash(f"Version {number} is now the draft, as version {draft.number}", "success")
    return back_to(mapping)


def discard(reference: str) -> ResponseReturnValue:
    """Throw the draft away."""
    integrated_sandbox()
    begin_writing()
    mapping = own_mapping(reference, lock=True)
    discard_draft(current_session(), mapping)
    note("replace", mapping)
    flash("Draft discarded", "success")
    return back_to(mapping)


def delete_mapping(reference: str) -> ResponseReturnValue:
    """Delete the mapping for good."""
    integrated_sandbox()
    begin_writing()
    mapping = own_mapping(reference, lock=True)
    name = mapping.name
    remove_mapping(current_session(), mapping)
    note("delete", mapping)
    flash(f"Mapping {name} deleted", "success")
    return redirect(url_for("incoming.list_incoming"), 303)


def _judge(mapping: IncomingMapping, editor: Editor) -> Definition | None:
    """The typed definition; None once everything wrong stands beside its field, the names too."""
    session = current_session()
    try:
        read_names(session, editor.names, mapping)
    except ValidationFailed as refused:
        complain(editor.errors, refused.errors)
    definition = judge(session, TARGETS[mapping.target], editor, base_of(current_definition(mapping)[1]))
    return None if editor.errors else definition


def _save(
    tenant: Tenant, mapping: IncomingMapping, editor: Editor, definition: Definition, act: str
) -> ResponseReturnValue:
    session = current_session()
    if editor.seen != str(mapping.version):
        editor.seen, editor.errors[""] = str(mapping.version), SAVED_ELSEWHERE
        return _render(tenant, mapping, editor, "unsaved"), 409
    fields = {**read_names(session, editor.names, mapping), "target": mapping.target}
    version = save_draft(session, mapping, fields, definition)
    if act == "publish":
        version = publish(session, mapping)
    note("publish" if act == "publish" else "replace", mapping)
    flash(f"Version {version.number} is live" if act == "publish" else "Draft saved", "success")
    return back_to(mapping)


def _render(
    tenant: Tenant, mapping: IncomingMapping, editor: Editor, status: str, *, is_sound: bool = False, at: str = ""
) -> str:
    session, target = current_session(), TARGETS[mapping.target]
    return render_template(
        "incoming/show_mapping.html",
        tenant=tenant,
        mapping=mapping,
        editor=editor,
        form=show_form(session, target, editor, url_for(EDITOR, reference=mapping.public_id), at),
        status=status,
        is_sound=is_sound,
        target=target,
        versions=list_versions(session, mapping),
        calling=show_calling(mapping),
    )
