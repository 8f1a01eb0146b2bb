"""A sandbox that earlier tests have used is as new: tests are given such ones, so they hold only if it is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, insert, select, text, update

from portal.core.clock import system_now
from portal.core.database import Base, Database
from portal.core.errors import ValidationFailed
from portal.tenancy.models import ApiKey, Tenant
from sandbox.resources.customers import Customer
from sandbox.tenants import NewSandbox, create_sandbox
from tests.conftest import Integration, runtime_of
from tests.spares import Spares

AsRole = Callable[[NewSandbox, str], Integration]
Everything = dict[str, list[dict[str, Any]]]
UNLIKE = {"tenant_id", "salt", "revision", "public_id", "publishable_id", "key_id", "secret_hash", "token", "url"}
"""What two new sandboxes differ in too, besides the instant they were made."""


@pytest.fixture
def own_spares(app: Flask) -> Iterator[Spares]:
    """Spares of the test's own, so that it knows which it is given."""
    parts = runtime_of(app)
    spares = Spares(parts.database, parts.settings)
    yield spares
    spares.check()
    with parts.database.transaction() as session:
        session.execute(delete(Tenant).where(Tenant.id.in_(spares.resting)))


def everything_of(database: Database, tenant_id: int) -> Everything:
    """Every row of every table that refers to a tenant, its own too, but for what always differs."""
    found, an_hour_ago = {}, system_now() - dt.timedelta(hours=1)

    def plain(row: Mapping[str, Any]) -> dict[str, Any]:
        made_now = {name for name, value in row.items() if isinstance(value, dt.datetime) and value > an_hour_ago}
        return {name: "now" if name in made_now else value for name, value in row.items()}

    with database.reader.connect() as connection:
        for table in Base.metadata.sorted_tables:
            names = {key.parent.name for key in table.foreign_keys if key.target_fullname == "tenants.id"}
            owners = [table.c[name] for name in sorted(names)] or ([table.c.id] if table.name == "tenants" else [])
            owners += [table.c.id] if table.name == "tenants" and names else []
            for owner in owners:
                wanted = [column for column in table.columns if column.name not in UNLIKE and column is not owner]
                rows = connection.execute(select(*wanted).where(owner == tenant_id)).mappings()
                found[f"{table.name} by {owner.name}"] = sorted(map(plain, rows), key=repr)
    return found


def wear_out(caller: Integration, database: Database, tenant: Tenant) -> None:
    """Write, refuse, take tokens, keys, snapshots, chats; change plan, name and clock."""
    assert caller.post("/api/v2/customers", {"account": "Worn"}, headers={"Idempotency-Key": "k"}).status_code == 201
    assert caller.delete("/api/v2/invoices/2").status_code in {200, 409}
    assert caller.patch("/api/v2/products/1", {"name": "Worn"}).status_code == 200
    assert caller.post("/api/v2/sandbox/snapshots", {"name": "Worn"}).status_code == 201
    assert caller.patch(f"/api/tenants/{tenant.public_id}", {"name": "Worn"}).status_code == 200
    guest = {"fullName": "Asha Rao", "email": "asha@buyers.example", "message": "Hello"}
    headers = {"X-Publishable-Key": str(tenant.publishable_id)}
    assert caller.client.post("/api/v1/support/guest", json=guest, headers=headers).status_code == 201
    with database.transaction() as session:
        session.execute(update(Tenant).where(Tenant.id == tenant.id).values(plan="starter", clock_offset=3600))
        session.execute(
            text(
                "INSERT INTO jobs (tenant_id, kind, payload, status, run_at, attempts) "
                "VALUES (:id, 'worn', '{}', 'due', '2031-01-01 00:00:00', 0)"
            ),
            {"id": tenant.id},
        )


