"""The forms of the chat. None needs a session; those of a conversation are sealed to whoever holds it."""

from __future__ import annotations

from wtforms import EmailField, HiddenField, StringField, TelField, TextAreaField

from portal.web.csrf import SealedForm
from portal.web.forms import Needed


class StartForm(SealedForm):
    """A visitor's introduction and first message."""

    fullName = StringField("Name", [Needed()], id="chat-name")
    email = EmailField("E-mail", [Needed()], id="chat-email")
    phoneNumber = TelField("Telephone", id="chat-phone")
    message = TextAreaField("Message", [Needed()], id="chat-message")


class MessageForm(SealedForm):
    """A further message. `client_msg_id`, together with the text, keeps a double click from becoming two."""

    message = TextAreaField("Your message", [Needed()], id="chat-message")
    client_msg_id = HiddenField(id="chat-client-id")


class CloseForm(SealedForm):
    """A button: nothing but the seal."""


class ForgetForm(SealedForm):
    """The button that ends a conversation and has it forgotten."""


class ResumeForm(SealedForm):
    """The button behind a mailed link."""
