"""Copying one tenant's records into another: the one way a sandbox is filled, reset, saved and restored.

It works on the register of tenant-owned tables, two statements a table, whatever the number of rows, and
writes only what differs: what is the same already stays where it is. Ids survive. Public ids are nobody else's:
those of a seed are derived from the target's salt, so they survive too; a saved copy keeps its owner's behind a mark
of its own, and gives them back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import md5
from typing import Any, Literal

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    Delete,
    FromClause,
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
    literal,
    or_,
    select,
    true,
    union_all,
)

from portal.core.counters import draw_revision
from portal.core.database import Base
from portal.core.ownership import OnReset, TenantLog, TenantOwned, table_of, tenant_models
from portal.core.session import TenantSession
from portal.tenancy.models import Tenant

_SOURCE = bindparam("source_id", type_=BigInteger)
_TARGET = bindparam("target_id", type_=BigInteger)
_SALT = bindparam("salt", type_=String)
_COUNTERS = Base.metadata.tables["counters"]
_ID_LENGTH = 24
"""Characters of a public id behind its prefix."""
Naming = Literal["derived", "marked", "plain"]
"""How a copied row gets its public id: from the target's salt and the row's id; the source's, without its prefix and
behind the mark that a saved copy has for a salt; or the source's with that mark taken off again."""


@dataclass(frozen=True)
class _Step:
    """What is done to one table."""

    clear: Delete
    fill: Insert


def copy_tenant(session: TenantSession, source_id: int, target: Tenant, naming: Naming = "derived") -> None:
    """Make the target's records those of tenant `source_id`.

    Tables that a reset keeps, and their counters, are left alone. The caller holds the target's lock.
    """
    session.flush()
    connection, steps = session.connection(), _steps(naming)
    values = {"source_id": source_id, "target_id": target.id, "salt": target.salt}
    for step in reversed(steps) if naming != "marked" else ():
        connection.execute(step.clear, values)
    for step in steps:
        connection.execute(step.fill, values)
    clear_counters, fill_counters = _counter_statements()
    connection.execute(clear_counters, values)
    connection.execute(fill_counters, values)
    with session.directly() as inside:
        draw_revision(inside, target.id)
    _forget_loaded(session)


def save_copy(session: TenantSession, source_id: int, copy: Tenant) -> None:
    """Fill a new, empty tenant with what tenant `source_id` holds, public ids too. The caller holds the source's lock.

    The copy's salt is the mark behind which it keeps them: at most seven characters, no other copy's.
    """
    copy_tenant(session, source_id, copy, "marked")


def restore_copy(session: TenantSession, copy_id: int, target: Tenant) -> None:
    """Make the target's records what `save_copy` took from it. The caller holds the target's lock."""
    copy_tenant(session, copy_id, target, "plain")


def count_copied(session: TenantSession, target: Tenant) -> dict[str, int]:
    """How many records the target has in the tables that are copied, by table."""
    return _counted(session, _counts("restore"), {"target_id": target.id})


def count_kept(session: TenantSession, target: Tenant) -> dict[str, int]:
    """How many rows the target has in the tables that a reset keeps, by table."""
    return _counted(session, _counts("keep"), {"target_id": target.id})


def count_added(session: TenantSession, source_id: int, target: Tenant) -> dict[str, int]:
    """How many records of the target have no twin in the source, by table."""
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
def _steps(naming: Naming) -> tuple[_Step, ...]:
    models = models_that("restore")
    return tuple(_Step(_clear(model, naming), _fill(model, naming)) for model in models)


def _clear(model: type[TenantOwned], naming: Naming) -> Delete:
    table = table_of(model)
    return delete(table).where(table.c.tenant_id == _TARGET, table.c.id.not_in(_unchanged(model, naming)))


