"""Sandboxes from the shell (contract section 9). Results go to stdout, what went wrong to stderr in one line."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

import click
import msgspec
from flask import Flask
from flask.cli import AppGroup
from sqlalchemy.exc import OperationalError, ProgrammingError

from portal.core.errors import DomainError, NotFound, ValidationFailed
from portal.core.runtime import runtime
from portal.core.session import TenantSession
from portal.tenancy.service import sweep_expired
from sandbox import daily, tenants
from sandbox.seed.receipts import Receipt
from sandbox.tenants import NewSandbox

ACTOR = "shell"
REFUSED = 2

group = AppGroup("sandbox", help="Sandboxes: tenants a developer may break.")
_form = click.option("--format", "form", metavar="text|json", default="text", help="How the result is written.")


def add_commands(app: Flask) -> None:
    """Register `flask sandbox …`."""
    app.cli.add_command(group)


@group.command("create")
@click.option("--name", default="Sandbox", show_default=True, help="Name of the tenant.")
@click.option("--plan", default="enterprise", show_default=True, help="starter, growth or enterprise.")
@_form
def create(name: str, plan: str, form: str) -> None:
    """Create a sandbox and print its keys, which are shown only now."""
    with _work(form) as session:
        new = tenants.create_sandbox(session, runtime().settings, name=name, plan=plan)
    _print(form, _described(new), _sandbox_in_words(new))


@group.command("reset")
@click.argument("tenant")
@_form
def reset(tenant: str, form: str) -> None:
    """Put the records of TENANT (its public id) back to the seed; keys stay."""
    with _work(form) as session:
        receipt = tenants.reset(session, tenant, ACTOR)
    _print(form, dataclasses.asdict(receipt), _receipt_in_words(receipt))


@group.command("expire")
@_form
def expire(form: str) -> None:
    """Delete the sandboxes whose time is over."""
    with _refusing(form):
        count = sweep_expired(runtime().database, runtime().settings)
    _print(form, {"expired": count}, [f"{count} {'sandbox' if count == 1 else 'sandboxes'} expired."])


@group.command("daily-reset")
@click.argument("tenant")
@click.option("--hour", type=int, default=None, help="Hour of the tenant's time zone, 0 to 23; never when left out.")
@_form
def daily_reset(tenant: str, hour: int | None, form: str) -> None:
    """Choose when TENANT is reset each day, or turn the daily reset off."""
    with _work(form) as session:
        daily.set_daily_reset(session, tenant, hour)
    words = "The daily reset is off." if hour is None else f"Reset every day at {hour:02d}:00."
    _print(form, {"tenant": tenant, "daily_reset_hour": hour}, [words])


@contextmanager
def _work(form: str) -> Iterator[TenantSession]:
    """Open one transaction. What is refused ends the command with a line and the code 2."""
    with _refusing(form), runtime().database.transaction() as session:
        yield session


@contextmanager
def _refusing(form: str) -> Iterator[None]:
    """End the command with a line and the code 2 for what is refused."""
    if form not in {"text", "json"}:
        _refuse("The format is text or json.")
    try:
        yield
    except ValidationFailed as error:
        _refuse("; ".join(error.errors.values()))
    except NotFound:
        _refuse("There is no such sandbox.")
    except DomainError as error:
        _refuse(error.message)
    except (OperationalError, ProgrammingError):
        _refuse("The database cannot be used; run `flask --app wsgi prepare` first.")


def _refuse(sentence: str) -> None:
    click.echo(sentence, err=True)
    raise SystemExit(REFUSED)


def _print(form: str, data: object, lines: list[str]) -> None:
    click.echo(msgspec.json.encode(data).decode() if form == "json" else "\n".join(lines))


def _described(new: NewSandbox) -> dict[str, object]:
    return {
        "tenant": new.tenant.public_id,
        "plan": new.tenant.plan,
        "publishable_key": new.tenant.publishable_id,
        "keys": new.keys,
    }


def _sandbox_in_words(new: NewSandbox) -> list[str]:
    return [
        f"Tenant           {new.tenant.public_id}",
        f"Plan             {new.tenant.plan}",
        f"Publishable key  {new.tenant.publishable_id}",
        *(f"{role.capitalize():<15}  {key}" for role, key in new.keys.items()),
        "Keep the keys: they are not shown again.",
    ]


def _receipt_in_words(receipt: Receipt) -> list[str]:
    return [f"Reset {receipt.tenant}.", *receipt.lines()]
