"""The contact form."""

from __future__ import annotations

import datetime as dt

from wtforms import EmailField, SelectField, StringField, TelField, TextAreaField

from portal.web.csrf import SealedForm
from portal.web.forms import Needed

TOPICS = {
    "integration": "Connect a system",
    "demo": "See a demo",
    "upgrade": "Upgrade a plan",
    "other": "Something else",
}
QUICKEST = dt.timedelta(seconds=2)


class ContactForm(SealedForm):
    """What a visitor wants from us. `homepage` is hidden from people: whoever fills it is no person, or an autofill."""

    topic = SelectField("What is it about?", [Needed()], choices=list(TOPICS.items()))
    name = StringField("Name", [Needed()])
    email = EmailField("E-mail", [Needed()])
    phone = TelField("Telephone")
    message = TextAreaField("Message")
    homepage = StringField("Leave this empty")

    @property
    def suspicions(self) -> list[str]:
        """Why this may not have been sent by a person."""
        found = {"honeypot": bool(self.homepage.data), "too_fast": self.age < QUICKEST}
        return [name for name, is_found in found.items() if is_found]
