"""The platform owner: a program with an administrator's key of the house tenant."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select

from portal.core.config import Settings
from portal.core.database import Database
from portal.tenancy.keys import issue_key
from portal.tenancy.models import ApiKey, AuditRow, Tenant
from portal.tenancy.service import find_house
from tests.conftest import Integration

Acts = Callable[..., list[AuditRow]]
KeyMaker = Callable[..., Integration]


@pytest.fixture
def house_key(app: Flask, database: Database, settings: Settings, address: str) -> Iterator[KeyMaker]:
    """Programs with keys of the house tenant; the keys end with the test."""
    made: list[int] = []

    def make(role: str = "administrator", scopes: list[str] | None = None) -> Integration:
        with database.transaction() as session:
            house = find_house(session)
            session.bind_tenant(house.id, house.clock)
            issued = issue_key(session, settings.secret_key, house, name="Owner's", role=role, scopes=scopes)
            made.append(issued.row.id)
        client = app.test_client()
        client.environ_base["REMOTE_ADDR"] = address
        return Integration(client, issued.secret, house.public_id)

    yield make
    with database.transaction() as session:
        session.bind_tenant(find_house(session).id)
        session.execute(delete(ApiKey).where(ApiKey.id.in_(made)))


@pytest.fixture
def owner(house_key: KeyMaker) -> Integration:
    """The platform owner."""
    return house_key()


@pytest.fixture
def acts(database: Database) -> Acts:
    """The audit trail of a tenant, oldest first."""

    def read(tenant: str, actor: str | None = None) -> list[AuditRow]:
        with database.transaction(write=False) as session:
            session.bind_tenant(session.scalars(select(Tenant.id).where(Tenant.public_id == tenant)).one())
            rows = session.scalars(select(AuditRow).order_by(AuditRow.id))
            return [row for row in rows if actor in (None, row.actor)]

    return read


def key_id(caller: Integration) -> str:
    return caller.key.split("_")[2]


def without_its_number(answer: Any) -> dict[str, Any]:
    """A refusal, but for what tells one request from another."""
    return json.loads(answer.data) | {"request_id": ""}
