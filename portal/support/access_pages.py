"""Coming back to a conversation by a mailed link, and leaving it for good."""

from __future__ import annotations

from flask import Blueprint, g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from portal.core.errors import NotFound
from portal.core.runtime import current_session, runtime
from portal.limits import CHAT_COOKIE, READS_BY_ADDRESS
from portal.support.forgetting import forget_conversation
from portal.support.forms import ForgetForm, ResumeForm
from portal.support.pages import HERE, own_conversation, own_conversation_or_404
from portal.support.proof import cookie_with, spent_cookie
from portal.support.tokens import find_link, open_link
from portal.tenancy.audit import record_act
from portal.web.csrf import FormRefused, takes_sealed_form
from portal.web.house import house_session

blueprint = Blueprint("support_access", __name__, template_folder="templates", url_prefix="/support")


@blueprint.get("/resume/<secret>")
@READS_BY_ADDRESS  # type: ignore[untyped-decorator]
def show_resume(secret: str) -> ResponseReturnValue:
    """A button. Reading this page uses nothing up, since mail scanners read every link."""
    own = own_conversation()
    try:
        link = find_link(house_session(), secret)
    except NotFound:
        return render_template("support/show_resume.html", form=None, own=own), 404
    if own is not None and own.id == link.conversation_id:
        return redirect(HERE, 303)
    form = ResumeForm(formdata=None, meta={"holder": secret})
    return render_template("support/show_resume.html", form=form, secret=secret, own=own)


@blueprint.post("/resume/<secret>")
@takes_sealed_form
@READS_BY_ADDRESS  # type: ignore[untyped-decorator]
def resume(secret: str) -> ResponseReturnValue:
    """Open the conversation in this browser. The link ends here."""
    if not ResumeForm(meta={"holder": secret}).validate():
        raise FormRefused
    session, settings = house_session(), runtime().settings
    try:
        conversation, token = open_link(session, settings.secret_key, secret)
    except NotFound:
        return render_template("support/show_resume.html", form=None, own=own_conversation()), 404
    record_act(
        session, actor="public", action="guest-chat.resume", subject=conversation.public_id, request_id=g.request_id
    )
    response = redirect(HERE, 303)
    response.headers.add("Set-Cookie", cookie_with(token, path="/", is_secure=settings.is_secure))
    return response


@blueprint.get("/forget")
def show_forget() -> ResponseReturnValue:
    """What would be lost, and the button that does it."""
    conversation = own_conversation()
    if conversation is None:
        return redirect("/support", 303)
    return render_template("support/show_forget.html", conversation=conversation, form=_forget_form(is_new=True))


@blueprint.post("/forget")
@takes_sealed_form
@READS_BY_ADDRESS  # type: ignore[untyped-decorator]
def forget() -> ResponseReturnValue:
    """End the conversation, delete what is personal in it, and take the cookie back."""
    conversation = own_conversation_or_404()
    if not _forget_form().validate():
        raise FormRefused
    forget_conversation(current_session(), conversation)
    record_act(
        current_session(),
        actor="public",
        action="guest-chat.forget",
        subject=conversation.public_id,
        request_id=g.request_id,
    )
    response = redirect("/support?forgotten=1", 303)
    response.headers["Set-Cookie"] = spent_cookie(is_secure=runtime().settings.is_secure)
    return response


def _forget_form(*, is_new: bool = False) -> ForgetForm:
    meta = {"holder": request.cookies.get(CHAT_COOKIE, "")}
    return ForgetForm(formdata=None, meta=meta) if is_new else ForgetForm(meta=meta)
