"""Signing up, in and out; the account's own page; the one-time link of staff."""

from __future__ import annotations

import re

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_limiter import RateLimitExceeded

from portal.accounts.brakes import begin_attempt, remember_device
from portal.accounts.forms import BareForm, PasswordForm, SignInForm, SignUpForm
from portal.accounts.guards import current_developer, own_developer, page_session, start_session
from portal.accounts.service import PasswordChange, SignIn, SignUp, change_password, sign_in, sign_up, use_staff_link
from portal.accounts.session_pages import add_routes, list_own_sessions
from portal.api.errors import as_domain_error
from portal.core.errors import DomainError, RateLimited, Unauthorized, ValidationFailed
from portal.core.runtime import commit_early, current_session, runtime
from portal.limits import SIGN_INS_BY_ADDRESS, SIGN_UPS_BY_ADDRESS
from portal.web.forms import complain, read_form

entrance = Blueprint("entrance", __name__, template_folder="templates", url_prefix="/account")
blueprint = Blueprint("account", __name__, template_folder="templates", url_prefix="/account")
add_routes(blueprint)
_LOCAL_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")


def wanted_page(default: str = "/account") -> str:
    """Where `next` leads, if that is a page of ours; another site's address counts as none."""
    wanted = request.args.get("next", "")
    return wanted if _LOCAL_PATH.fullmatch(wanted) else default


def is_member() -> bool:
    developer = current_developer()
    return developer is not None and developer.is_member


@entrance.get("/sign-in")
def show_sign_in() -> ResponseReturnValue:
    if is_member():
        return redirect(wanted_page(), 303)
    return _render_sign_in(SignInForm())


@entrance.post("/sign-in")
@SIGN_INS_BY_ADDRESS  # type: ignore[untyped-decorator]
def perform_sign_in() -> ResponseReturnValue:
    """Sign a member in. A failed attempt makes the next one wait, unless it was not even one."""
    form = SignInForm()
    data = read_form(form, SignIn)
    if data is None:
        return _render_sign_in(form), 400
    attempt = begin_attempt()
    attempt.admit()
    try:
        start_session(sign_in(current_session(), data, own_developer(current_session())))
    except Unauthorized as error:
        return _render_sign_in(form, refused=error.message), 400
    commit_early()
    attempt.forgive()
    return remember_device(make_response(redirect(wanted_page(), 303)), attempt.account)


@entrance.get("/sign-up")
def show_sign_up() -> ResponseReturnValue:
    if is_member():
        return redirect(wanted_page(), 303)
    return _render_sign_up(SignUpForm())


@entrance.post("/sign-up")
@SIGN_UPS_BY_ADDRESS  # type: ignore[untyped-decorator]
def perform_sign_up() -> ResponseReturnValue:
    form = SignUpForm()
    data = read_form(form, SignUp)
    if data is not None:
        try:
            start_session(sign_up(current_session(), data, own_developer(current_session())))
            flash("Your account is ready. What you had made as a guest is yours to keep.", "success")
            return redirect(wanted_page(), 303)
        except ValidationFailed as error:
            complain(form, error.errors)
    return _render_sign_up(form), 400


@entrance.get("/link/<token>")
def use_link(token: str) -> ResponseReturnValue:
    """Sign staff in. The link ends with this visit."""
    colleague = use_staff_link(current_session(write=True), runtime().settings.secret_key, token)
    start_session(colleague)
    return redirect("/staff", 303)


@blueprint.get("")
def show_account() -> ResponseReturnValue:
    return _render_account(PasswordForm())


@blueprint.post("/password")
@SIGN_INS_BY_ADDRESS  # type: ignore[untyped-decorator]
def save_password() -> ResponseReturnValue:
    """Change the password; this browser stays signed in, every other session ends."""
    form, developer = PasswordForm(), own_developer(current_session())
    assert developer is not None
    data = read_form(form, PasswordChange)
    if data is not None:
        try:
            change_password(current_session(), developer, data)
            start_session(developer)
            flash("Your password is changed. Other browsers are signed out.", "success")
            return redirect(url_for("account.show_account"), 303)
        except ValidationFailed as error:
            complain(form, error.errors)
    return _render_account(form), 400


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End the session for good, in every copy of its cookie."""
    page_session().end(current_session())
    return redirect("/", 303)


@entrance.errorhandler(RateLimited)
@entrance.errorhandler(RateLimitExceeded)
def keep_what_was_typed(error: Exception) -> Response:
    """Show the form again as it was typed, but for passwords, with when to try again and another way."""
    limit = as_domain_error(error)
    is_sign_up = request.endpoint == "entrance.perform_sign_up"
    page = _render_sign_up(SignUpForm(), limit) if is_sign_up else _render_sign_in(SignInForm(), limit=limit)
    response = make_response(page, limit.status)
    response.headers.update(limit.headers)
    return response


def _render_sign_in(form: SignInForm, *, refused: str = "", limit: DomainError | None = None) -> str:
    words = {"refused": refused, "limit": limit, "next": wanted_page("")}
    return render_template("accounts/show_sign_in.html", form=form, **words)


def _render_sign_up(form: SignUpForm, limit: DomainError | None = None) -> str:
    words = {"guest": current_developer(), "limit": limit, "next": wanted_page("")}
    return render_template("accounts/show_sign_up.html", form=form, **words)


def _render_account(form: PasswordForm) -> str:
    words = {"developer": current_developer(), "sessions": list_own_sessions()}
    return render_template("accounts/show_account.html", form=form, button=BareForm(), **words)
