"""The inbox's pages: what arrived at the sandbox's addresses, and how they answer next."""

from __future__ import annotations

from typing import Any, get_args

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from portal.api.records import find_record
from portal.core.errors import Conflict, NotFound, ValidationFailed
from portal.core.ids import PUBLIC_ID
from portal.core.masking import storable
from portal.core.runtime import current_session, runtime
from portal.tenancy.models import Tenant
from portal.web.forms import complain, read_form
from sandbox.console.showing import paint_body, size_of
from sandbox.console.visitor import own_sandbox, wants_block
from sandbox.inbox.forms import AddressForm, AnswerForm
from sandbox.inbox.models import InboxAddress, InboxAnswer, InboxMessage, Verdict
from sandbox.inbox.schemas import AddressBody
from sandbox.inbox.service import (
    DEFAULT_NAME,
    add_address,
    clear_messages,
    list_addresses,
    list_planned,
    plan_answer,
    url_of,
)

ON_A_PAGE = 50
REFRESH_SECONDS = 5
HOME = "inbox.show_inbox"

blueprint = Blueprint("inbox", __name__, template_folder="templates", url_prefix="/sandbox/inbox")
blueprint.add_app_template_filter(size_of, "size")


@blueprint.get("")
def show_inbox() -> str:
    """The messages, newest first; `address`, `verdict` and `webhook_id` keep some, `page` goes further back."""
    tenant = own_sandbox()
    if wants_block():
        return render_template("inbox/messages.html", **_messages())
    return _render(tenant, AnswerForm(), AddressForm())


@blueprint.post("/answers")
def plan() -> ResponseReturnValue:
    """Plan how the next arrivals are answered."""
    tenant, session, form = own_sandbox(), current_session(), AnswerForm()
    form.offer(list_addresses(session))
    body = form.read()
    try:
        if body is not None:
            address = find_record(session, InboxAddress, body.address)
            plan_answer(session, address, body.model_dump(exclude={"address"}))
            flash("Answers planned", "success")
            return redirect(url_for(HOME), 303)
    except ValidationFailed as refused:
        form.complain(refused)
    except Conflict as refused:
        complain(form, {"kind": refused.message})
    return _render(tenant, form, AddressForm()), 400


@blueprint.post("/answers/<int:number>/take-back")
def take_back(number: int) -> ResponseReturnValue:
    """Take a planned answer back; one that was used up meanwhile is gone already."""
    own_sandbox()
    session = current_session()
    planned = session.scalar(select(InboxAnswer).where(InboxAnswer.id == number).with_for_update())
    if planned is not None:
        session.delete(planned)
    flash("Planned answers taken back", "success")
    return redirect(url_for(HOME), 303)


@blueprint.post("/addresses")
def make_address() -> ResponseReturnValue:
    """Add a receiving address."""
    tenant, form = own_sandbox(), AddressForm()
    body = read_form(form, AddressBody)
    try:
        if body is not None:
            add_address(current_session(), body.name)
            flash("Receiving address added", "success")
            return redirect(url_for(HOME), 303)
    except Conflict as refused:
        complain(form, {"name": refused.message})
    return _render(tenant, AnswerForm(), form), 400


@blueprint.post("/addresses/<int:number>/delete")
def delete_address(number: int) -> ResponseReturnValue:
    """Delete a receiving address with what arrived there."""
    own_sandbox()
    session = current_session()
    address = find_record(session, InboxAddress, number, lock=True)
    session.delete(address)
    flash(f"Receiving address {address.name} deleted", "success")
    return redirect(url_for(HOME), 303)


@blueprint.post("/clear")
def clear() -> ResponseReturnValue:
    """Forget every message."""
    own_sandbox()
    count = clear_messages(current_session())
    flash(f"Inbox cleared: {count} messages", "success")
    return redirect(url_for(HOME), 303)


@blueprint.get("/<public_id>")
def show_message(public_id: str) -> str:
    """One message with its headers and body."""
    tenant = own_sandbox()
    found = None
    if PUBLIC_ID.fullmatch(public_id):
        found = current_session().scalar(select(InboxMessage).where(InboxMessage.public_id == public_id))
    if found is None:
        raise NotFound("The inbox of this sandbox has no such message.")
    body = paint_body(found.body)
    names = {address.id: address.name for address in list_addresses(current_session())}
    return render_template("inbox/show_message.html", tenant=tenant, message=found, body=body, names=names)


def _render(tenant: Tenant, answer_form: AnswerForm, address_form: AddressForm) -> str:
    session = current_session()
    addresses = list_addresses(session)
    answer_form.offer(addresses)
    return render_template(
        "inbox/show_inbox.html",
        tenant=tenant,
        addresses=[(address, url_of(runtime().settings.base_url, address.token)) for address in addresses],
        planned=list_planned(session),
        default_name=DEFAULT_NAME,
        answer_form=answer_form,
        address_form=address_form,
        verdicts=get_args(Verdict),
        **_messages(),
    )


def _messages() -> dict[str, Any]:
    """One page of the messages that fit the filter, which is echoed; whatever fits nothing shows nothing."""
    session, given = current_session(), request.args
    address, verdict = given.get("address", type=int), given.get("verdict", "")
    webhook_id = storable(given.get("webhook_id", "")).strip()[:64]
    page = min(max(given.get("page", 1, int), 1), 1_000)
    wanted = select(InboxMessage)
    if address is not None:
        wanted = wanted.where(InboxMessage.address_id == min(address, 2**53))
    if verdict:
        wanted = wanted.where(InboxMessage.verdict == storable(verdict)[:10])
    if webhook_id:
        wanted = wanted.where(InboxMessage.webhook_id == webhook_id)
    rows = list(
        session.scalars(wanted.order_by(InboxMessage.id.desc()).limit(ON_A_PAGE + 1).offset((page - 1) * ON_A_PAGE))
    )
    kept: dict[str, Any] = {"address": address, "verdict": verdict, "webhook_id": webhook_id}
    return {
        "messages": rows[:ON_A_PAGE],
        "total": session.scalar(select(func.count()).select_from(InboxMessage)) or 0,
        "names": {row.id: row.name for row in list_addresses(session)},
        "wanted": kept,
        "page": page,
        "refresh": REFRESH_SECONDS,
        "newer": url_for(HOME, **kept, page=page - 1) if page > 1 else None,
        "older": url_for(HOME, **kept, page=page + 1) if len(rows) > ON_A_PAGE else None,
    }
