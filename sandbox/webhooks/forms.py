"""The form of a webhook: the API's own fields, the events as boxes to tick."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectMultipleField, StringField

from portal.web.forms import Needed


class WebhookForm(FlaskForm):  # type: ignore[misc]
    """An address and what it is told. What it takes is judged by the schema (WebhookBody)."""

    url = StringField("Address", validators=[Needed()])
    description = StringField("Description")
    events = SelectMultipleField("Events", choices=[], validate_choice=False, validators=[Needed()])
    active = BooleanField("Active", default=True)
    ordered = BooleanField("Keep the order")


def event_families(names: tuple[str, ...]) -> list[tuple[str, list[str]]]:
    """The catalogue by family: `customer.*` and its events."""
    families: dict[str, list[str]] = {}
    for name in names:
        families.setdefault(f"{name.partition('.')[0]}.*", []).append(name)
    return list(families.items())
