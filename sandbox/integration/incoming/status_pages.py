"""Return Status Rules: what an external system is answered, case by case; the usual, and a mapping's own."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.api.schema import validate
from portal.core.errors import ValidationFailed
from portal.core.runtime import current_session
from portal.tenancy.models import Tenant
from sandbox.console.drafts import printable
from sandbox.integration.incoming.acting import OUTCOMES, begin_writing, current_definition, note, own_mapping
from sandbox.integration.incoming.answering import USUAL
from sandbox.integration.incoming.definition import AnswerRules, Definition, stored
from sandbox.integration.incoming.editing import complain
from sandbox.integration.incoming.models import IncomingMapping
from sandbox.integration.incoming.receiving import OUTCOMES as RETURN_STATUSES
from sandbox.integration.incoming.service import list_mappings, publish, save_draft
from sandbox.integration.incoming.targets import TARGETS
from sandbox.integration.transformations.typed import nest
from sandbox.integration.visiting import integrated_sandbox

HAPPENINGS = {
    "created": "a record was inserted",
    "updated": "the duplicate rule updated the record that was there",
    "skipped": "the duplicate rule left the record that was there",
    "duplicate": "the record exists already and was refused",
    "failed": "a value is missing or not valid",
    "error": "something went wrong on our side; always 500",
}
"""What leads to each answer. All but the last may be answered by rules of a mapping's own."""
REFUSALS = {"duplicate": "DUPLICATE", "failed": "the check's own"}
LABELS = {"http_status": "HTTP status", "status": "status", "error_code": "errorCode", "message": "message"}


def add_routes(blueprint: Blueprint) -> None:
    """The page of the rules."""
    blueprint.add_url_rule("/statuses", "show_statuses", show_statuses, methods=["GET"])
    blueprint.add_url_rule("/statuses/<reference>", "show_own_statuses", show_own_statuses, methods=["GET"])
    blueprint.add_url_rule("/statuses/<reference>", "save_statuses", save_statuses, methods=["POST"])


def show_statuses() -> str:
    """The usual answers, and those of one mapping: the one named by `mapping`, else the default one."""
    tenant, wanted = integrated_sandbox(), request.args.get("mapping", "")
    mappings = list_mappings(current_session())
    chosen = next((mapping for mapping in mappings if mapping.slug == wanted), None)
    chosen = chosen or next((mapping for mapping in mappings if mapping.is_default), mappings[0] if mappings else None)
    typed = _show(current_definition(chosen)[1].answers) if chosen else {}
    return _render(tenant, mappings, chosen, typed, {})


def show_own_statuses(reference: str) -> ResponseReturnValue:
    """The address a form that was refused stays at: its mapping's rules."""
    integrated_sandbox()
    return redirect(url_for("incoming.show_statuses", mapping=own_mapping(reference).slug), 303)


def save_statuses(reference: str) -> ResponseReturnValue:
    """Put the rules into the mapping's draft; publish it where asked."""
    tenant, session = integrated_sandbox(), current_session()
    begin_writing()
    mapping = own_mapping(reference, lock=True)
    typed = _read()
    document = stored(current_definition(mapping)[1]) | {"answers": _document_of(typed)}
    fields = {name: getattr(mapping, name) for name in ("slug", "name", "target", "is_default")}
    try:
        version = save_draft(session, mapping, fields, validate(Definition, document))
        is_live = request.form.get("do") == "publish"
        if is_live:
            version = publish(session, mapping)
    except ValidationFailed as refused:
        errors: dict[str, str] = {}
        complain(errors, refused.errors)
        return _render(tenant, list_mappings(session), mapping, typed, errors), 400
    note("publish" if is_live else "replace", mapping)
    flash(f"Version {version.number} is live" if is_live else "Draft saved", "success")
    return redirect(url_for("incoming.show_statuses", mapping=mapping.slug), 303)


def title_of(place: str) -> str:
    """A place in words: `answers.failed.error_code` is Failed, errorCode."""
    *_, name, part = place.split(".")
    return "recordId" if part == "record_id" else f"{name.capitalize()}, {LABELS.get(part, part)}"


def _read() -> dict[str, Any]:
    """What was typed: a text for each part of each rule, and the field that is the recordId."""
    given = nest((name, printable(text)) for name, text in request.form.items()).get("answers")
    given = given if isinstance(given, dict) else {}
    rules = {name: given.get(name) for name in HAPPENINGS}
    typed = {name: {part: _text(rule, part) for part in LABELS} for name, rule in rules.items()}
    return {**typed, "record_id": _text(given, "record_id")}


def _text(holder: Any, name: str) -> str:
    value = holder.get(name) if isinstance(holder, dict) else None
    return value.strip() if isinstance(value, str) else ""


def _document_of(typed: dict[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = {"record_id": typed["record_id"]} if typed["record_id"] else {}
    for name in AnswerRules.model_fields:
        said = {part: text for part, text in typed[name].items() if text} if name in HAPPENINGS else {}
        if said.get("http_status", "").isascii() and said.get("http_status", "").isdigit():
            said["http_status"] = int(said["http_status"][:9])
        if said:
            document[name] = said
    return document


def _show(answers: AnswerRules) -> dict[str, Any]:
    rules = {name: getattr(answers, name, None) for name in HAPPENINGS}
    typed = {name: {part: str(getattr(rule, part, None) or "") for part in LABELS} for name, rule in rules.items()}
    return {**typed, "record_id": answers.record_id or ""}


def _render(
    tenant: Tenant,
    mappings: list[IncomingMapping],
    chosen: IncomingMapping | None,
    typed: dict[str, Any],
    errors: dict[str, str],
) -> str:
    return render_template(
        "incoming/show_statuses.html",
        tenant=tenant,
        mappings=mappings,
        mapping=chosen,
        status=current_definition(chosen)[0] if chosen else "",
        target=TARGETS[chosen.target] if chosen else None,
        record_ids=[(name, name) for name in TARGETS[chosen.target].record_ids] if chosen else [],
        typed=typed,
        errors=errors,
        title_of=title_of,
        happenings=HAPPENINGS,
        refusals=REFUSALS,
        usual=USUAL,
        statuses=RETURN_STATUSES,
        outcomes=OUTCOMES,
    )
