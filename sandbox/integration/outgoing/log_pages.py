"""Outgoing Logs, one send with its attempts, the Failed Queue, and traces."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from itsdangerous import URLSafeSerializer

from portal.api.schema import validate
from portal.core.errors import NotFound, ValidationFailed
from portal.core.runtime import current_session, runtime
from portal.limits import CONSOLE_SENDS
from sandbox.console.drafts import printable
from sandbox.console.showing import paint_body
from sandbox.delivery.models import Delivery
from sandbox.delivery.service import list_attempts
from sandbox.integration.outgoing.acting import begin_writing, note
from sandbox.integration.outgoing.failed import EDITED, Filter, choose_failed, edit_body, give_up, match_failed, retry
from sandbox.integration.outgoing.logs import EXPORT_NAME, LogQuery, export_log, read_log
from sandbox.integration.outgoing.logs_api import find_send
from sandbox.integration.outgoing.mappings import list_mappings
from sandbox.integration.outgoing.shown import STATUSES, show_send
from sandbox.integration.outgoing.tracing import read_trace
from sandbox.integration.visiting import integrated_sandbox
from sandbox.reports.sheet import as_download

PAGE = 50
FILTERS = ("status", "mapping", "date_from", "date_to", "search")
_DONE = {"retry": "sent again", "discard": "discarded"}


def add_routes(blueprint: Blueprint) -> None:
    """The pages of logs."""
    blueprint.add_url_rule("/outgoing/logs", "list_sends", list_sends, methods=["GET"])
    blueprint.add_url_rule("/outgoing/logs/<reference>", "show_send", show_send_page, methods=["GET"])
    blueprint.add_url_rule("/failed", "list_failed", list_failed, methods=["GET"])
    blueprint.add_url_rule("/failed", "act_on_failed", CONSOLE_SENDS(act_on_failed), methods=["POST"])
    blueprint.add_url_rule("/failed/<reference>", "edit_failed", edit_failed, methods=["GET"])
    blueprint.add_url_rule("/failed/<reference>", "save_failed", CONSOLE_SENDS(save_failed), methods=["POST"])
    blueprint.add_url_rule("/traces/<request_id>", "show_trace", show_trace, methods=["GET"])


def list_sends() -> str | Response:
    """A page of the log, filtered and searched; with `format=csv` the whole of it as a file."""
    is_export = request.args.get("format") == "csv"
    current_session(write=is_export)  # An export is written into the audit trail.
    tenant = integrated_sandbox()
    if is_export:
        return _export()
    return render_template("outgoing/list_sends.html", tenant=tenant, **_read({}))


def show_send_page(reference: str) -> str:
    """One send with every attempt, secrets masked."""
    tenant, session = integrated_sandbox(), current_session()
    delivery = find_send(session, reference)
    attempts = [
        (attempt, paint_body(attempt.request_body), paint_body(attempt.answer_body))
        for attempt in reversed(list_attempts(session, delivery))
    ]
    words: dict[str, Any] = {"send": show_send(session, delivery), "body": paint_body(delivery.body)}
    return render_template("outgoing/show_send.html", tenant=tenant, attempts=attempts, **words)


def list_failed() -> str:
    """A page of the Failed Queue."""
    tenant = integrated_sandbox()
    return render_template("outgoing/list_failed.html", tenant=tenant, **_read({"status": "failed"}))


def act_on_failed() -> ResponseReturnValue:
    """Retry or discard what is ticked, or everything."""
    integrated_sandbox()
    begin_writing()
    session, (verb, _, scope) = current_session(), request.form.get("act", "").partition(" ")
    if verb not in _DONE:
        raise ValidationFailed({"act": "Act must be retry or discard"})
    try:
        chosen = (
            match_failed(session, Filter()) if scope == "all" else choose_failed(session, request.form.getlist("id"))
        )
    except ValidationFailed:
        chosen = []
    result = (retry if verb == "retry" else give_up)(session, chosen)
    note(f"failed.{verb}")
    left = f", {len(result.refused)} stay: see the reasons" if result.refused else ""
    flash(f"{result.done} {_DONE[verb]}{left}", "success" if result.done else "warning")
    return redirect(url_for("outgoing.list_failed"), 303)


def edit_failed(reference: str) -> str:
    """The body of a failed send, to be edited."""
    integrated_sandbox()
    delivery = find_send(current_session(), reference)
    return _render_edit(delivery, delivery.body, "")


def save_failed(reference: str) -> ResponseReturnValue:
    """Save the edited body; retry at once where asked."""
    integrated_sandbox()
    begin_writing()
    session, delivery = current_session(), find_send(current_session(), reference, lock=True)
    typed = request.form.get("body", "").replace("\r\n", "\n")
    try:
        edit_body(session, delivery, typed)
    except ValidationFailed as error:
        return _render_edit(delivery, printable(typed), error.errors["body"]), 400
    result = retry(session, [delivery], is_edited=True) if request.form.get("act") == "retry" else None
    note(EDITED, delivery.public_id)
    refused = result.refused[0].reason if result and result.refused else ""
    flash(refused or ("Sent again" if result else "Body saved"), "warning" if refused else "success")
    return redirect(url_for("outgoing.show_send", reference=delivery.public_id), 303)


def show_trace(request_id: str) -> str:
    """One request, from its arrival to the last delivery."""
    tenant = integrated_sandbox()
    try:
        trace = read_trace(current_session(), request_id)
    except NotFound:
        raise NotFound("No call with this request id is in the log.") from None
    return render_template("outgoing/show_trace.html", tenant=tenant, trace=trace)


def _render_edit(delivery: Delivery, typed: str, error: str) -> str:
    send = show_send(current_session(), delivery)
    return render_template(
        "outgoing/edit_failed.html", tenant=integrated_sandbox(), send=send, typed=typed, error=error
    )


def _read(fixed: dict[str, str]) -> dict[str, Any]:
    """What the lists of sends need: the page, the filters as they were typed, and what is wrong with them."""
    typed = {name: printable(request.args.get(name, "")).strip() for name in FILTERS}
    given = {name: text for name, text in (typed | fixed).items() if text}
    number, errors = request.args.get("page", "1"), {}
    try:
        query = validate(LogQuery, given | {"limit": str(PAGE), "page": number})
    except ValidationFailed as error:
        query, errors = validate(LogQuery, {"limit": str(PAGE), **fixed}), error.errors
    page = read_log(current_session(), query, _signer())
    mappings = list_mappings(current_session())
    words = {"statuses": STATUSES, "mappings": mappings, "current": query.page, "pages": page.pages}
    return {"sends": page.items, "total": page.total, "typed": typed, "errors": errors, **words}


def _export() -> Response:
    given = {name: text for name in FILTERS if (text := printable(request.args.get(name, "")).strip())}
    table = export_log(current_session(), validate(LogQuery, given), _signer())
    note("outgoing-logs.list")
    return as_download(table, EXPORT_NAME)


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(runtime().settings.secret_key, salt="outgoing log pages")
