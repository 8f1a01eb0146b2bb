"""Sandboxes of earlier tests, put back to what `create_sandbox` makes: most of a sandbox's cost is its records.

A spare is as new by mechanism, not by anybody's care. It is made by `create_sandbox` itself, of which two steps are
replaced: the tenant's row is not inserted, and the seed is copied only where something was written.

- What the deletion of a tenant would take along goes, whatever table it is in: all that refers to the tenant but
  the records of the seed. That is read from the tables' own foreign keys, so a table that is to come is in it.
- The records are copied from the seed again, unless nothing was written: `tenants.revision` is drawn anew in every
  transaction of the product that writes (`portal/api/kept.py` says why that is sure). What a test writes past the
  product's sessions is seen by the engine, and then every spare is copied again.
- The tenant's own row is taken from a row that `create_tenant` has just made, all of it but the key and the salt.
- Its keys and ids are new; the public ids of the seed's records are the old ones, as after a reset.

At rest a spare is a hidden tenant, without keys, in no list. At the end of a store every spare is compared with the
seed, row by row, and a difference fails the run. `tests/sandbox/test_spares.py` holds a worn one beside a new one.
"""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any
from unittest.mock import patch

from sqlalchemy import Connection, Table, delete, event, exists, insert, inspect, literal, select, union_all

import sandbox.tenants
from portal.core.config import Settings
from portal.core.database import Base, Database
from portal.core.ownership import table_of
from portal.core.session import TenantSession
from portal.tenancy.copying import copy_tenant, derive_public_id, models_that
from portal.tenancy.models import Tenant
from portal.tenancy.service import create_tenant
from sandbox.seed.template import find_template
from sandbox.tenants import NewSandbox, create_sandbox

WRITING = re.compile(r"\s*(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+\"?(\w+)", re.IGNORECASE)
COUNTERS = Base.metadata.tables["counters"]
OWN = {"id", "salt"}
"""Columns of a tenant that stay its own: the ids of its records are made of them."""


