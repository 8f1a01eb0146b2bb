"""The pages of webhooks: the list, the form, one webhook with its state, its secret once, a test, its end."""

from __future__ import annotations

from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from portal.api.records import find_record
from portal.core.errors import ValidationFailed
from portal.core.runtime import commit_early, current_session, runtime
from portal.limits import CONSOLE_SENDS
from portal.tenancy.audit import record_act
from portal.tenancy.models import Tenant
from portal.tenancy.service import lock_tenant
from portal.web.forms import complain, read_form
from sandbox.console.visitor import visitor_actor
from sandbox.delivery.destinations import UNRESOLVED, check_destination, note_destination
from sandbox.delivery.states import states_of
from sandbox.integration.visiting import integrated_sandbox, integration_pages
from sandbox.webhooks import log_pages
from sandbox.webhooks.deliveries import list_log, show_log
from sandbox.webhooks.forms import WebhookForm, event_families
from sandbox.webhooks.models import Webhook
from sandbox.webhooks.schemas import WebhookBody
from sandbox.webhooks.service import (
    add_webhook,
    change_webhook,
    remove_webhook,
    rotate_secret,
    send_again_since,
    send_test,
)

LATEST = 10
SHOWN_ONCE = "webhook secret"

blueprint = integration_pages("webhooks", __name__)
log_pages.add_routes(blueprint)


@blueprint.get("/webhooks")
def list_webhooks() -> str:
    """Every webhook with its state."""
    tenant, session = integrated_sandbox(), current_session()
    found = list(session.scalars(select(Webhook).order_by(Webhook.id)))
    states = states_of(session, Webhook, [webhook.id for webhook in found])
    return render_template("webhooks/list_webhooks.html", tenant=tenant, webhooks=found, states=states)


@blueprint.get("/webhooks/new")
def show_form() -> str:
    """An empty form, or with the address that a link gives."""
    tenant, form = integrated_sandbox(), WebhookForm()
    form.url.data = request.args.get("url", "")
    return _render_form(tenant, form, None)


@blueprint.post("/webhooks")
@CONSOLE_SENDS  # type: ignore[untyped-decorator]
def create_webhook() -> ResponseReturnValue:
    """Register an address; the page behind the redirect shows its secret, so that a reload adds no second one."""
    tenant, form = integrated_sandbox(), WebhookForm()
    body, is_resolved = _read(form, None)
    if body is None:
        return _render_form(tenant, form, None), 400
    lock_tenant(current_session())
    webhook = add_webhook(current_session(), body.model_dump())
    _note("create", webhook)
    _note_destination(webhook, is_resolved)
    return _to_secret(webhook, "created")


@blueprint.get("/webhooks/<public_id>")
def show_webhook(public_id: str) -> str:
    """One webhook: what it is, how it stands, its latest deliveries."""
    tenant, session = integrated_sandbox(), current_session()
    webhook = find_record(session, Webhook, public_id)
    return render_template(
        "webhooks/show_webhook.html",
        tenant=tenant,
        webhook=webhook,
        state=states_of(session, Webhook, [webhook.id])[webhook.id],
        deliveries=show_log(session, list_log(session, endpoint_id=webhook.endpoint_id, limit=LATEST)),
        now=session.clock.now(),
    )


@blueprint.get("/webhooks/<public_id>/edit")
def edit_webhook(public_id: str) -> str:
    """The form filled with what the webhook is now."""
    tenant = integrated_sandbox()
    webhook = find_record(current_session(), Webhook, public_id)
    return _render_form(tenant, WebhookForm(obj=webhook), webhook)


@blueprint.post("/webhooks/<public_id>")
@CONSOLE_SENDS  # type: ignore[untyped-decorator]
def save_webhook(public_id: str) -> ResponseReturnValue:
    """Change a webhook to what the form says."""
    tenant, form = integrated_sandbox(), WebhookForm()
    webhook = find_record(current_session(), Webhook, public_id)
    body, is_resolved = _read(form, webhook)
    if body is None:
        return _render_form(tenant, form, webhook), 400
    webhook = _own(public_id)
    change_webhook(current_session(), webhook, body.model_dump())
    _note("replace", webhook)
    _note_destination(webhook, is_resolved)
    flash("Webhook saved", "success")
    return _back_to(webhook)


@blueprint.post("/webhooks/<public_id>/<any(enable, disable):act>")
def switch_webhook(public_id: str, act: str) -> ResponseReturnValue:
    """Switch a webhook on, which sends what was held, or off."""
    integrated_sandbox()
    webhook = _own(public_id)
    change_webhook(current_session(), webhook, {"active": act == "enable"})
    _note("update", webhook)
    flash(f"Webhook {act}d", "success")
    return _back_to(webhook)


