"""The sandbox page: opening a sandbox, firing requests at it, putting it back, deleting it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from portal.accounts.guards import ensure_developer
from portal.api.exchanges import list_exchanges
from portal.core.masking import mask_text
from portal.core.runtime import commit_early, current_session, runtime
from portal.limits import CONSOLE_SENDS, RESETS_BY_ADDRESS, SANDBOXES_BY_ADDRESS, vouch_for_visitor
from portal.tenancy.models import Tenant
from portal.tenancy.permissions import ROLES
from sandbox import tenants
from sandbox.console import key_pages, log_pages
from sandbox.console.catalogue import FIRST, choose_operation, list_chapters
from sandbox.console.drafts import NO_KEY, Draft, check, draft_sample, draft_typed, fill_in
from sandbox.console.forms import OpenForm
from sandbox.console.guest_chat import PLACE, guest_token, known_conversation, remember_conversation
from sandbox.console.sending import Answer, Silence, prepare_slots, send
from sandbox.console.service import delete_sandbox, find_secret, list_roles, open_sandbox
from sandbox.console.showing import duration_of, length_of, show_answer, time_left, write_samples
from sandbox.console.visitor import (
    choose_sandbox,
    find_own_sandbox,
    is_member,
    list_own_sandboxes,
    list_running_sandboxes,
    own_sandbox,
    visitor_actor,
    wants_block,
)

LATEST = 8

blueprint = Blueprint("console", __name__, template_folder="templates", url_prefix="/sandbox")
blueprint.record(prepare_slots)
log_pages.add_routes(blueprint)
key_pages.add_routes(blueprint)
blueprint.add_app_template_filter(duration_of, "duration")
blueprint.add_app_template_filter(time_left, "time_left")
blueprint.add_app_template_filter(length_of, "length_of")
blueprint.add_app_template_filter(mask_text, "masked")


@blueprint.get("")
def show_console() -> ResponseReturnValue:
    """The console, filled by a sample, a link or a logged call; to a visitor without a sandbox, how to get one."""
    tenant = find_own_sandbox()
    if tenant is None:
        return _show_start(OpenForm())
    again = request.args.get("again")
    draft = log_pages.draft_logged(again) if again else _sample(tenant)
    return _render_console(tenant, draft)


@blueprint.post("")
@SANDBOXES_BY_ADDRESS  # type: ignore[untyped-decorator]
def create_sandbox() -> ResponseReturnValue:
    """Open a sandbox and show its keys, here and never again; so the answer is the page itself, not a redirect."""
    form = OpenForm()
    if not form.validate():
        return _show_start(form), 400
    developer = ensure_developer(current_session())
    if list_running_sandboxes() and not developer.is_member:
        return redirect(url_for("console.show_console"), 303)
    new = open_sandbox(current_session(), runtime().settings, developer, form.plan.data)
    session["sandbox"] = new.tenant.public_id
    operation = request.form.get("operation", "")
    return render_template("console/show_new_keys.html", tenant=new.tenant, keys=new.keys, operation=operation)


@blueprint.post("/requests")
@CONSOLE_SENDS  # type: ignore[untyped-decorator]
def send_request() -> ResponseReturnValue:
    """Send what the form says and show what came back, as a page or as the block a script asked for."""
    tenant = own_sandbox()
    roles = list_roles(current_session())
    draft = check(draft_typed(choose_operation(request.form.get("operation", "")), request.form), roles)
    if draft.errors:
        return _render_console(tenant, draft), 400
    answer = _send(tenant, draft)
    if not draft.operation.is_public:
        session["console_role"] = draft.role
    if wants_block():
        return render_template("console/answer.html", **_words(tenant, draft, answer))
    return _render_console(tenant, draft, answer)


@blueprint.post("/reset")
@RESETS_BY_ADDRESS  # type: ignore[untyped-decorator]
def reset() -> ResponseReturnValue:
    """Put the sandbox back to its seed; the next page shows the receipt."""
    tenant = own_sandbox()
    receipt = tenants.reset(current_session(), tenant.public_id, visitor_actor())
    session["receipt"] = receipt.lines()
    flash("Sandbox reset", "success")
    return redirect(url_for("console.show_console", _anchor="reset"), 303)


@blueprint.post("/delete")
def delete() -> ResponseReturnValue:
    """Delete the sandbox with all that is its own."""
    delete_sandbox(current_session(), own_sandbox())
    flash("Sandbox deleted", "success")
    return redirect(url_for("console.show_console"), 303)


@blueprint.post("/choose")
def choose() -> ResponseReturnValue:
    """Go on in another sandbox of the visitor's."""
    choose_sandbox(request.form.get("tenant", ""))
    return redirect(url_for("console.show_console"), 303)


def _send(tenant: Tenant, draft: Draft) -> Answer | Silence:
    headers, body = draft.given_headers | _credentials(tenant, draft) | vouch_for_visitor(), None
    if draft.takes_body:
        headers["Content-Type"], body = "application/json", draft.body.encode()
    commit_early()  # The call needs the write lock that this request would otherwise hold.
    answer = send(runtime().settings.self_url, draft.operation.method, draft.target, headers, body)
    remember_conversation(answer)
    return answer


def _credentials(tenant: Tenant, draft: Draft) -> dict[str, str]:
    if not draft.operation.is_public:
        secret = find_secret(current_session(), draft.role)
        return {"Authorization": f"Bearer {secret}"} if secret else {}
    token = guest_token(draft.path.get(PLACE, ""))
    proof = {"Authorization": f"Bearer {token}"} if token else {}
    return {"X-Publishable-Key": tenant.publishable_id or "", **proof}


def _sample(tenant: Tenant) -> Draft:
    operation = choose_operation(request.args.get("operation", FIRST))
    roles = [*list_roles(current_session()), NO_KEY]
    wanted = session.get("console_role", ROLES[0])
    role = wanted if wanted in roles else roles[0]
    sample = draft_sample(operation, role, tenant.public_id, {PLACE: known_conversation()})
    return fill_in(sample, request.args)


def _render_console(tenant: Tenant, draft: Draft, answer: Answer | Silence | None = None) -> str:
    database_session = current_session()
    return render_template(
        "console/show_console.html",
        chapters=list_chapters(),
        roles=list_roles(database_session),
        calls=list_exchanges(database_session, limit=LATEST),
        receipt=session.pop("receipt", None),
        others=[other for other in list_running_sandboxes() if other.public_id != tenant.public_id],
        another=OpenForm() if is_member() else None,
        **_words(tenant, draft, answer),
    )


def _words(tenant: Tenant, draft: Draft, answer: Answer | Silence | None) -> dict[str, Any]:
    has_token = draft.operation.is_public and bool(guest_token(draft.path.get(PLACE, "")))
    return {
        "tenant": tenant,
        "draft": draft,
        "has_guest_token": has_token,
        "shown": show_answer(answer) if isinstance(answer, Answer) else None,
        "silence": answer if isinstance(answer, Silence) else None,
        "samples": write_samples(draft, tenant.publishable_id, has_token=has_token) if answer else [],
    }


def _show_start(form: OpenForm) -> str:
    operation = request.values.get("operation", "")
    return render_template("console/show_start.html", form=form, past=list_own_sandboxes(), operation=operation)
