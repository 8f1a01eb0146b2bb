"""The inbox's forms."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import SelectField, StringField
from wtforms.fields import SelectChoice

from portal.api.schema import validate
from portal.core.errors import ValidationFailed
from portal.web.forms import Needed, WholeNumberField, complain
from sandbox.console.drafts import printable
from sandbox.inbox.models import InboxAddress
from sandbox.inbox.schemas import AnswerBody

KINDS = {
    "200": "200 OK",
    "204": "204 No Content",
    "301": "301 Moved Permanently",
    "400": "400 Bad Request",
    "401": "401 Unauthorized",
    "404": "404 Not Found",
    "409": "409 Conflict",
    "410": "410 Gone",
    "429": "429 Too Many Requests",
    "500": "500 Internal Server Error",
    "503": "503 Service Unavailable",
    "drop": "no answer: the connection closes",
}


def _printable(typed: str | None) -> str:
    return printable(typed or "").strip()


class AnswerForm(FlaskForm):  # type: ignore[misc]
    """How the next arrivals are answered."""

    address = SelectField("Address", coerce=int, validators=[Needed()])
    kind = SelectField(
        "Answer", choices=[SelectChoice(*kind) for kind in KINDS.items()], default="503", validators=[Needed()]
    )
    times = WholeNumberField("How many times", default=1)
    delay_ms = WholeNumberField("Wait, ms", default=0)
    retry_after = StringField("Retry-After", filters=[_printable])
    location = StringField("Location", filters=[_printable])

    def offer(self, addresses: list[InboxAddress]) -> None:
        """Let one of these be chosen."""
        self.address.choices = [SelectChoice(address.id, address.name) for address in addresses]

    def read(self) -> AnswerBody | None:
        """What was typed; None once the complaints are beside the fields."""
        if not self.validate():
            return None
        given = {"Retry-After": self.retry_after.data, "Location": self.location.data}
        headers = {name: value for name, value in given.items() if value}
        typed: dict[str, Any] = {name: self[name].data for name in ("address", "times", "delay_ms")}
        typed = {name: value for name, value in typed.items() if value is not None}
        says = {"behaviour": "drop"} if self.kind.data == "drop" else {"status": int(self.kind.data)}
        try:
            return validate(AnswerBody, {**typed, **says, "headers": headers})
        except ValidationFailed as refused:
            self.complain(refused)
            return None

    def complain(self, refused: ValidationFailed) -> None:
        """Put each complaint beside its field; one about the headers beside the first of those that were filled in."""
        field = "retry_after" if self.retry_after.data else "location"
        complain(
            self, {{"headers": field, "status": "kind"}.get(key, key): text for key, text in refused.errors.items()}
        )


class AddressForm(FlaskForm):  # type: ignore[misc]
    """A further receiving address."""

    name = StringField("Name", validators=[Needed()])