@blueprint.post("/webhooks/<public_id>/rotate")
def rotate(public_id: str) -> ResponseReturnValue:
    """Give a webhook a new secret; the page behind the redirect shows it."""
    integrated_sandbox()
    webhook = _own(public_id)
    rotate_secret(current_session(), webhook)
    _note("rotate_secret", webhook)
    return _to_secret(webhook, "rotated")


@blueprint.get("/webhooks/<public_id>/secret")
def show_secret(public_id: str) -> ResponseReturnValue:
    """The secret, once after it was made; from then on this leads to the webhook."""
    tenant = integrated_sandbox()
    webhook = find_record(current_session(), Webhook, public_id)
    owed, how = cookie.pop(SHOWN_ONCE, ("", ""))
    if owed != webhook.public_id:
        flash("The secret was shown already. Rotate it to get a new one.", "warning")
        return _back_to(webhook)
    return render_template("webhooks/show_secret.html", tenant=tenant, webhook=webhook, is_new=how == "created")


@blueprint.get("/webhooks/<public_id>/<any(enable, disable, rotate, test, resend, delete):act>")
def show_after_act(public_id: str, act: str) -> ResponseReturnValue:
    """The address a form that was refused stays at: its webhook."""
    integrated_sandbox()
    return _back_to(find_record(current_session(), Webhook, public_id))


@blueprint.post("/webhooks/<public_id>/test")
@CONSOLE_SENDS  # type: ignore[untyped-decorator]
def test_webhook(public_id: str) -> ResponseReturnValue:
    """Post a test event; the page of its delivery tells what becomes of it."""
    integrated_sandbox()
    webhook = _own(public_id)
    delivery = send_test(current_session(), webhook)
    _note("test", webhook)
    flash("Test event posted", "success")
    return redirect(url_for("webhooks.show_delivery", public_id=delivery.public_id), 303)


@blueprint.post("/webhooks/<public_id>/resend")
@CONSOLE_SENDS  # type: ignore[untyped-decorator]
def resend_failed(public_id: str) -> ResponseReturnValue:
    """Send what failed again, oldest first."""
    integrated_sandbox()
    webhook = _own(public_id)
    again = send_again_since(current_session(), webhook, only_failed=True)
    _note("resend", webhook)
    flash(f"Sent again: {again.resent}", "success")
    return _back_to(webhook)


@blueprint.post("/webhooks/<public_id>/delete")
def delete_webhook(public_id: str) -> ResponseReturnValue:
    """Take a webhook away; its log stays."""
    integrated_sandbox()
    webhook = _own(public_id)
    remove_webhook(current_session(), webhook)
    _note("delete", webhook)
    flash("Webhook deleted", "success")
    return redirect(url_for("webhooks.list_webhooks"), 303)


def _read(form: WebhookForm, webhook: Webhook | None) -> tuple[WebhookBody | None, bool | None]:
    """What was typed, None once the complaints are beside the fields; and whether a new address resolves.

    The address is asked for with nothing locked.
    """
    body = read_form(form, WebhookBody)
    if body is None and not form.events.data:
        form.events.errors = ["Choose at least one event"]
    if body is None or (webhook is not None and body.url == webhook.url):
        return body, None
    commit_early()
    try:
        return body, check_destination(runtime().outgoing, body.url)
    except ValidationFailed as refused:
        complain(form, refused.errors)
        return None, None


def _note_destination(webhook: Webhook, is_resolved: bool | None) -> None:
    if is_resolved is not None:
        note_destination(current_session(), webhook, is_resolved=is_resolved)
    if is_resolved is False:
        flash(UNRESOLVED, "warning")


def _own(public_id: str) -> Webhook:
    """The sandbox's webhook, locked. Raises NotFound."""
    lock_tenant(current_session())
    return find_record(current_session(), Webhook, public_id, lock=True)


def _note(verb: str, webhook: Webhook) -> None:
    session = current_session()
    session.flush()
    record_act(session, actor=visitor_actor(), action=f"webhooks.{verb}", subject=webhook.public_id)


def _back_to(webhook: Webhook) -> ResponseReturnValue:
    return redirect(url_for("webhooks.show_webhook", public_id=webhook.public_id), 303)


def _to_secret(webhook: Webhook, how: str) -> ResponseReturnValue:
    cookie[SHOWN_ONCE] = (webhook.public_id, how)
    return redirect(url_for("webhooks.show_secret", public_id=webhook.public_id), 303)


def _render_form(tenant: Tenant, form: WebhookForm, webhook: Webhook | None) -> str:
    words: dict[str, Any] = {"form": form, "webhook": webhook, "chosen": form.events.data or []}
    families = event_families(current_app.extensions["event names"])
    return render_template("webhooks/show_form.html", tenant=tenant, families=families, **words)
