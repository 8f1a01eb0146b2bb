"""Commands about people: making staff."""

from __future__ import annotations

import json
from typing import cast

import click
from flask import Flask
from flask.cli import AppGroup

from portal.accounts.service import StaffRole, issue_staff_link
from portal.api.schema import ApiModel, Email, validate
from portal.core.errors import ValidationFailed
from portal.core.runtime import runtime

commands = AppGroup("staff", help="People who work at the desk.")


class Invitation(ApiModel):
    """Whom to make staff."""

    email: Email


@commands.command("create")
@click.option("--email", required=True, help="Address of the colleague")
@click.option("--role", type=click.Choice(["agent", "owner"]), default="agent", show_default=True)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def create_staff(email: str, role: str, form: str) -> None:
    """Make somebody staff and print a link that signs them in once, within 24 hours."""
    try:
        address = validate(Invitation, {"email": email}).email.lower()
    except ValidationFailed as error:
        raise click.BadParameter(error.errors["email"], param_hint="--email") from None
    settings = runtime().settings
    with runtime().database.transaction() as session:
        token = issue_staff_link(session, address, cast(StaffRole, role))
    url = f"{settings.base_url}/account/link/{token}"
    click.echo(json.dumps({"email": address, "role": role, "sign_in_url": url}) if form == "json" else url)


def add_staff_commands(app: Flask) -> None:
    """Register `flask staff …`."""
    app.cli.add_command(commands)
