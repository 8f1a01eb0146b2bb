"""The pages of links that act once. Mail scanners read every link, so reading changes nothing; the button acts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from flask import Blueprint, flash, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from portal.accounts.brakes import remember_device
from portal.accounts.forms import BareForm, NewPasswordForm
from portal.accounts.guards import own_developer, start_session
from portal.accounts.letters import tell_of_new_password
from portal.accounts.links import LIFETIMES, Purpose, describe, find_link
from portal.accounts.models import Developer
from portal.accounts.service import (
    NewPassword,
    find_link_holder,
    reset_password,
    sign_up,
    use_staff_link,
    verify_email,
)
from portal.accounts.wanted import wanted_page
from portal.core.errors import NotFound, ValidationFailed
from portal.core.runtime import current_session
from portal.limits import SIGN_INS_BY_ADDRESS, hash_email
from portal.web.forms import complain, read_form

Setting = Callable[[str, str], Developer]


def add_routes(blueprint: Blueprint) -> None:
    """Add a page and its button for each kind of link."""
    for path, show, act in (
        ("link", show_staff_link, use_link),
        ("new", show_new_account, create_account),
        ("reset", show_reset, save_reset),
        ("verify", show_verify, verify),
    ):
        blueprint.add_url_rule(f"/{path}/<token>", view_func=show, methods=["GET"])
        blueprint.add_url_rule(f"/{path}/<token>", view_func=SIGN_INS_BY_ADDRESS(act), methods=["POST"])


def show_staff_link(token: str) -> ResponseReturnValue:
    try:
        holder = find_link_holder(current_session(), "staff", token)
    except NotFound:
        return _show_ended("staff")
    return render_template("accounts/show_staff_link.html", form=BareForm(), token=token, holder=holder)


def use_link(token: str) -> ResponseReturnValue:
    """Sign staff in. The link ends here."""
    try:
        colleague = use_staff_link(current_session(), token)
    except NotFound:
        return _show_ended("staff")
    start_session(colleague)
    return redirect("/staff", 303)


def show_new_account(token: str) -> ResponseReturnValue:
    """Where the reader of the mail chooses a password, and so becomes a member."""
    return _show_password_form("sign-up", token, NewPasswordForm(formdata=None))


def create_account(token: str) -> ResponseReturnValue:
    """Make the account: what the guest of this browser has made comes along."""
    make: Setting = lambda token, password: sign_up(  # noqa: E731
        current_session(), token, password, own_developer(current_session())
    )
    return _take_password(
        "sign-up", token, make, "Your account is ready. What you had made as a guest is yours to keep."
    )


def show_reset(token: str) -> ResponseReturnValue:
    return _show_password_form("reset", token, NewPasswordForm(formdata=None))


def save_reset(token: str) -> ResponseReturnValue:
    """Set the password; every session ends but for the one that begins here."""

    def change(token: str, password: str) -> Developer:
        member = reset_password(current_session(), token, password, own_developer(current_session()))
        tell_of_new_password(current_session(), member)
        return member

    return _take_password("reset", token, change, "Your password is changed. Other browsers are signed out.")


def show_verify(token: str) -> ResponseReturnValue:
    try:
        holder = find_link_holder(current_session(), "verify", token)
    except NotFound:
        return _show_ended("verify")
    return render_template("accounts/show_verify.html", form=BareForm(), token=token, holder=holder)


def verify(token: str) -> ResponseReturnValue:
    """Write down that the address is proven. It signs nobody in."""
    try:
        verify_email(current_session(), token)
    except NotFound:
        return _show_ended("verify")
    flash("Your e-mail address is verified.", "success")
    return redirect("/account", 303)


def _show_password_form(
    purpose: Literal["sign-up", "reset"], token: str, form: NewPasswordForm, status: int = 200
) -> ResponseReturnValue:
    try:
        email = find_link(current_session(), purpose, token).email
    except NotFound:
        return _show_ended(purpose)
    words = {"email": email, "is_new": purpose == "sign-up", "action": request.full_path.rstrip("?")}
    return render_template("accounts/show_new_password.html", form=form, **words), status


def _take_password(purpose: Literal["sign-up", "reset"], token: str, act: Setting, done: str) -> ResponseReturnValue:
    form = NewPasswordForm()
    data = read_form(form, NewPassword)
    if data is None:
        return _show_password_form(purpose, token, form, 400)
    try:
        member = act(token, data.password)
    except NotFound:
        return _show_ended(purpose)
    except ValidationFailed as error:
        complain(form, error.errors)
        return _show_password_form(purpose, token, form, 400)
    start_session(member)
    flash(done, "success")
    return remember_device(make_response(redirect(wanted_page(), 303)), hash_email(str(member.email)))


def _show_ended(purpose: Purpose) -> ResponseReturnValue:
    words = {"purpose": purpose, "lifetime": describe(LIFETIMES[purpose])}
    return render_template("accounts/show_ended_link.html", **words), 404
