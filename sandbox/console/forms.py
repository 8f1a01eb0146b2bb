"""The console's small forms. The request itself is as wide as its operation, so its form is built by the template."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import SelectField, StringField
from wtforms.validators import InputRequired, Length

from portal.tenancy.permissions import ROLES
from portal.tenancy.plans import PLANS, modules_of


class OpenForm(FlaskForm):  # type: ignore[misc]
    """Which plan the new sandbox is on."""

    plan = SelectField(
        "Plan",
        choices=[(plan, f"{plan.capitalize()}, {len(modules_of(plan))} modules") for plan in reversed(PLANS)],
        default=PLANS[-1],
        validators=[InputRequired("Choose a plan.")],
    )


class KeyForm(FlaskForm):  # type: ignore[misc]
    """A further key."""

    name = StringField(
        "Name",
        validators=[
            InputRequired("Say what the key is for."),
            Length(max=80, message="A name has 80 characters at most."),
        ],
        filters=[lambda text: text.strip() if text else text],
    )
    role = SelectField("Role", choices=[(role, role) for role in ROLES], validators=[InputRequired("Choose a role.")])
