"""The console's small forms. The request itself is as wide as its operation, so its form is built by the template."""

from __future__ import annotations

from typing import Annotated

from flask_wtf import FlaskForm
from pydantic import AfterValidator
from wtforms import SelectField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired

from portal.api.schema import ApiModel, ShortName, refuse
from portal.tenancy.permissions import ROLES
from portal.tenancy.plans import PLANS, modules_of
from portal.web.forms import Needed


class OpenForm(FlaskForm):  # type: ignore[misc]
    """Which plan the new sandbox is on."""

    plan = SelectField(
        "Plan",
        choices=[SelectChoice(plan, f"{plan.capitalize()}, {len(modules_of(plan))} modules") for plan in PLANS[::-1]],
        default=PLANS[-1],
        validators=[InputRequired("Choose a plan.")],
    )


class KeyForm(FlaskForm):  # type: ignore[misc]
    """A further key."""

    name = StringField("Name", validators=[Needed()])
    role = SelectField("Role", choices=[SelectChoice(role, role) for role in ROLES], validators=[Needed()])


def _is_role(value: str) -> str:
    if value not in ROLES:
        raise refuse(f"{{label}} must be one of {', '.join(ROLES)}")
    return value


class KeyBody(ApiModel):
    """What a key is issued for."""

    name: ShortName
    role: Annotated[str, AfterValidator(_is_role)]
