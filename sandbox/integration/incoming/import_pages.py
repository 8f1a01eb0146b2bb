"""CSV upload: a file of records is previewed, then written in the background while its page tells how far it is."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.core.errors import Conflict, NotFound, ValidationFailed
from portal.core.runtime import current_session
from portal.limits import CONSOLE_SENDS
from portal.tenancy.audit import record_act
from portal.tenancy.models import Tenant
from sandbox.console.visitor import visitor_actor, wants_block
from sandbox.integration.incoming.acting import OUTCOMES, begin_writing, own_mapping
from sandbox.integration.incoming.columns import find_obstacle, list_parameters
from sandbox.integration.incoming.csv_files import LARGEST, MOST_ROWS
from sandbox.integration.incoming.importing import (
    discard_import,
    find_import,
    list_imports,
    list_refused,
    result_of,
    start_import,
    stop_import,
    upload,
)
from sandbox.integration.incoming.models import IncomingImport, IncomingMapping
from sandbox.integration.incoming.previewing import preview_file
from sandbox.integration.incoming.receiving import Plan
from sandbox.integration.incoming.service import Chosen, choose, find_version
from sandbox.integration.incoming.trials import say
from sandbox.integration.visiting import integrated_sandbox
from sandbox.reports.sheet import as_download, write_csv

REFRESH_SECONDS = 2
MOST_REFUSED = 20
FORM_ALLOWANCE = 64 * 1024
"""What a form may have besides its file, in bytes."""
STATES = {"preview": "neutral", "queued": "neutral", "running": "warning", "done": "success", "stopped": "failure"}
UPLOAD = "incoming.upload_file"


def add_routes(blueprint: Blueprint) -> None:
    """The pages of files."""
    files, one = "/incoming/<reference>/imports", "/incoming/<reference>/imports/<number>"
    blueprint.add_url_rule(files, "show_imports", show_imports, methods=["GET"])
    blueprint.add_url_rule(files, "upload_file", CONSOLE_SENDS(upload_file), methods=["POST"])
    blueprint.add_url_rule(f"{files}/template.csv", "download_template", download_template, methods=["GET"])
    blueprint.add_url_rule(one, "show_import", show_import, methods=["GET"])
    blueprint.add_url_rule(f"{one}/result.csv", "download_result", download_result, methods=["GET"])
    blueprint.add_url_rule(f"{one}/start", "start_file", CONSOLE_SENDS(start_file), methods=["POST"])
    blueprint.add_url_rule(f"{one}/discard", "discard_file", discard_file, methods=["POST"])
    blueprint.add_url_rule(f"{one}/stop", "stop", stop, methods=["POST"])
    blueprint.url_value_preprocessor(_take_large_files)


def show_imports(reference: str) -> str:
    """A form for a file, and the files that were uploaded earlier."""
    return _render(integrated_sandbox(), own_mapping(reference), "")


def upload_file(reference: str) -> ResponseReturnValue:
    """Take a file in; its page previews it."""
    tenant, session, file = integrated_sandbox(), current_session(), request.files.get("file")
    begin_writing()
    mapping = own_mapping(reference)
    try:
        if file is None or not file.filename:
            raise ValidationFailed({"file": "Choose a file"})
        content = file.stream.read(LARGEST + 1)
        found = upload(session, choose(session, mapping, "live"), file.filename, content)
    except ValidationFailed as refused:
        return _render(tenant, mapping, refused.errors["file"]), 400
    except Conflict as refused:
        return _render(tenant, mapping, refused.message), 409
    _note("upload", found)
    return _to_page(mapping, found)


def start_file(reference: str, number: str) -> ResponseReturnValue:
    """Have a previewed file written; its page tells how far it is."""
    tenant = integrated_sandbox()
    begin_writing()
    mapping = own_mapping(reference)
    found = _own_import(mapping, number)
    try:
        start_import(current_session(), found)
    except Conflict as refused:
        return _render_one(tenant, mapping, found, refused.message), 409
    _note("start", found)
    flash(f"{found.file_name} started: {found.total} rows", "success")
    return _to_page(mapping, found)


def discard_file(reference: str, number: str) -> ResponseReturnValue:
    """Forget a previewed file."""
    integrated_sandbox()
    begin_writing()
    mapping = own_mapping(reference)
    found = _own_import(mapping, number)
    discard_import(current_session(), found)
    _note("discard", found)
    flash(f"{found.file_name} discarded; nothing was written", "success")
    return redirect(url_for("incoming.show_imports", reference=mapping.public_id), 303)


def download_template(reference: str) -> Response:
    """A file with nothing but its heading: the mapping's parameters."""
    integrated_sandbox()
    mapping = own_mapping(reference)
    return as_download(write_csv(_columns_of(mapping), []), f"{mapping.slug}.csv")


