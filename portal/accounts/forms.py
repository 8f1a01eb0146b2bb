"""The forms of accounts; their rules are the schemas of the service."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import EmailField, PasswordField, StringField

from portal.web.forms import Needed


class SignUpForm(FlaskForm):  # type: ignore[misc]
    """Becoming a member."""

    name = StringField("Name", [Needed()])
    email = EmailField("E-mail", [Needed()])
    password = PasswordField("Password", [Needed()])


class SignInForm(FlaskForm):  # type: ignore[misc]
    """Being recognised."""

    email = EmailField("E-mail", [Needed()])
    password = PasswordField("Password", [Needed()])


class PasswordForm(FlaskForm):  # type: ignore[misc]
    """A new password."""

    current_password = PasswordField("Current password", [Needed()])
    new_password = PasswordField("New password", [Needed()])


class BareForm(FlaskForm):  # type: ignore[misc]
    """A button: nothing but the token."""
