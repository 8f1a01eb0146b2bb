"""Signing up, in and out; asking for a new password; the account's own page."""

from __future__ import annotations

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_limiter import RateLimitExceeded

from portal.accounts import link_pages
from portal.accounts.brakes import admit_mail, begin_attempt, remember_device
from portal.accounts.forms import BareForm, PasswordForm, ResetForm, SignInForm, SignUpForm
from portal.accounts.guards import current_developer, end_session, own_developer, start_session
from portal.accounts.letters import ask_to_reset, ask_to_sign_up, ask_to_verify, tell_of_new_password
from portal.accounts.models import Developer
from portal.accounts.service import PasswordChange, ResetRequest, SignIn, SignUp, change_password, sign_in
from portal.accounts.session_pages import add_routes, list_own_sessions
from portal.accounts.wanted import wanted_page
from portal.api.errors import as_domain_error
from portal.core.errors import DomainError, RateLimited, Unauthorized, ValidationFailed
from portal.core.runtime import commit_early, current_session, runtime
from portal.limits import RESETS_OF_PASSWORDS_BY_ADDRESS, SIGN_INS_BY_ADDRESS, SIGN_UPS_BY_ADDRESS, hash_email
from portal.web.errors import show_error_page
from portal.web.forms import complain, read_form

entrance = Blueprint("entrance", __name__, template_folder="templates", url_prefix="/account")
blueprint = Blueprint("account", __name__, template_folder="templates", url_prefix="/account")
link_pages.add_routes(entrance)
add_routes(blueprint)


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
def request_sign_up() -> ResponseReturnValue:
    """Have a mail sent. The response, and the work before it, is one for every address."""
    form = SignUpForm()
    data = read_form(form, SignUp)
    if data is None:
        return _render_sign_up(form), 400
    admit_mail()
    ask_to_sign_up(current_session(), data.name, data.email, wanted_page(""))
    return _expect_mail(data.email)


@entrance.get("/reset")
def show_reset_request() -> ResponseReturnValue:
    return _render_reset(ResetForm())


@entrance.post("/reset")
@RESETS_OF_PASSWORDS_BY_ADDRESS  # type: ignore[untyped-decorator]
def request_reset() -> ResponseReturnValue:
    """Have a mail sent to the holder of an account. The response, and the work before it, is one for every address."""
    form = ResetForm()
    data = read_form(form, ResetRequest)
    if data is None:
        return _render_reset(form), 400
    admit_mail()
    ask_to_reset(current_session(), data.email)
    return _expect_mail(data.email)


@entrance.get("/check-mail")
def show_check_mail() -> ResponseReturnValue:
    words = {"email": session.get("mailed_to"), "is_logged": not runtime().settings.smtp_url}
    return render_template("accounts/show_check_mail.html", **words)


@blueprint.get("")
def show_account() -> ResponseReturnValue:
    return _render_account(PasswordForm())


@blueprint.post("/password")
@SIGN_INS_BY_ADDRESS  # type: ignore[untyped-decorator]
def save_password() -> ResponseReturnValue:
    """Change the password; this browser stays signed in, every other session ends."""
    form = PasswordForm()
    data = read_form(form, PasswordChange)
    if data is None:
        return _render_account(form), 400
    attempt = begin_attempt(hash_email(str(_reader().email)))
    attempt.admit()
    developer = own_developer(current_session())
    assert developer is not None
    try:
        change_password(current_session(), developer, data)
    except ValidationFailed as error:
        complain(form, error.errors)
        return _render_account(form), 400
    tell_of_new_password(current_session(), developer)
    start_session(developer)
    commit_early()
    attempt.forgive()
    flash("Your password is changed. Other browsers are signed out.", "success")
    return redirect(url_for("account.show_account"), 303)


@blueprint.post("/verify")
@SIGN_UPS_BY_ADDRESS  # type: ignore[untyped-decorator]
def request_verification() -> ResponseReturnValue:
    """Have a link mailed that proves the account's address."""
    developer = _reader()
    admit_mail(hash_email(str(developer.email)))
    ask_to_verify(current_session(), developer)
    return _expect_mail(str(developer.email))


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End the session for good, in every copy of its cookie."""
    end_session()
    return redirect("/", 303)


@entrance.errorhandler(RateLimited)
@entrance.errorhandler(RateLimitExceeded)
def keep_what_was_typed(error: Exception) -> Response:
    """Show the form again as it was typed, but for passwords, with when to try again and another way."""
    limit = as_domain_error(error)
    if request.endpoint == "entrance.request_sign_up":
        page = _render_sign_up(SignUpForm(), limit)
    elif request.endpoint == "entrance.request_reset":
        page = _render_reset(ResetForm(), limit)
    elif request.endpoint == "entrance.perform_sign_in":
        page = _render_sign_in(SignInForm(), limit=limit)
    else:
        return show_error_page(limit)
    response = make_response(page, limit.status)
    response.headers.update(limit.headers)
    return response


def _expect_mail(email: str) -> ResponseReturnValue:
    session["mailed_to"] = email
    return redirect(url_for("entrance.show_check_mail"), 303)


def _reader() -> Developer:
    developer = current_developer()
    assert developer is not None
    return developer


def _render_sign_in(form: SignInForm, *, refused: str = "", limit: DomainError | None = None) -> str:
    words = {"refused": refused, "limit": limit, "next": wanted_page("")}
    return render_template("accounts/show_sign_in.html", form=form, **words)


def _render_sign_up(form: SignUpForm, limit: DomainError | None = None) -> str:
    words = {"guest": current_developer(), "limit": limit, "next": wanted_page("")}
    return render_template("accounts/show_sign_up.html", form=form, **words)


def _render_reset(form: ResetForm, limit: DomainError | None = None) -> str:
    return render_template("accounts/show_reset_request.html", form=form, limit=limit)


def _render_account(form: PasswordForm) -> str:
    words = {"developer": current_developer(), "sessions": list_own_sessions()}
    return render_template("accounts/show_account.html", form=form, button=BareForm(), **words)