def _unchanged(model: type[TenantOwned], naming: Naming) -> Select[Any]:
    """The ids of the target's rows that equal their twins and refer only to rows that do."""
    table, copied = table_of(model), {table_of(other): other for other in models_that("restore")}
    mine, twin = table.alias(), table.alias()
    are_twins = and_(twin.c.tenant_id == _SOURCE, twin.c.id == mine.c.id)
    unchanged = (
        select(mine.c.id).join(twin, are_twins).where(mine.c.tenant_id == _TARGET, *_same(model, mine, twin, naming))
    )
    parents = [key for key in table.foreign_key_constraints if key.referred_table in copied]
    for key in parents:
        if key.referred_table is table:
            return unchanged.where(false())
        referring = mine.c[next(column.name for column in key.columns if column.name != "tenant_id")]
        others = _unchanged(copied[key.referred_table], naming)
        unchanged = unchanged.where(or_(referring.is_(None), referring.in_(others)))
    return unchanged


def _same(
    model: type[TenantOwned], mine: FromClause, twin: FromClause, naming: Naming
) -> Iterator[ColumnElement[bool]]:
    """What makes twins equal. Derived public ids are not compared: equal ids of one table have equal ones."""
    unlike = {"tenant_id", "id", "public_id"} if naming == "derived" else {"tenant_id", "id"}
    for name, made in _made(model, twin, naming).items():
        if name not in unlike:
            here, there = _comparable(mine.c[name]), _comparable(made)
            yield here.is_not_distinct_from(there) if mine.c[name].nullable else here == there


def _comparable(value: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(value, Text) if isinstance(value.type, JSON) else value


def _fill(model: type[TenantOwned], naming: Naming) -> Insert:
    table = table_of(model)
    values = _made(model, table, naming)
    there = table.alias("there")
    present = select(there.c.id).where(there.c.tenant_id == _TARGET)
    rows = select(*values.values()).where(table.c.tenant_id == _SOURCE, table.c.id.not_in(present))
    return insert(table).from_select(list(values), rows)


def _made(model: type[TenantOwned], source: FromClause, naming: Naming) -> dict[str, ColumnElement[Any]]:
    """What the target's rows are made of, by column, from the source's."""
    values: dict[str, ColumnElement[Any]] = {column.name: column for column in source.columns}
    values["tenant_id"] = cast(_TARGET, BigInteger)
    if "public_id" in values:
        values["public_id"] = _public_id(model, source, naming)
    return values


def _public_id(model: type[TenantOwned], source: FromClause, naming: Naming) -> ColumnElement[str]:
    prefix = model.public_prefix
    if naming == "marked":
        return func.substr(source.c.public_id, len(prefix) + 2, _ID_LENGTH) + literal(".") + cast(_SALT, Text)
    if naming == "plain":
        return literal(f"{prefix}_") + func.substr(source.c.public_id, 1, _ID_LENGTH)
    seeded = cast(_SALT, Text) + literal(f":{model.__tablename__}:") + cast(source.c.id, Text)
    return literal(f"{prefix}_") + func.substr(func.md5(seeded), 1, _ID_LENGTH)


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
    models = _records() if on_reset == "restore" else models_that(on_reset)
    return union_all(*(_count(table_of(model)) for model in models))


@cache
def _counts_of_added() -> Any:
    return union_all(*(_count_added(table_of(model)) for model in _records()))


def _records() -> list[type[TenantOwned]]:
    """The models that are copied, but for logs about records: those are not what anybody counts."""
    return [model for model in models_that("restore") if not issubclass(model, TenantLog)]


def _count_added(table: Table) -> Select[Any]:
    source = table.alias("source")
    return _count(table).where(table.c.id.not_in(select(source.c.id).where(source.c.tenant_id == _SOURCE)))


def _count(table: Table) -> Select[Any]:
    columns: list[ColumnElement[Any]] = [literal(table.name).label("name"), func.count().label("count")]
    return select(*columns).select_from(table).where(table.c.tenant_id == _TARGET)
