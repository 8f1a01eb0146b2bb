"""Callers of rehearsals, and the house in which nothing is rehearsed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import delete

from portal.core.config import Settings
from portal.core.database import Database
from portal.tenancy.keys import issue_key
from portal.tenancy.models import ApiKey
from portal.tenancy.service import find_house
from tests.conftest import Integration, NewSandbox

Asking = Callable[..., Integration]


@pytest.fixture
def house(app: Flask, database: Database, settings: Settings, address: str) -> Iterator[Integration]:
    """An administrator's key of the house tenant, gone after the test."""
    with database.transaction() as session:
        tenant = find_house(session)
        session.bind_tenant(tenant.id)
        issued = issue_key(session, settings.secret_key, tenant, name="Owner", role="administrator")
        key_id = issued.row.key_id
    client = app.test_client()
    client.environ_base["REMOTE_ADDR"] = address
    yield Integration(client, issued.secret, tenant.public_id)
    with database.transaction() as session:
        session.bind_tenant(tenant.id)
        session.execute(delete(ApiKey).where(ApiKey.key_id == key_id))


@pytest.fixture
def new_caller(app: Flask, address: str) -> Callable[[NewSandbox], Integration]:
    """One more client of a sandbox's administrator, for a thread of its own."""

    def make(new: NewSandbox, role: str = "administrator") -> Integration:
        client = app.test_client()
        client.environ_base["REMOTE_ADDR"] = address
        return Integration(client, new.keys[role], new.tenant.public_id)

    return make
