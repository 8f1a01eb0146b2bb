"""The chat of this browser: as a page of its own, and as a panel beside any other page."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, Response, g, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_limiter import RateLimitExceeded

from portal.accounts.guards import current_developer
from portal.api.errors import as_domain_error
from portal.core.errors import Conflict, NotFound
from portal.core.runtime import current_session, runtime
from portal.limits import (
    CHAT_COOKIE,
    CHATS_BY_ADDRESS,
    CHATS_BY_EMAIL,
    MESSAGES_BY_ADDRESS,
    MESSAGES_BY_GUEST,
    READS_BY_ADDRESS,
    READS_BY_GUEST,
)
from portal.support.api import desk_address
from portal.support.forms import CloseForm, MessageForm, StartForm
from portal.support.models import Conversation
from portal.support.proof import cookie_with
from portal.support.service import (
    GuestMessage,
    Introduction,
    close_conversation,
    find_guests_conversation,
    post_as_guest,
    read_whole,
    start_conversation,
)
from portal.tenancy.audit import record_act
from portal.web.csrf import FormRefused, takes_sealed_form
from portal.web.forms import read_form
from portal.web.house import house_session

POLL_SECONDS = 5
HERE = "/support#newest"

blueprint = Blueprint("support", __name__, template_folder="templates", url_prefix="/support")


@blueprint.get("")
def show_support() -> ResponseReturnValue:
    return render_chat(own_conversation())


@blueprint.get("/panel")
@READS_BY_ADDRESS  # type: ignore[untyped-decorator]
@READS_BY_GUEST  # type: ignore[untyped-decorator]
def show_panel() -> ResponseReturnValue:
    """The block alone, for the panel and for looking again."""
    return render_chat(own_conversation(), is_block=True)


@blueprint.post("")
@takes_sealed_form
@CHATS_BY_ADDRESS  # type: ignore[untyped-decorator]
@CHATS_BY_EMAIL  # type: ignore[untyped-decorator]
def begin() -> ResponseReturnValue:
    """Start a conversation; where this browser has one that goes on, the message joins it."""
    form = StartForm()
    form.validate()
    introduction = read_form(form, Introduction)
    conversation = own_conversation()
    if introduction is None:
        return render_chat(conversation, start=form), 400
    session = house_session()
    response = redirect(HERE, 303)
    if conversation is not None and not conversation.is_over:
        post_as_guest(session, conversation, introduction.message, form.number)
    else:
        secret_key = runtime().settings.secret_key
        started = start_conversation(session, secret_key, introduction, start_key=form.number, tell=desk_address())
        is_secure = runtime().settings.is_secure
        response.headers.add("Set-Cookie", cookie_with(started.token, path="/", is_secure=is_secure))
    record_act(session, actor="public", action="guest-chat.start", request_id=g.request_id)
    return response


@blueprint.post("/messages")
@takes_sealed_form
@MESSAGES_BY_ADDRESS  # type: ignore[untyped-decorator]
@MESSAGES_BY_GUEST  # type: ignore[untyped-decorator]
def post_message() -> ResponseReturnValue:
    conversation = own_conversation_or_404()
    form = MessageForm(meta=_sealed())
    form.validate()
    message = read_form(form, GuestMessage)
    if message is None:
        return render_chat(conversation, reply=form), 400
    try:
        post_as_guest(current_session(), conversation, message.message, message.client_msg_id)
    except Conflict:
        return render_chat(conversation, start=StartForm(message=message.message)), 409
    record_act(current_session(), actor="public", action="guest-chat.post", request_id=g.request_id)
    return redirect(HERE, 303)


@blueprint.post("/close")
@takes_sealed_form
@MESSAGES_BY_ADDRESS  # type: ignore[untyped-decorator]
@MESSAGES_BY_GUEST  # type: ignore[untyped-decorator]
def close() -> ResponseReturnValue:
    conversation = own_conversation_or_404()
    if not CloseForm(meta=_sealed()).validate():
        raise FormRefused
    close_conversation(current_session(), conversation, "guest")
    record_act(current_session(), actor="public", action="guest-chat.close", request_id=g.request_id)
    return redirect(HERE, 303)


@blueprint.errorhandler(RateLimitExceeded)
def keep_what_was_typed(error: RateLimitExceeded) -> Response:
    """Too many of something: the same form with everything in it, and how long to wait."""
    limit = as_domain_error(error)
    conversation = own_conversation()
    is_reply = conversation is not None and "fullName" not in request.form
    forms: dict[str, Any] = {"reply": MessageForm(meta=_sealed())} if is_reply else {"start": StartForm()}
    response = make_response(render_chat(conversation, limit=limit, **forms), limit.status)
    response.headers.update(limit.headers)
    return response


def own_conversation() -> Conversation | None:
    """The conversation this browser's cookie proves, if any."""
    try:
        return own_conversation_or_404()
    except NotFound:
        return None


def own_conversation_or_404() -> Conversation:
    token = request.cookies.get(CHAT_COOKIE, "")
    return find_guests_conversation(house_session(), runtime().settings.secret_key, token)


def render_chat(
    conversation: Conversation | None,
    *,
    start: StartForm | None = None,
    reply: MessageForm | None = None,
    is_block: bool = False,
    **words: Any,
) -> str:
    """The conversation with its message form, or the form that starts one; a block only where a script asks."""
    is_block = is_block or request.headers.get("X-Partial") == "1"
    lines = read_whole(current_session(), conversation) if conversation else []
    return render_template(
        "support/conversation.html" if is_block else "support/show_support.html",
        conversation=conversation,
        lines=lines,
        start=start or _fresh_start(conversation),
        reply=reply or MessageForm(formdata=None, meta=_sealed(), client_msg_id=secrets.token_hex(12)),
        closing=CloseForm(formdata=None, meta=_sealed()),
        poll=POLL_SECONDS,
        **words,
    )


def _fresh_start(conversation: Conversation | None) -> StartForm:
    """An empty form; who is known to us already need not say it again."""
    member = current_developer()
    if conversation is not None:
        known = {"fullName": conversation.full_name, "email": conversation.email, "phoneNumber": conversation.phone}
    elif member is not None:
        known = {"fullName": member.name, "email": member.email}
    else:
        known = {}
    return StartForm(formdata=None, **known)


def _sealed() -> dict[str, str]:
    return {"holder": request.cookies.get(CHAT_COOKIE, "")}
