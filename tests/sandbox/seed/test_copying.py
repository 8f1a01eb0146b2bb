"""Copying makes one tenant's records those of another, whatever was there."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import UniqueConstraint, delete, select, update

from portal.core.database import Database
from portal.core.ownership import table_of
from portal.tenancy.copying import derive_public_id, models_that
from portal.tenancy.models import Tenant
from sandbox.seed.service import reset_tenant
from tests.conftest import SandboxMaker
from tests.sandbox.seed.conftest import Rows

UNIQUE_EVERYWHERE = {("public_id",)}
"""Public ids are made anew for each tenant."""

RecordsOf = Callable[[Tenant], Rows]


def put_back(database: Database, tenant: Tenant) -> None:
    with database.transaction() as session:
        found = session.get(Tenant, tenant.id)
        assert found is not None
        reset_tenant(session, found)


def spoil(database: Database, tenant: Tenant, chance: random.Random) -> None:
    """Change some rows of every table and delete some that nothing refers to."""
    with database.writer.begin() as connection:
        for model in models_that("restore"):
            table = table_of(model)
            ids = list(connection.scalars(select(table.c.id).where(table.c.tenant_id == tenant.id)))
            texts = [
                column.name for column in table.columns if getattr(column.type, "length", 0) in {80, 120, 200, 5000}
            ]
            for id_ in chance.sample(ids, min(len(ids), 5)):
                if texts:
                    values = {chance.choice(texts): f"spoilt {id_}"}
                    row = (table.c.tenant_id == tenant.id) & (table.c.id == id_)
                    connection.execute(update(table).where(row).values(values))
            is_leaf = not any(
                key.referred_table is table
                for other in models_that("restore")
                for key in table_of(other).foreign_key_constraints
            )
            if is_leaf:
                gone = chance.sample(ids, min(len(ids), 20))
                connection.execute(delete(table).where(table.c.tenant_id == tenant.id, table.c.id.in_(gone)))


@pytest.mark.parametrize("seed", range(4))
def test_whatever_was_spoilt_is_put_back(
    database: Database, new_sandbox: SandboxMaker, records_of: RecordsOf, seed: int
) -> None:
    tenant = new_sandbox().tenant
    fresh = records_of(tenant)
    spoil(database, tenant, random.Random(seed))
    assert records_of(tenant) != fresh
    put_back(database, tenant)
    assert records_of(tenant) == fresh


def test_an_emptied_tenant_is_filled_again(
    database: Database, new_sandbox: SandboxMaker, records_of: RecordsOf
) -> None:
    tenant = new_sandbox().tenant
    fresh = records_of(tenant)
    with database.writer.begin() as connection:
        for model in reversed(models_that("restore")):
            connection.execute(delete(table_of(model)).where(table_of(model).c.tenant_id == tenant.id))
    put_back(database, tenant)
    assert records_of(tenant) == fresh


def test_unique_values_that_moved_to_other_records_are_put_back(
    database: Database, new_sandbox: SandboxMaker, records_of: RecordsOf
) -> None:
    tenant = new_sandbox().tenant
    fresh = records_of(tenant)
    customers = next(table_of(model) for model in models_that("restore") if model.__tablename__ == "customers")
    emails = {row["id"]: row["email"] for row in fresh["customers"]}
    with database.writer.begin() as connection:
        for id_, email in ((2, None), (3, emails[2]), (2, emails[3])):
            row = (customers.c.tenant_id == tenant.id) & (customers.c.id == id_)
            connection.execute(update(customers).where(row).values(email=email))
    put_back(database, tenant)
    assert records_of(tenant) == fresh


def test_a_reset_of_one_sandbox_leaves_another_alone(
    database: Database, new_sandbox: SandboxMaker, records_of: RecordsOf
) -> None:
    hers, his = new_sandbox("Hers").tenant, new_sandbox("His").tenant
    spoil(database, his, random.Random(7))
    spoilt = records_of(his)
    put_back(database, hers)
    assert records_of(his) == spoilt


def test_public_ids_come_from_the_tenants_own_salt(new_sandbox: SandboxMaker, records_of: RecordsOf) -> None:
    tenant = new_sandbox().tenant
    for row in records_of(tenant)["invoices"]:
        assert row["public_id"] == derive_public_id(tenant.salt, "inv", "invoices", row["id"])


def test_nothing_that_a_reset_keeps_refers_to_what_it_replaces() -> None:
    replaced = {model.__tablename__ for model in models_that("restore")}
    for model in models_that("keep"):
        for key in table_of(model).foreign_key_constraints:
            assert key.referred_table.name not in replaced, f"{model.__tablename__} refers to {key.referred_table.name}"


def test_whatever_is_unique_among_replaced_rows_is_so_within_a_tenant() -> None:
    for model in models_that("restore"):
        table = table_of(model)
        unique: list[Any] = [index for index in table.indexes if index.unique]
        unique += [part for part in table.constraints if isinstance(part, UniqueConstraint)]
        for part in unique:
            names = tuple(getattr(column, "name", "") for column in part.columns)
            assert "tenant_id" in names or names in UNIQUE_EVERYWHERE, f"{table.name}: {names}"
