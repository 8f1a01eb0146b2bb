"""The sandbox's API keys: their state, a further one, the end of one."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.core.errors import NotFound
from portal.core.runtime import current_session, runtime
from portal.tenancy.keys import list_keys
from portal.tenancy.models import Tenant
from portal.web.forms import read_form
from sandbox.console.forms import KeyBody, KeyForm
from sandbox.console.service import add_key, end_key, list_held_keys
from sandbox.console.visitor import own_sandbox, visitor_actor


def add_routes(blueprint: Blueprint) -> None:
    """The pages about keys."""
    blueprint.add_url_rule("/keys", "show_keys", show_keys, methods=["GET"])
    blueprint.add_url_rule("/keys", "issue_key", issue_key, methods=["POST"])
    blueprint.add_url_rule("/keys/<key_id>/revoke", "revoke_key", revoke_key, methods=["POST"])


def show_keys() -> str:
    """Every key of the sandbox with its status and last use; none of the secrets."""
    return _render(own_sandbox(), KeyForm())


def issue_key() -> ResponseReturnValue:
    """Issue a key and show it, here and never again; so the answer is the page itself, not a redirect."""
    tenant, form = own_sandbox(), KeyForm()
    body = read_form(form, KeyBody)
    if body is None:
        return _render(tenant, form), 400
    issued = add_key(current_session(), runtime().settings, tenant, visitor_actor(), body)
    keys = {issued.row.role: issued.secret}
    return render_template("console/show_new_keys.html", tenant=tenant, keys=keys, operation="")


def revoke_key(key_id: str) -> ResponseReturnValue:
    """End a key at once."""
    own_sandbox()
    if not key_id.isalnum():
        raise NotFound
    key = end_key(current_session(), visitor_actor(), key_id)
    flash(f"Key {key.name} revoked", "success")
    return redirect(url_for("console.show_keys"), 303)


def _render(tenant: Tenant, form: KeyForm) -> str:
    session = current_session()
    return render_template(
        "console/show_keys.html",
        tenant=tenant,
        form=form,
        keys=list_keys(session),
        held=list_held_keys(session),
        now=session.clock.now(),
    )
