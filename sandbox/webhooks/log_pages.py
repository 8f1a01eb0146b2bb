"""The log of messages to webhooks: to filter, to open, to send again, to discard."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from portal.api.records import find_record
from portal.core.errors import NotFound
from portal.core.runtime import current_session
from portal.limits import CONSOLE_SENDS
from portal.tenancy.audit import record_act
from portal.tenancy.service import lock_tenant
from sandbox.console.showing import paint_body
from sandbox.console.visitor import visitor_actor
from sandbox.delivery.models import Delivery
from sandbox.delivery.service import discard, list_attempts, send_again
from sandbox.integration.visiting import integrated_sandbox
from sandbox.webhooks.deliveries import find_deliveries, list_failed, list_log, show_log
from sandbox.webhooks.models import Webhook
from sandbox.webhooks.service import MOST_RESENT, TEST_EVENT
from sandbox.webhooks.timeline import stations_of

PAGE = 50
MOST_NAMED = 5
REFRESH_SECONDS = 5
STATUSES = ("pending", "held", "delivered", "failed", "discarded")
_DONE = {"resend": "Sent again", "discard": "Discarded"}


def add_routes(blueprint: Blueprint) -> None:
    """The log's pages."""
    path = "/webhooks/deliveries"
    blueprint.add_url_rule(path, "list_deliveries", list_deliveries, methods=["GET"])
    blueprint.add_url_rule(path, "act_on_deliveries", CONSOLE_SENDS(act_on_deliveries), methods=["POST"])
    blueprint.add_url_rule(f"{path}/<public_id>", "show_delivery", show_delivery, methods=["GET"])
    acts = f"{path}/<public_id>/<any(resend, discard):act>"
    blueprint.add_url_rule(acts, "act_on_delivery", act_on_delivery, methods=["POST"])
    blueprint.add_url_rule(acts, "show_after_delivery_act", show_after_delivery_act, methods=["GET"])


def list_deliveries() -> str:
    """Fifty lines, newest first; `webhook`, `status` and `event` keep some, `before` goes on with older ones."""
    tenant, session = integrated_sandbox(), current_session()
    webhooks = list(session.scalars(select(Webhook).order_by(Webhook.id)))
    events = (*current_app.extensions["event names"], TEST_EVENT)
    chosen = {name: request.args.get(name, "") for name in ("webhook", "status", "event")}
    webhook = next((each for each in webhooks if each.public_id == chosen["webhook"]), None)
    before = request.args.get("before")
    found = list_log(
        session,
        endpoint_id=webhook.endpoint_id if webhook else None,
        status=chosen["status"] if chosen["status"] in STATUSES else None,
        type_=chosen["event"] if chosen["event"] in events else None,
        before=_find(before) if before else None,
        limit=PAGE + 1,
    )
    words: dict[str, Any] = {
        "webhooks": webhooks,
        "chosen": chosen,
        "statuses": STATUSES,
        "events": events,
        "deliveries": show_log(session, found[:PAGE]),
        "older": found[PAGE - 1].public_id if len(found) > PAGE else None,
    }
    return render_template("webhooks/list_deliveries.html", tenant=tenant, **words)


def act_on_deliveries() -> ResponseReturnValue:
    """Send again or discard what is ticked, or send all again that failed."""
    integrated_sandbox()
    session = current_session()
    lock_tenant(session)
    wanted = request.form.get("act", "")
    if wanted == "failed":
        act, chosen = "resend", list_failed(session, limit=MOST_RESENT)
    else:
        act, chosen = wanted, find_deliveries(session, request.form.getlist("delivery")[:PAGE])
    if act not in _DONE:
        raise NotFound
    if wanted != "failed" and not request.form.getlist("delivery"):
        flash("Pick at least one delivery", "warning")
        return redirect(url_for("webhooks.list_deliveries"), 303)
    if act == "resend":
        chosen = _without_strays(chosen)
    count = (send_again if act == "resend" else discard)(session, chosen)
    record_act(session, actor=visitor_actor(), action=f"deliveries.{act}")
    flash(f"{_DONE[act]}: {count}", "success" if count else "warning")
    return redirect(url_for("webhooks.list_deliveries"), 303)


def show_after_delivery_act(public_id: str, act: str) -> ResponseReturnValue:
    """The address a form that was refused stays at: its delivery."""
    integrated_sandbox()
    return redirect(url_for("webhooks.show_delivery", public_id=_find(public_id).public_id), 303)


def _without_strays(chosen: list[Delivery]) -> list[Delivery]:
    """Those whose webhook still stands; the visitor is told of the others."""
    lines = show_log(current_session(), chosen)
    strays = [
        f"{line.delivery.type} of {line.delivery.created_at:%d %b, %H:%M:%S}" for line in lines if not line.webhook
    ]
    if strays:
        named = ", ".join(strays[:MOST_NAMED]) + (", …" if len(strays) > MOST_NAMED else "")
        flash(f"{len(strays)} not sent, for the webhook was deleted: {named}", "warning")
    return [line.delivery for line in lines if line.webhook]


def show_delivery(public_id: str) -> str:
    """One delivery: its schedule as a drawing, and every attempt with what was sent and answered."""
    tenant, session = integrated_sandbox(), current_session()
    delivery = _find(public_id)
    shown = show_log(session, [delivery])[0]
    attempts = [
        (attempt, paint_body(attempt.request_body), paint_body(attempt.answer_body))
        for attempt in reversed(list_attempts(session, delivery))
    ]
    return render_template(
        "webhooks/show_delivery.html",
        tenant=tenant,
        delivery=shown,
        message=paint_body(delivery.body),
        attempts=attempts,
        stations=stations_of(session, delivery),
        refresh=REFRESH_SECONDS,
    )


def act_on_delivery(public_id: str, act: str) -> ResponseReturnValue:
    """Send one delivery again, or discard it. Raises Conflict where its webhook was deleted."""
    integrated_sandbox()
    session = current_session()
    lock_tenant(session)
    delivery = _find(public_id, lock=True)
    count = (send_again if act == "resend" else discard)(session, [delivery])
    record_act(session, actor=visitor_actor(), action=f"deliveries.{act}", subject=delivery.public_id)
    done = "sent again" if act == "resend" else "discarded"
    flash(f"Delivery {done}" if count else f"Nothing to do: the delivery is {delivery.status}", "success")
    return redirect(url_for("webhooks.show_delivery", public_id=delivery.public_id), 303)


def _find(public_id: str, *, lock: bool = False) -> Delivery:
    delivery = find_record(current_session(), Delivery, public_id, lock=lock)
    if delivery.kind != "webhook":
        raise NotFound
    return delivery