def test_a_worn_sandbox_comes_back_as_new(app: Flask, own_spares: Spares, as_role: AsRole) -> None:
    parts = runtime_of(app)
    expires_at = system_now()
    with parts.database.transaction() as session:
        new = create_sandbox(session, parts.settings, name="New", plan="growth", expires_at=expires_at)
    expected = everything_of(parts.database, new.tenant.id)
    with parts.database.transaction() as session:
        session.execute(delete(Tenant).where(Tenant.id == new.tenant.id))
    worn = own_spares.take("Worn", "enterprise")
    wear_out(as_role(worn, "administrator"), parts.database, worn.tenant)
    assert everything_of(parts.database, worn.tenant.id) != expected
    own_spares.give_back(worn.tenant.id)
    again = own_spares.take("New", "growth", expires_at=expires_at)
    assert again.tenant.id == worn.tenant.id
    assert everything_of(parts.database, again.tenant.id) == expected
    assert again.keys.keys() == worn.keys.keys() and not set(again.keys.values()) & set(worn.keys.values())
    assert again.tenant.public_id != worn.tenant.public_id
    own_spares.give_back(again.tenant.id)


def test_a_sandbox_at_rest_is_reached_by_nobody(app: Flask, own_spares: Spares, as_role: AsRole) -> None:
    new = own_spares.take("Test", "enterprise")
    caller = as_role(new, "administrator")
    assert caller.get("/api/v2/customers").status_code == 200
    own_spares.give_back(new.tenant.id)
    assert caller.get("/api/v2/customers").status_code == 401
    with runtime_of(app).database.transaction() as session:
        tenant = session.get_one(Tenant, new.tenant.id)
        assert (tenant.mode, tenant.publishable_id) == ("snapshot", None)
        session.bind_tenant(tenant.id)
        assert not session.scalars(select(ApiKey)).all()


def test_what_is_written_past_the_product_is_put_back(database: Database, own_spares: Spares) -> None:
    worn, resting = own_spares.take("Test", "enterprise"), own_spares.take("Test", "enterprise")
    own_spares.give_back(resting.tenant.id)
    with database.writer.begin() as connection:
        both = Customer.__table__.c.tenant_id.in_([worn.tenant.id, resting.tenant.id])
        connection.execute(update(Customer.__table__).where(both).values(account="Spoilt"))
    assert own_spares.faults_of(resting.tenant.id) == ["customers"]
    own_spares.give_back(worn.tenant.id)
    assert own_spares.faults_of(worn.tenant.id) == []
    for new in [own_spares.take("Test", "enterprise"), own_spares.take("Test", "enterprise")]:
        own_spares.give_back(new.tenant.id)


def test_a_spare_that_is_not_as_new_fails_the_run(database: Database, own_spares: Spares) -> None:
    new = own_spares.take("Test", "enterprise")
    own_spares.give_back(new.tenant.id)
    counters = Base.metadata.tables["counters"]
    with database.writer.begin() as connection:
        connection.execute(
            update(Customer.__table__).where(Customer.tenant_id == new.tenant.id).values(account="Spoilt")
        )
    with pytest.raises(AssertionError, match="customers"):
        own_spares.check()
    own_spares.give_back(own_spares.take("Test", "enterprise").tenant.id)
    with database.writer.begin() as connection:
        connection.execute(insert(counters).values(tenant_id=new.tenant.id, name="spoilt", value=1))
    with pytest.raises(AssertionError, match="counters"):
        own_spares.check()
    own_spares.give_back(own_spares.take("Test", "enterprise").tenant.id)


def test_a_deleted_sandbox_is_not_given_out_again(database: Database, own_spares: Spares) -> None:
    new = own_spares.take("Test", "enterprise")
    with database.transaction() as session:
        session.execute(delete(Tenant).where(Tenant.id == new.tenant.id))
    own_spares.give_back(new.tenant.id)
    assert own_spares.resting == []


def test_a_bad_plan_is_refused_as_for_a_new_sandbox(own_spares: Spares) -> None:
    own_spares.give_back(own_spares.take("Test", "enterprise").tenant.id)
    with pytest.raises(ValidationFailed):
        own_spares.take("Test", "golden")
