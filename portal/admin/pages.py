"""The desk: what visitors left, what waits for an answer, and the pages on which it is dealt with."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.accounts.guards import current_developer
from portal.admin.forms import AnswerForm, BareForm, StatusForm
from portal.core.errors import NotFound
from portal.leads.service import (
    REASONS,
    LeadTouch,
    change_status,
    find_lead,
    find_lead_of,
    find_touch,
    list_leads,
    list_quarantine,
    list_touches,
    mark_as_spam,
    release_touch,
)
from portal.support.service import (
    GuestMessage,
    answer_as_staff,
    close_conversation,
    find_conversation,
    list_conversations,
    read_whole,
)
from portal.tenancy.audit import record_act
from portal.web.forms import read_form
from portal.web.house import house_session

POLL_SECONDS = 5

blueprint = Blueprint("admin", __name__, template_folder="templates", url_prefix="/staff")


@blueprint.get("")
def show_desk() -> ResponseReturnValue:
    session = house_session()
    return render_template(
        "admin/show_desk.html",
        chats=list_conversations(session),
        quarantine=list_quarantine(session),
        leads=list_leads(session),
        reasons=REASONS,
    )


@blueprint.get("/leads/<public_id>")
def show_lead(public_id: str) -> ResponseReturnValue:
    """A lead with its inquiries. A receipt leads to the lead of its inquiry, or to the inquiry that has none."""
    session = house_session()
    try:
        lead = find_lead(session, public_id)
    except NotFound:
        return _show_inquiry(find_touch(session, public_id))
    form = StatusForm(formdata=None, status=lead.status)
    return render_template("admin/show_lead.html", lead=lead, touches=list_touches(session, lead), form=form)


@blueprint.post("/leads/<public_id>/status")
def save_status(public_id: str) -> ResponseReturnValue:
    lead, form = find_lead(house_session(), public_id), StatusForm()
    if form.validate():
        change_status(house_session(), lead, form.status.data)
        _write_down("leads.update", lead.public_id)
        flash(f"The lead is {lead.status} now.", "success")
    else:
        flash("Choose one of the statuses.", "failure")
    return redirect(url_for("admin.show_lead", public_id=public_id), 303)


@blueprint.post("/inquiries/<receipt>/release")
def release_inquiry(receipt: str) -> ResponseReturnValue:
    lead = release_touch(house_session(), find_touch(house_session(), receipt))
    _write_down("inquiries.release", receipt)
    flash("The inquiry is out of quarantine.", "success")
    return redirect(url_for("admin.show_lead", public_id=lead.public_id), 303)


@blueprint.post("/inquiries/<receipt>/spam")
def reject_inquiry(receipt: str) -> ResponseReturnValue:
    mark_as_spam(house_session(), find_touch(house_session(), receipt))
    _write_down("inquiries.reject", receipt)
    flash("Marked as spam.", "success")
    return redirect(url_for("admin.show_desk"), 303)


@blueprint.get("/chats/<public_id>")
def show_chat(public_id: str) -> ResponseReturnValue:
    return _render_chat(public_id)


@blueprint.post("/chats/<public_id>/messages")
def answer_chat(public_id: str) -> ResponseReturnValue:
    conversation, form = find_conversation(house_session(), public_id), AnswerForm()
    message = read_form(form, GuestMessage)
    if message is None:
        return _render_chat(public_id, form=form), 400
    answer_as_staff(house_session(), conversation, message.message, message.client_msg_id)
    _write_down("chats.answer", public_id)
    return redirect(url_for("admin.show_chat", public_id=public_id, _anchor="newest"), 303)


@blueprint.post("/chats/<public_id>/close")
def close_chat(public_id: str) -> ResponseReturnValue:
    close_conversation(house_session(), find_conversation(house_session(), public_id), "staff")
    _write_down("chats.close", public_id)
    return redirect(url_for("admin.show_chat", public_id=public_id, _anchor="newest"), 303)


def _show_inquiry(touch: LeadTouch) -> ResponseReturnValue:
    lead = find_lead_of(house_session(), touch)
    if lead is not None:
        return redirect(url_for("admin.show_lead", public_id=lead.public_id), 303)
    return render_template("admin/show_inquiry.html", touch=touch, reasons=REASONS, button=BareForm())


def _render_chat(public_id: str, **words: Any) -> str:
    session = house_session()
    conversation = find_conversation(session, public_id)
    is_block = request.headers.get("X-Partial") == "1"
    words.setdefault("form", AnswerForm(formdata=None, client_msg_id=secrets.token_hex(12)))
    return render_template(
        "admin/conversation.html" if is_block else "admin/show_chat.html",
        conversation=conversation,
        lines=read_whole(session, conversation),
        button=BareForm(),
        poll=POLL_SECONDS,
        **words,
    )


def _write_down(action: str, subject: str) -> None:
    colleague = current_developer()
    assert colleague is not None
    record_act(house_session(), actor=colleague.actor, action=action, subject=subject, request_id=g.request_id)