class Spares:
    """The sandboxes of one store. `take` gives one out, `give_back` puts it by for the next test."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database, self.settings = database, settings
        self.resting: list[int] = []
        self._states: dict[int, tuple[int, int]] = {}
        self._past_writes = 0
        event.listen(database.engine, "checkout", lambda connection, record, _: record.info.pop("session", None))
        event.listen(database.engine, "before_cursor_execute", self._note_write)

    def take(self, name: str, plan: str, **details: Any) -> NewSandbox:
        """A sandbox as `create_sandbox` makes it. Raises ValidationFailed as that does."""
        with self._reusing(name, plan, **details), self.database.transaction() as session:
            new = create_sandbox(session, self.settings, name=name, plan=plan, **details)
        self._states[new.tenant.id] = self._state_of(new.tenant.id)
        return new

    def give_back(self, tenant_id: int) -> None:
        """Put a sandbox back; one that a test has deleted is gone."""
        with self.database.transaction() as session:
            tenant = session.get(Tenant, tenant_id)
            if tenant is None:
                return
            template = find_template(session)
            assert template is not None, "a test has left the store without a seed"
            self._restore(session, template, tenant)
            _clear(session.connection(), tenant.id)
            tenant.mode, tenant.publishable_id = "snapshot", None
        self._states[tenant_id] = self._state_of(tenant_id)
        self.resting.append(tenant_id)

    def check(self) -> None:
        """Compare each spare with the seed. Raises AssertionError for one that is not as new."""
        for tenant_id in self.resting:
            faults = self.faults_of(tenant_id)
            assert not faults, f"a spare sandbox differs from a new one in {', '.join(faults)}"

    def faults_of(self, tenant_id: int) -> list[str]:
        """The tables in which a spare at rest differs from the seed, and those that still hold something of it."""
        with self.database.transaction(write=False) as session:
            template, tenant = find_template(session), session.get(Tenant, tenant_id)
            assert template and tenant
            connection = session.connection()
            tables = [(table_of(model), model.public_prefix) for model in models_that("restore")]
            spoilt = [
                table.name
                for table, prefix in tables
                if _rows(connection, table, tenant, "") != _rows(connection, table, template, prefix, tenant.salt)
            ]
            counted = [_counters(connection, owner.id) for owner in (template, tenant)]
            return spoilt + ["counters"] * (counted[0] != counted[1]) + _leavings(connection, tenant_id)

    def _reusing(self, name: str, plan: str, **details: Any) -> AbstractContextManager[Any]:
        """While this lasts `create_sandbox` takes a spare instead of making a tenant, if there is one."""
        if not self.resting:
            return nullcontext()
        row = self._row_of_a_new_tenant(name, plan, **details)
        return patch.multiple(
            sandbox.tenants, create_tenant=lambda session, **_: self._renew(session, row), fill_tenant=_leave_alone
        )

    def _row_of_a_new_tenant(self, name: str, plan: str, **details: Any) -> dict[str, Any]:
        """What `create_tenant` makes of this; never committed."""
        session = self.database.open_session(write=True)
        try:
            made = create_tenant(session, name=name, mode="sandbox", plan=plan, **details)
            session.refresh(made)
            names = [column.key for column in inspect(Tenant).column_attrs if column.key not in OWN]
            return {name: getattr(made, name) for name in names}
        finally:
            session.rollback()
            session.close()

    def _renew(self, session: TenantSession, row: dict[str, Any]) -> Tenant:
        tenant, template = session.get_one(Tenant, self.resting.pop()), find_template(session)
        assert template is not None, "a test has left the store without a seed"
        self._restore(session, template, tenant)
        for name, value in (row | {"seed_version": template.seed_version}).items():
            setattr(tenant, name, value)
        session.flush()
        return tenant

    def _restore(self, session: TenantSession, template: Tenant, tenant: Tenant) -> None:
        """Copy the records from the seed again, if anything was written since the sandbox was last as new."""
        session.bind_tenant(tenant.id)
        is_written = self._states.pop(tenant.id) != (tenant.revision, self._past_writes)
        if is_written or tenant.seed_version != template.seed_version:
            copy_tenant(session, template.id, tenant)
        _set_counters(session.connection(), template.id, tenant.id)

    def _state_of(self, tenant_id: int) -> tuple[int, int]:
        with self.database.transaction(write=False) as session:
            revision = session.scalars(select(Tenant.revision).where(Tenant.id == tenant_id)).one()
            return revision, self._past_writes

    def _note_write(self, connection: Connection, cursor: Any, statement: str, *_: Any) -> None:
        """Count what is written to records by no session that is bound to their tenant."""
        found = WRITING.match(statement)
        if found and (found.group(1) in _restored() or found.group(1) == COUNTERS.name):
            session = connection.info.get("session")
            if session is None or session.tenant_id is None:
                self._past_writes += 1


def _leave_alone(session: TenantSession, tenant: Tenant) -> None:
    """Instead of a filling: the records are as new already."""


@event.listens_for(TenantSession, "after_begin")
def _note_session(session: TenantSession, transaction: Any, connection: Connection) -> None:
    connection.info["session"] = session


@cache
def _restored() -> frozenset[str]:
    return frozenset(model.__tablename__ for model in models_that("restore"))


@cache
def _referring() -> list[tuple[Table, str]]:
    """What else would go with a tenant: each table that refers to one, and by which column; children first."""
    tables = [table for table in reversed(Base.metadata.sorted_tables) if table.name not in _restored()]
    keys = [(table, key) for table in tables for key in table.foreign_keys if key.target_fullname == "tenants.id"]
    assert all(key.ondelete == "CASCADE" for _, key in keys)
    return [(table, key.parent.name) for table, key in keys if table is not COUNTERS]


def _leavings(connection: Connection, tenant_id: int) -> list[str]:
    """The names of the tables that hold more of a tenant than the seed's records and their counters."""
    found = (
        select(literal(table.name)).where(exists().where(table.c[column] == tenant_id))
        for table, column in _referring()
    )
    return list(connection.scalars(union_all(*found)))


def _clear(connection: Connection, tenant_id: int) -> None:
    left = set(_leavings(connection, tenant_id))
    for table, column in _referring():
        if table.name in left:
            connection.execute(delete(table).where(table.c[column] == tenant_id))


def _set_counters(connection: Connection, source_id: int, tenant_id: int) -> None:
    values = select(literal(tenant_id), COUNTERS.c.name, COUNTERS.c.value).where(COUNTERS.c.tenant_id == source_id)
    connection.execute(delete(COUNTERS).where(COUNTERS.c.tenant_id == tenant_id))
    connection.execute(insert(COUNTERS).from_select(["tenant_id", "name", "value"], values))


def _counters(connection: Connection, tenant_id: int) -> dict[str, int]:
    found = connection.execute(select(COUNTERS.c.name, COUNTERS.c.value).where(COUNTERS.c.tenant_id == tenant_id))
    return {row.name: row.value for row in found}


def _rows(connection: Connection, table: Table, owner: Tenant, prefix: str, salt: str = "") -> list[dict[str, Any]]:
    """A tenant's rows of a table; with `salt`, under the public ids they have in the tenant of that salt."""
    columns = [column for column in table.columns if column.name != "tenant_id"]
    found = connection.execute(select(*columns).where(table.c.tenant_id == owner.id).order_by(table.c.id))
    rows = [dict(row) for row in found.mappings()]
    if salt and "public_id" in table.columns:
        return [row | {"public_id": derive_public_id(salt, prefix, table.name, row["id"])} for row in rows]
    return rows