def show_import(reference: str, number: str) -> str:
    """A file's preview; once it was started, how far it is and what became of its rows."""
    tenant, mapping = integrated_sandbox(), own_mapping(reference)
    return _render_one(tenant, mapping, _own_import(mapping, number), "")


def download_result(reference: str, number: str) -> Response:
    """The rows, or with `rows=failed` those that failed, with what became of each; written into the audit trail."""
    session = current_session(write=True)
    integrated_sandbox()
    found = _own_import(own_mapping(reference), number)
    table = result_of(session, found, only_failed=request.args.get("rows") == "failed")
    _note("result", found)
    return as_download(table, found.file_name, found.encoding)


def stop(reference: str, number: str) -> ResponseReturnValue:
    """Write no more of a file."""
    integrated_sandbox()
    begin_writing()
    mapping = own_mapping(reference)
    found = _own_import(mapping, number)
    stop_import(current_session(), found)
    _note("stop", found)
    flash(f"{found.file_name} stopped", "success")
    return _to_page(mapping, found)


def _take_large_files(endpoint: str | None, values: dict[str, str] | None) -> None:
    """Let a form with a file be larger than others. It has to be said before the form's token is looked for."""
    if endpoint == UPLOAD:
        request.max_content_length = LARGEST + FORM_ALLOWANCE


def _own_import(mapping: IncomingMapping, reference: str) -> IncomingImport:
    """The mapping's file. Raises NotFound."""
    found = find_import(current_session(), reference)
    if found.mapping != mapping.slug:
        raise NotFound
    return found


def _note(verb: str, found: IncomingImport) -> None:
    session = current_session()
    session.flush()
    record_act(session, actor=visitor_actor(), action=f"incoming-imports.{verb}", subject=found.public_id)


def _to_page(mapping: IncomingMapping, found: IncomingImport) -> ResponseReturnValue:
    return redirect(url_for("incoming.show_import", reference=mapping.public_id, number=found.public_id), 303)


def _live_plan(mapping: IncomingMapping) -> Plan | None:
    live = find_version(current_session(), mapping, "live")
    return Chosen(mapping, live).plan if live else None


def _columns_of(mapping: IncomingMapping) -> list[str]:
    """The columns that the live version reads."""
    plan = _live_plan(mapping)
    return list(list_parameters(plan.definition)) if plan else []


def _render_one(tenant: Tenant, mapping: IncomingMapping, found: IncomingImport, error: str) -> str:
    session = current_session()
    words = {"mapping": mapping, "found": found, "states": STATES, "refresh": REFRESH_SECONDS, "outcomes": OUTCOMES}
    if found.status == "preview":
        preview = preview_file(session, found)
        return render_template(
            "incoming/show_preview.html", tenant=tenant, preview=preview, error=error, say=say, **words
        )
    refused = list_refused(session, found, limit=MOST_REFUSED)
    if wants_block():
        return render_template("incoming/progress.html", refused=refused, **words)
    return render_template("incoming/show_import.html", tenant=tenant, refused=refused, **words)


def _render(tenant: Tenant, mapping: IncomingMapping, error: str) -> str:
    session, plan = current_session(), _live_plan(mapping)
    return render_template(
        "incoming/list_imports.html",
        tenant=tenant,
        mapping=mapping,
        columns=_columns_of(mapping),
        is_live=plan is not None,
        obstacle=find_obstacle(plan.target, plan.definition) if plan else None,
        imports=list_imports(session, mapping.slug, request.args.get("page", 1, int)),
        states=STATES,
        largest=LARGEST // 1024 // 1024,
        most=MOST_ROWS,
        error=error,
    )
