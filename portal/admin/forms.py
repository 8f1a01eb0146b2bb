"""The desk's forms."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import HiddenField, SelectField, TextAreaField

from portal.leads.service import SETTABLE_STATUSES
from portal.web.forms import Needed


class AnswerForm(FlaskForm):  # type: ignore[misc]
    """An answer to a visitor. `client_msg_id` keeps a double click from becoming two."""

    message = TextAreaField("Answer", [Needed()])
    client_msg_id = HiddenField()


class StatusForm(FlaskForm):  # type: ignore[misc]
    """Status of a lead, but for Converted, which is no status to choose."""

    status = SelectField("Status", [Needed()], choices=[(status, status) for status in SETTABLE_STATUSES])


class BareForm(FlaskForm):  # type: ignore[misc]
    """A button: nothing but the token."""
