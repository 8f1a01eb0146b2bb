"""The forms of accounts; their rules are the schemas of the service."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import EmailField, PasswordField, StringField

from portal.web.forms import Needed


class SignUpForm(FlaskForm):  # type: ignore[misc]
    """Asking for the link that makes an account."""

    name = StringField("Name", [Needed()])
    email = EmailField("E-mail", [Needed()])


class SignInForm(FlaskForm):  # type: ignore[misc]
    """Being recognised."""

    email = EmailField("E-mail", [Needed()])
    password = PasswordField("Password", [Needed()])


class ResetForm(FlaskForm):  # type: ignore[misc]
    """Asking for the link that takes a new password."""

    email = EmailField("E-mail", [Needed()])


class NewPasswordForm(FlaskForm):  # type: ignore[misc]
    """The password of a new account, or instead of a lost one."""

    password = PasswordField("New password", [Needed()])


class PasswordForm(FlaskForm):  # type: ignore[misc]
    """A new password."""

    current_password = PasswordField("Current password", [Needed()])
    new_password = PasswordField("New password", [Needed()])


class BareForm(FlaskForm):  # type: ignore[misc]
    """A button: nothing but the token."""
