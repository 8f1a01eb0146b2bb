"""Sandboxes from the shell, as the contract's section 9 has them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import delete, select

from portal.core.clock import system_now
from portal.core.database import Database
from portal.tenancy.models import AuditRow, Tenant
from portal.tenancy.permissions import ROLES
from tests.conftest import Integration, NewSandbox, SandboxMaker

Shell = Callable[..., Result]


@pytest.fixture
def shell(app: Flask, database: Database) -> Iterator[Shell]:
    """Run `flask sandbox …`; what it made is gone after the test."""
    with database.transaction(write=False) as session:
        before = set(session.scalars(select(Tenant.id)))
    yield lambda *words: app.test_cli_runner().invoke(args=["sandbox", *words])
    with database.transaction() as session:
        made = [tenant.id for tenant in session.scalars(select(Tenant)) if tenant.id not in before]
        session.execute(delete(Tenant).where(Tenant.id.in_(made), Tenant.name == "From the shell"))


def create(shell: Shell, *words: str) -> Result:
    return shell("create", "--name", "From the shell", *words)


def test_create_prints_one_json_object_and_nothing_else(shell: Shell) -> None:
    result = create(shell, "--format", "json")
    assert result.exit_code == 0
    assert result.stderr == ""
    made = json.loads(result.stdout)
    assert list(made) == ["tenant", "plan", "publishable_key", "keys"]
    assert made["tenant"].startswith("ten_") and made["publishable_key"].startswith("pk_test_")
    assert made["plan"] == "enterprise"
    assert tuple(made["keys"]) == ROLES
    assert all(key.startswith("sk_test_") for key in made["keys"].values())


def test_the_keys_it_prints_open_a_full_sandbox(shell: Shell, app: Flask) -> None:
    made = json.loads(create(shell, "--format", "json").stdout)
    for role, key in made["keys"].items():
        caller = Integration(app.test_client(), key, made["tenant"])
        assert caller.get("/api/v2/customers/1").json["data"]["account"] == "John Doe", role


def test_the_plan_is_obeyed(shell: Shell, app: Flask) -> None:
    made = json.loads(create(shell, "--plan", "starter", "--format", "json").stdout)
    assert made["plan"] == "starter"
    caller = Integration(app.test_client(), made["keys"]["administrator"], made["tenant"])
    assert caller.get("/api/v2/invoices").json["code"] == "upgrade_required"


def test_without_a_format_it_is_for_people(shell: Shell) -> None:
    result = create(shell)
    assert result.exit_code == 0
    assert "Publishable key  pk_test_" in result.stdout and "not shown again" in result.stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("create", "--plan", "gold"), "Plan must be one of starter, growth, enterprise"),
        (("create", "--name", ""), "Name must have 1 to 120 characters"),
        (("create", "--format", "xml"), "The format is text or json."),
        (("reset", "ten_000000000000000000000000"), "There is no such sandbox."),
        (("reset", "1"), "There is no such sandbox."),
        (("expire", "--format", "xml"), "The format is text or json."),
    ],
)
def test_what_is_refused_is_one_line_on_stderr_and_code_2(shell: Shell, words: tuple[str, ...], sentence: str) -> None:
    result = shell(*words)
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"{sentence}\n")


def test_nothing_is_left_of_a_refused_creation(shell: Shell, database: Database) -> None:
    create(shell, "--plan", "gold")
    with database.transaction(write=False) as session:
        assert session.scalar(select(Tenant.id).where(Tenant.plan == "gold")) is None


def test_reset_puts_back_and_tells(shell: Shell, alice: Integration) -> None:
    alice.post("/api/v2/customers", {"account": "New"})
    result = shell("reset", alice.tenant)
    assert result.exit_code == 0
    assert "Kept: 6 API keys" in result.stdout
    assert "100 customers" in result.stdout
    assert "Removed: 1 customer." in result.stdout
    assert alice.get("/api/v2/customers/101").status_code == 404


def test_reset_gives_its_receipt_as_json(shell: Shell, alice: Integration) -> None:
    receipt = json.loads(shell("reset", alice.tenant, "--format", "json").stdout)
    assert receipt["tenant"] == alice.tenant
    assert receipt["restored"]["customers"] == 100
    assert receipt["removed"] == {}


def test_a_reset_from_the_shell_is_in_the_audit_trail(
    shell: Shell, alices_sandbox: NewSandbox, database: Database
) -> None:
    shell("reset", alices_sandbox.tenant.public_id)
    with database.transaction(write=False) as session:
        session.bind_tenant(alices_sandbox.tenant.id)
        (row,) = session.scalars(select(AuditRow))
    assert (row.actor, row.action, row.subject) == ("shell", "sandbox.reset", alices_sandbox.tenant.public_id)


def test_the_house_is_not_reset(shell: Shell, database: Database) -> None:
    with database.transaction(write=False) as session:
        house = session.scalar(select(Tenant.public_id).where(Tenant.mode == "house"))
    result = shell("reset", house)
    assert result.exit_code == 2
    assert result.stderr == "Only a sandbox can be reset; this tenant is not one.\n"


def test_expire_deletes_sandboxes_whose_time_is_over_and_no_others(
    shell: Shell, new_sandbox: SandboxMaker, alice: Integration, database: Database
) -> None:
    over = new_sandbox("Over", expires_at=system_now() - dt.timedelta(seconds=1)).tenant
    running = new_sandbox("Running", expires_at=system_now() + dt.timedelta(hours=1)).tenant
    result = shell("expire")
    assert result.exit_code == 0 and result.stdout.endswith("expired.\n")
    with database.transaction(write=False) as session:
        assert session.get(Tenant, over.id) is None
        assert session.get(Tenant, running.id) is not None
    assert alice.get("/api/v2/customers/1").status_code == 200
