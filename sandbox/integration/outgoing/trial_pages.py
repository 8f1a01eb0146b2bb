"""Trying a mapping on a record and on records that were sent, and sending one by hand."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.core.errors import Conflict, ValidationFailed
from portal.core.runtime import current_session
from portal.limits import CONSOLE_SENDS
from sandbox.console.drafts import printable
from sandbox.delivery.models import Delivery
from sandbox.integration.outgoing.acting import begin_writing, note, own_mapping
from sandbox.integration.outgoing.by_hand import UNDER_WAY, find_latest, send_by_hand
from sandbox.integration.outgoing.replaying import MOST_RECORDS, replay
from sandbox.integration.outgoing.sends_api import find_of_source
from sandbox.integration.outgoing.sources import SOURCES
from sandbox.integration.outgoing.trials import try_rows
from sandbox.integration.outgoing.versions import choose_version, find_version
from sandbox.integration.visiting import integrated_sandbox

USUAL_REPLAY = 20
VERDICTS = {"same": "neutral", "better": "success", "worse": "failure"}
STATES = ("draft", "live")


def add_routes(blueprint: Blueprint) -> None:
    """The pages of trials."""
    blueprint.add_url_rule("/outgoing/<reference>/try", "try_mapping", show_trial, methods=["GET"])
    path = "/outgoing/<reference>/send"
    blueprint.add_url_rule(path, "send_record", CONSOLE_SENDS(send_record), methods=["POST"])


def show_trial(reference: str) -> str:
    """What a version makes of a record; with `last`, what the draft makes of the records that were sent."""
    tenant, mapping, session = integrated_sandbox(), own_mapping(reference), current_session()
    there = [status for status in STATES if find_version(session, mapping, status) is not None]
    chosen = request.args.get("version", "")
    chosen = chosen if chosen in there else there[0]
    version = choose_version(session, mapping, chosen)
    last = min(max(request.args.get("last", 0, int), 0), MOST_RECORDS)
    words: dict[str, Any] = {
        "mapping": mapping,
        "versions": there,
        "chosen": chosen,
        "record": typed_record(),
        "source": SOURCES[version.source],
        "trial": try_rows(session, version.source, version.rows, typed_record()),
        "found": replay(session, mapping, last) if last and "draft" in there else None,
        "last": last or USUAL_REPLAY,
        "most": MOST_RECORDS,
        "verdicts": VERDICTS,
    }
    return render_template("outgoing/show_trial.html", tenant=tenant, **words)


def send_record(reference: str) -> ResponseReturnValue:
    """Send to API: one record, now. One that was delivered in its present version is sent again on a second press."""
    integrated_sandbox()
    begin_writing()
    session, mapping = current_session(), own_mapping(reference)
    place: dict[str, Any] = {"reference": mapping.public_id, "record": typed_record()}
    try:
        record = find_of_source(session, mapping, typed_record())
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


def typed_record() -> str:
    """The record that a form names; the first one where it names none."""
    return printable(request.values.get("record", "")).strip() or "1"


def _said_of(delivery: Delivery, is_known: bool) -> tuple[str, str]:
    if is_known:
        return "This version is on its way already", "warning"
    if delivery.status == "failed":
        return "Not sent: see the reason", "warning"
    return "Posted to the partner", "success"
