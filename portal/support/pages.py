"""The chat of this browser: as a page of its own, and as a panel beside any other page."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, Response, g, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_limiter import RateLimitExceeded

from portal.accounts.guards import current_developer
from portal.accounts.service import Developer
from portal.api.errors import as_domain_error
from portal.core.errors import Conflict, NotFound, RateLimited
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
from portal.support.forms import CloseForm, MessageForm, StartForm
from portal.support.models import Conversation
from portal.support.proof import cookie_with, renew_cookie
from portal.support.reading import read_events, read_latest
from portal.support.service import (
    GuestMessage,
    Introduction,
    bind_to_text,
    close_conversation,
    introduce_again,
    is_old_repeat,
    post_as_guest,
    start_conversation,
)
from portal.support.tokens import SILENCE, find_guests_conversation
from portal.support.visits import desk_address, note_reading
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
@READS_BY_GUEST
def show_panel() -> ResponseReturnValue:
    """The block alone, for the panel; with `after`, only what came behind that line, for looking again."""
    conversation, after = own_conversation(), read_cursor("after")
    if conversation is None or after is None:
        return render_chat(conversation, is_block=True)
    lines = read_events(current_session(), conversation, after)
    note_reading(conversation, lines[-1].seq if lines else 0)
    return render_template("support/news.html", conversation=conversation, lines=lines)


@blueprint.post("")
@takes_sealed_form
@CHATS_BY_ADDRESS  # type: ignore[untyped-decorator]
@CHATS_BY_EMAIL
def begin() -> ResponseReturnValue:
    """Start a conversation; where this browser has one that goes on, the message joins it."""
    form = StartForm()
    form.validate()
    introduction = read_form(form, Introduction)
    conversation = own_conversation()
    if introduction is None:
        return render_chat(conversation, start=form), 400
    session, member_id, tell = house_session(), _member_id(), desk_address()
    response = redirect(HERE, 303)
    if conversation is not None and not conversation.is_over:
        introduce_again(session, conversation, introduction)
        number = bind_to_text(form.number, introduction.message)
        post_as_guest(session, conversation, introduction.message, number, member_id=member_id, tell=tell)
    else:
        settings = runtime().settings
        started = start_conversation(
            session, settings.secret_key, introduction, start_key=form.number, member_id=member_id, tell=tell
        )
        response.headers.add("Set-Cookie", cookie_with(started.token, path="/", is_secure=settings.is_secure))
    record_act(session, actor="public", action="guest-chat.start", request_id=g.request_id)
    return response


@blueprint.post("/messages")
@takes_sealed_form
@MESSAGES_BY_ADDRESS  # type: ignore[untyped-decorator]
@MESSAGES_BY_GUEST
def post_message() -> ResponseReturnValue:
    conversation, session = own_conversation_or_404(), current_session()
    form = MessageForm(meta=_sealed())
    form.validate()
    message = read_form(form, GuestMessage)
    if message is None:
        return render_chat(conversation, reply=form), 400
    text, number = message.message, bind_to_text(message.client_msg_id, message.message)
    try:
        line = post_as_guest(session, conversation, text, number, member_id=_member_id(), tell=desk_address())
    except Conflict:
        return render_chat(conversation, start=StartForm(message=text)), 409
    if is_old_repeat(session, line):
        return render_chat(conversation, reply=_fresh_reply(text), repeated=line), 409
    record_act(session, actor="public", action="guest-chat.post", request_id=g.request_id)
    return redirect(HERE, 303)


@blueprint.post("/close")
@takes_sealed_form
@MESSAGES_BY_ADDRESS  # type: ignore[untyped-decorator]
@MESSAGES_BY_GUEST
def close() -> ResponseReturnValue:
    conversation = own_conversation_or_404()
    if not CloseForm(meta=_sealed()).validate():
        raise FormRefused
    close_conversation(current_session(), conversation, "guest")
    record_act(current_session(), actor="public", action="guest-chat.close", request_id=g.request_id)
    return redirect(HERE, 303)


@blueprint.errorhandler(RateLimited)
@blueprint.errorhandler(RateLimitExceeded)
def keep_what_was_typed(error: Exception) -> Response:
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
    settings, token = runtime().settings, request.cookies.get(CHAT_COOKIE, "")
    found = find_guests_conversation(house_session(), settings.secret_key, token, silence=SILENCE)
    renew_cookie(token, path="/", is_secure=settings.is_secure)
    return found


def read_cursor(name: str) -> int | None:
    """Return the sequence number of the query string's parameter, None without a usable one."""
    number = request.args.get(name, type=int)
    return None if number is None or not 0 <= number < 1_000_000_000 else number


def render_chat(
    conversation: Conversation | None,
    *,
    start: StartForm | None = None,
    reply: MessageForm | None = None,
    is_block: bool = False,
    **words: Any,
) -> str:
    """The newest lines with the message form, or the form that starts one; a block only where a script asks."""
    is_block = is_block or request.headers.get("X-Partial") == "1"
    before = read_cursor("before")
    shown = read_latest(current_session(), conversation, before) if conversation else None
    if conversation and shown and shown.rows:
        note_reading(conversation, shown.rows[-1].seq)
    return render_template(
        "support/conversation.html" if is_block else "support/show_support.html",
        conversation=conversation,
        shown=shown,
        is_newest=before is None,
        start=start or _fresh_start(conversation),
        reply=reply or _fresh_reply(),
        closing=CloseForm(formdata=None, meta=_sealed()),
        member=_member(),
        poll=POLL_SECONDS,
        **words,
    )


def _fresh_reply(text: str | None = None) -> MessageForm:
    return MessageForm(formdata=None, meta=_sealed(), client_msg_id=secrets.token_hex(12), message=text)


def _member() -> Developer | None:
    developer = current_developer()
    return developer if developer is not None and developer.is_member else None


def _member_id() -> str | None:
    member = _member()
    return member.public_id if member else None


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
