"""Copying one tenant's records into another: the one way a sandbox is filled, reset and restored.

It works on the register of tenant-owned tables, two statements a table, whatever the number of rows, and
writes only what differs: what is the same already stays where it is. Ids survive; public ids are derived
from the target's salt, so they survive too and are nobody else's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from hashlib import md5
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    Delete,
    Insert,
    Select,
    String,
    Table,
    Text,
    and_,
    bindparam,
    cast,
    delete,
    false,
    func,
    insert,
    intersect,
    literal,
    or_,
    select,
    true,
    union_all,
)

from portal.core.database import Base
from portal.core.ownership import OnReset, TenantOwned, table_of, tenant_models
from portal.core.session import TenantSession
from portal.tenancy.models import Tenant

_SOURCE = bindparam("source_id", type_=BigInteger)
_TARGET = bindparam("target_id", type_=BigInteger)
_SALT = bindparam("salt", type_=String)
_COUNTERS = Base.metadata.tables["counters"]
_OWN = frozenset({"tenant_id", "public_id"})
"""Columns in which twins differ."""


@dataclass(frozen=True)
class _Step:
    """What is done to one table."""

    clear: Delete
    fill: Insert


def copy_tenant(session: TenantSession, source_id: int, target: Tenant) -> None:
    """Make the target's records those of tenant `source_id`.

    Tables that a reset keeps, and their counters, are left alone. The caller holds the target's lock.
    """
    session.flush()
    connection, steps = session.connection(), _steps()
    values = {"source_id": source_id, "target_id": target.id}
    for step in reversed(steps):
        connection.execute(step.clear, values)
    for step in steps:
        connection.execute(step.fill, values | {"salt": target.salt})
    clear_counters, fill_counters = _counter_statements()
    connection.execute(clear_counters, {"target_id": target.id})
    connection.execute(fill_counters, values)
    _forget_loaded(session)


def count_copied(session: TenantSession, target: Tenant) -> dict[str, int]:
    """How many rows the target has in the tables that are copied, by table."""
    return _counted(session, _counts("restore"), {"target_id": target.id})


def count_kept(session: TenantSession, target: Tenant) -> dict[str, int]:
    """How many rows the target has in the tables that a reset keeps, by table."""
    return _counted(session, _counts("keep"), {"target_id": target.id})


def count_added(session: TenantSession, source_id: int, target: Tenant) -> dict[str, int]:
    """How many rows of the target have no twin in the source, by table."""
    return _counted(session, _counts_of_added(), {"source_id": source_id, "target_id": target.id})


def derive_public_id(salt: str, prefix: str, table: str, id_: int) -> str:
    """The public id that a copied record has in the tenant with this salt."""
    return f"{prefix}_{md5(f'{salt}:{table}:{id_}'.encode(), usedforsecurity=False).hexdigest()[:24]}"


@cache
def models_that(on_reset: OnReset) -> tuple[type[TenantOwned], ...]:
    """The models whose rows a reset restores, or keeps; parents before their children."""
    order = {table: position for position, table in enumerate(Base.metadata.sorted_tables)}
    chosen = (model for model in tenant_models() if model.on_reset == on_reset)
    return tuple(sorted(chosen, key=lambda model: order[table_of(model)]))


def _forget_loaded(session: TenantSession) -> None:
    """Records the session had read may have changed under it."""
    for record in list(session):
        if isinstance(record, models_that("restore")):
            session.expire(record)


@cache
def _steps() -> tuple[_Step, ...]:
    return tuple(_Step(_clear(table_of(model)), _fill(model)) for model in models_that("restore"))


def _clear(table: Table) -> Delete:
    return delete(table).where(table.c.tenant_id == _TARGET, table.c.id.not_in(_unchanged(table)))


def _unchanged(table: Table) -> Select[Any]:
    """The ids of the target's rows that equal their twins and refer only to rows that do."""
    parents = [key for key in table.foreign_key_constraints if key.referred_table.name in _copied_tables()]
    names = [column.name for column in table.columns if column.name not in _OWN]
    same = intersect(*(_rows(table, names, owner) for owner in (_TARGET, _SOURCE))).subquery()
    unchanged = select(same.c.id)
    for key in parents:
        if key.referred_table is table:
            return unchanged.where(false())
        referring = same.c[next(column.name for column in key.columns if column.name != "tenant_id")]
        unchanged = unchanged.where(or_(referring.is_(None), referring.in_(_unchanged(key.referred_table))))
    return unchanged


def _copied_tables() -> frozenset[str]:
    return frozenset(model.__tablename__ for model in models_that("restore"))


def _rows(table: Table, names: Iterable[str], owner: ColumnElement[int]) -> Select[Any]:
    return select(*(_comparable(table, name) for name in names)).where(table.c.tenant_id == owner)


def _comparable(table: Table, name: str) -> ColumnElement[Any]:
    column = table.c[name]
    return cast(column, Text).label(name) if isinstance(column.type, JSON) else column


def _fill(model: type[TenantOwned]) -> Insert:
    table = table_of(model)
    values: dict[str, ColumnElement[Any]] = {column.name: column for column in table.columns}
    values["tenant_id"] = cast(_TARGET, BigInteger)
    if "public_id" in values:
        values["public_id"] = _public_id(model.public_prefix, table)
    there = table.alias("there")
    present = select(there.c.id).where(there.c.tenant_id == _TARGET)
    rows = select(*values.values()).where(table.c.tenant_id == _SOURCE, table.c.id.not_in(present))
    return insert(table).from_select(list(values), rows)


def _public_id(prefix: str, table: Table) -> ColumnElement[str]:
    seeded = cast(_SALT, Text) + literal(f":{table.name}:") + cast(table.c.id, Text)
    return literal(f"{prefix}_") + func.substr(func.md5(seeded), 1, 24)


@cache
def _counter_statements() -> tuple[Delete, Insert]:
    """A counter is a table's own, or a series of one: `invoices`, `invoices:2026`."""
    name = _COUNTERS.c.name
    kept = [model.__tablename__ for model in models_that("keep")]
    is_copied = and_(true(), *(name != table for table in kept), *(~name.like(f"{table}:%") for table in kept))
    rows = select(cast(_TARGET, BigInteger), name, _COUNTERS.c.value)
    return (
        delete(_COUNTERS).where(_COUNTERS.c.tenant_id == _TARGET, is_copied),
        insert(_COUNTERS).from_select(
            ["tenant_id", "name", "value"], rows.where(_COUNTERS.c.tenant_id == _SOURCE, is_copied)
        ),
    )


def _counted(session: TenantSession, statement: Any, values: dict[str, int]) -> dict[str, int]:
    session.flush()
    return {row[0]: row[1] for row in session.connection().execute(statement, values)}


@cache
def _counts(on_reset: OnReset) -> Any:
    return union_all(*(_count(table_of(model)) for model in models_that(on_reset)))


@cache
def _counts_of_added() -> Any:
    return union_all(*(_count_added(table_of(model)) for model in models_that("restore")))


def _count_added(table: Table) -> Select[Any]:
    source = table.alias("source")
    return _count(table).where(table.c.id.not_in(select(source.c.id).where(source.c.tenant_id == _SOURCE)))


def _count(table: Table) -> Select[Any]:
    columns: list[ColumnElement[Any]] = [literal(table.name).label("name"), func.count().label("count")]
    return select(*columns).select_from(table).where(table.c.tenant_id == _TARGET)
