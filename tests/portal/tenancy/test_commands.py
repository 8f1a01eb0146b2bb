"""The platform owner's keys from the shell."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import delete, select

from portal.core.database import Database
from portal.tenancy.models import ApiKey, Tenant
from portal.tenancy.service import find_house
from tests.conftest import Integration
from tests.portal.tenancy.conftest import Acts

Shell = Callable[..., Result]


@pytest.fixture
def shell(app: Flask, database: Database) -> Iterator[Shell]:
    """Run `flask platform …`; the keys it made are gone after the test."""
    yield lambda *words: app.test_cli_runner().invoke(args=["platform", *words])
    with database.transaction() as session:
        session.bind_tenant(find_house(session).id)
        session.execute(delete(ApiKey).where(ApiKey.name.in_(["Platform owner", "Nightly"])))


def test_it_prints_the_tenant_and_a_key_that_crosses_borders(
    shell: Shell, app: Flask, database: Database, alice: Integration, acts: Acts
) -> None:
    result = shell("key", "--name", "Nightly", "--format", "json")
    assert (result.exit_code, result.stderr) == (0, "")
    made = json.loads(result.stdout)
    assert list(made) == ["tenant", "key"] and made["key"].startswith("sk_live_")
    owner = Integration(app.test_client(), made["key"], made["tenant"])
    assert owner.get(f"/api/tenants/{alice.tenant}").json["data"]["name"] == "Alice's"
    with database.transaction(write=False) as session:
        assert session.scalar(select(Tenant.mode).where(Tenant.public_id == made["tenant"])) == "house"
    row = acts(made["tenant"], "shell")[-1]
    assert (row.action, row.subject) == ("platform.key", made["tenant"])
    assert made["key"] not in str(vars(row))


def test_without_a_format_it_is_for_people(shell: Shell) -> None:
    assert "not shown again" in shell("key").stdout


def test_a_revoked_key_ends_at_once(shell: Shell, app: Flask) -> None:
    made = json.loads(shell("key", "--format", "json").stdout)
    owner = Integration(app.test_client(), made["key"], made["tenant"])
    assert owner.get("/api/tenants").status_code == 200
    assert shell("revoke", made["key"].split("_")[2]).exit_code == 0
    assert owner.get("/api/tenants").status_code == 401


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("key", "--name", ""), "Name must not be empty"),
        (("key", "--name", "x" * 81), "Name may have 80 characters at most"),
        (("revoke", "nonsense"), "The house tenant has no such key."),
    ],
)
def test_what_is_refused_is_one_line_and_the_code_two(shell: Shell, words: tuple[str, ...], sentence: str) -> None:
    result = shell(*words)
    assert (result.exit_code, result.stderr, result.stdout) == (2, f"{sentence}\n", "")


def test_a_sandboxs_key_is_not_the_platforms_to_revoke(shell: Shell, alice: Integration) -> None:
    assert shell("revoke", alice.key).exit_code == 2
    assert alice.get("/api/v2/customers/1").status_code == 200
