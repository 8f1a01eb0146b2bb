"""A chat as staff read it and reply to it."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.accounts.guards import current_developer
from portal.accounts.service import find_developer
from portal.admin.forms import AnswerForm, BareForm
from portal.admin.pages import write_down
from portal.support.service import (
    GuestMessage,
    answer_as_staff,
    bind_to_text,
    close_conversation,
    find_conversation,
    is_old_repeat,
    read_events,
    read_latest,
)
from portal.web.forms import read_form
from portal.web.house import house_session

POLL_SECONDS = 5
LAST_CURSOR = 999_999_999

blueprint = Blueprint("desk_chats", __name__, template_folder="templates", url_prefix="/staff/chats")


@blueprint.get("/<public_id>")
def show_chat(public_id: str) -> ResponseReturnValue:
    """The newest messages; those before `before`; or, for a script, those behind `after` only."""
    after = read_cursor("after")
    if after is None or request.headers.get("X-Partial") != "1":
        return _render_chat(public_id)
    conversation = find_conversation(house_session(), public_id)
    lines = read_events(house_session(), conversation, after)
    return render_template("admin/news.html", conversation=conversation, lines=lines)


@blueprint.post("/<public_id>/messages")
def answer_chat(public_id: str) -> ResponseReturnValue:
    session, form = house_session(), AnswerForm()
    conversation, reply = find_conversation(session, public_id), read_form(form, GuestMessage)
    if reply is None:
        return _render_chat(public_id, form=form), 400
    colleague = current_developer()
    name = colleague.name if colleague else None
    number = bind_to_text(reply.client_msg_id, reply.message)
    line = answer_as_staff(session, conversation, reply.message, number, author_name=name)
    if is_old_repeat(session, line):
        return _render_chat(public_id, form=_fresh_form(reply.message), repeated=line), 409
    write_down("chats.answer", public_id)
    return redirect(url_for("desk_chats.show_chat", public_id=public_id, _anchor="newest"), 303)


@blueprint.post("/<public_id>/close")
def close_chat(public_id: str) -> ResponseReturnValue:
    close_conversation(house_session(), find_conversation(house_session(), public_id), "staff")
    write_down("chats.close", public_id)
    return redirect(url_for("desk_chats.show_chat", public_id=public_id, _anchor="newest"), 303)


def read_cursor(name: str) -> int | None:
    """Return the sequence number of the query string's parameter, None without a usable one."""
    number = request.args.get(name, type=int)
    return None if number is None or not 0 <= number <= LAST_CURSOR else number


def _render_chat(public_id: str, **words: Any) -> str:
    session, before = house_session(), read_cursor("before")
    conversation = find_conversation(session, public_id)
    is_block = request.headers.get("X-Partial") == "1"
    words.setdefault("form", _fresh_form())
    return render_template(
        "admin/conversation.html" if is_block else "admin/show_chat.html",
        conversation=conversation,
        shown=read_latest(session, conversation, before),
        is_newest=before is None,
        member=find_developer(session, conversation.member_id) if conversation.member_id else None,
        button=BareForm(),
        poll=POLL_SECONDS,
        **words,
    )


def _fresh_form(text: str | None = None) -> AnswerForm:
    return AnswerForm(formdata=None, client_msg_id=secrets.token_hex(12), message=text)
