"""Commands of the platform owner: keys that act across tenants (contract section 6)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask import Flask
from flask.cli import AppGroup
from sqlalchemy.exc import OperationalError, ProgrammingError

from portal.api.schema import ApiModel, ShortName, validate
from portal.core.errors import NotFound, ValidationFailed
from portal.core.runtime import runtime
from portal.core.session import TenantSession
from portal.tenancy.audit import record_act
from portal.tenancy.keys import issue_key, key_id_in, revoke_key
from portal.tenancy.models import Tenant
from portal.tenancy.service import find_house

ACTOR = "shell"
REFUSED = 2

group = AppGroup("platform", help="The platform owner: keys that act across tenants.")
_form = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)


class KeyName(ApiModel):
    """What a key is called."""

    name: ShortName


def add_platform_commands(app: Flask) -> None:
    """Register `flask platform …`."""
    app.cli.add_command(group)


@group.command("key")
@click.option("--name", default="Platform owner", show_default=True, help="What the key is for.")
@_form
def issue(name: str, form: str) -> None:
    """Issue an administrator's key of the house tenant and print it; it is shown only now."""
    with _work() as (session, house):
        kept = validate(KeyName, {"name": name}).name
        issued = issue_key(session, runtime().settings.secret_key, house, name=kept, role="administrator")
        record_act(session, actor=ACTOR, action="platform.key", subject=house.public_id)
    data = {"tenant": house.public_id, "key": issued.secret}
    lines = [f"Tenant  {house.public_id}", f"Key     {issued.secret}", "Keep the key: it is not shown again."]
    click.echo(json.dumps(data) if form == "json" else "\n".join(lines))


@group.command("revoke")
@click.argument("key")
@_form
def revoke(key: str, form: str) -> None:
    """End KEY, named by its id (the third part of a key) or in full; its access tokens end with it."""
    with _work() as (session, house):
        ended = revoke_key(session, key_id_in(key) or key)
        record_act(session, actor=ACTOR, action="platform.revoke", subject=house.public_id)
    click.echo(json.dumps({"key_id": ended.key_id}) if form == "json" else f"The key {ended.key_id} has ended.")


@contextmanager
def _work() -> Iterator[tuple[TenantSession, Tenant]]:
    """One transaction in the house tenant. What is refused ends the command with a line and the code 2."""
    try:
        with runtime().database.transaction() as session:
            house = find_house(session)
            session.bind_tenant(house.id, house.clock)
            yield session, house
    except ValidationFailed as error:
        _refuse("; ".join(error.errors.values()))
    except NotFound as error:
        _refuse("The house tenant has no such key." if error.message == NotFound.default_message else error.message)
    except (OperationalError, ProgrammingError):
        _refuse("The database cannot be used; run `flask --app wsgi prepare` first.")


def _refuse(sentence: str) -> None:
    click.echo(sentence, err=True)
    raise SystemExit(REFUSED)
