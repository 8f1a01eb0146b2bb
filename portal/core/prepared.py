"""Statements on the hot path: SQLAlchemy writes the SQL once, the driver runs it each time.

Building and compiling a statement costs several times what a small query does. Here that is done at first
use; values still pass through the column types on the way in and out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Dialect, Engine, Executable, Select, Table, bindparam
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.sql.compiler import SQLCompiler

from portal.core.errors import ServiceUnavailable
from portal.core.ownership import TenantRecord, tenant_models
from portal.core.pools import StorePool
from portal.core.store_errors import is_store_failure

Process = Callable[[Any], Any]
OWNER = "owner_id"


class UnscopedStatement(RuntimeError):
    """A statement on tenants' tables that names no tenant, or one whose tables cannot be told."""


class Prepared:
    """One statement, written for each kind of store at first use."""

    def __init__(self, statement: Executable) -> None:
        self._statement = statement
        self._written: dict[str, _Written] = {}

    def on(self, dialect: Dialect) -> _Written:
        """The statement as this store's driver takes it."""
        written = self._written.get(dialect.name)
        if written is None:
            _refuse_records(self._statement)
            written = self._written[dialect.name] = _Written(self._statement, dialect)
        return written


class _Written:
    def __init__(self, statement: Executable, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})  # type: ignore[attr-defined]
        assert isinstance(compiled, SQLCompiler)
        self.sql = str(compiled)
        self._order = compiled.positiontup
        self._fixed = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
        self._inward = _processors(compiled.binds, dialect, "bind_processor")
        columns = dict(enumerate(getattr(statement, "selected_columns", ())))
        self._outward = list(_outward(columns, dialect))

    def arguments(self, values: dict[str, Any]) -> Any:
        given = self._fixed | values
        for name, process in self._inward.items():
            given[name] = process(given[name])
        return [given[name] for name in self._order] if self._order is not None else given

    def rows(self, fetched: list[Any]) -> list[list[Any]]:
        rows = [list(row) for row in fetched]
        for index, process in self._outward:
            for row in rows:
                row[index] = process(row[index])
        return rows


def _processors(binds: dict[str, Any], dialect: Dialect, kind: str) -> dict[str, Process]:
    found = {name: getattr(bind.type.dialect_impl(dialect), kind)(dialect) for name, bind in binds.items()}
    return {name: process for name, process in found.items() if process is not None}


def _outward(columns: dict[int, ColumnElement[Any]], dialect: Dialect) -> Iterator[tuple[int, Process]]:
    for index, column in columns.items():
        process = column.type.dialect_impl(dialect).result_processor(dialect, None)
        if process is not None:
            yield index, process


class Direct:
    """A transaction on the driver's own connection."""

    def __init__(self, cursor: Any, dialect: Dialect) -> None:
        self._cursor = cursor
        self._dialect = dialect

    def run(self, prepared: Prepared, values: dict[str, Any]) -> int:
        """Execute a statement that returns nothing. Return how many rows it concerned."""
        written = prepared.on(self._dialect)
        self._cursor.execute(written.sql, written.arguments(values))
        return int(self._cursor.rowcount)

    def rows(self, prepared: Prepared, values: dict[str, Any]) -> list[list[Any]]:
        """Every row of the answer."""
        written = prepared.on(self._dialect)
        self._cursor.execute(written.sql, written.arguments(values))
        return written.rows(self._cursor.fetchall())

    def row(self, prepared: Prepared, values: dict[str, Any]) -> list[Any] | None:
        """The first row of the answer, or None."""
        rows = self.rows(prepared, values)
        return rows[0] if rows else None


@contextmanager
def direct(engine: Engine, *, write: bool) -> Iterator[Direct]:
    """A short transaction past SQLAlchemy's connection. Raises ServiceUnavailable if the store fails."""
    with telling_of_failures():
        assert isinstance(engine.pool, StorePool)
        watch, connection = engine.pool.watch, engine.raw_connection()
        try:
            cursor = connection.cursor()
            if engine.dialect.name == "sqlite":
                if write:
                    watch.take_turn(connection.info)
                cursor.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            yield Direct(cursor, engine.dialect)
            connection.commit()
        except BaseException as error:
            if is_store_failure(error):
                watch.note_failure(connection.info, error)
            _abandon(connection)
            raise
        finally:
            connection.close()


@contextmanager
def telling_of_failures() -> Iterator[None]:
    """Raise ServiceUnavailable for whatever the driver raises if the store fails."""
    try:
        yield
    except ServiceUnavailable:
        raise
    except Exception as error:
        if is_store_failure(error):
            raise ServiceUnavailable from error
        raise


def _abandon(connection: PoolProxiedConnection) -> None:
    """Roll back. A connection that cannot be is given up, so that what really happened is what is raised."""
    try:
        connection.rollback()
    except Exception:
        connection.invalidate()


def scoped(statement: Select[Any]) -> Prepared:
    """A prepared select that can only see one tenant: every table in it is held to `owner_id`.

    Raises UnscopedStatement when something in its FROM is not a tenant-owned table.
    """
    owner: BindParameter[int] = bindparam(OWNER)
    for source in statement.get_final_froms():
        if not isinstance(source, Table) or source.name not in _owned_tables():
            raise UnscopedStatement(f"{source} is not a tenant-owned table")
        statement = statement.where(source.c.tenant_id == owner)
    return Prepared(statement)


class Lookup:
    """A prepared select, scoped, of the rows whose `column` holds one of many numbers.

    It is written for a few counts of them; where there are fewer, the last number stands several times.
    """

    counts = (1, 20, 100)

    def __init__(self, statement: Select[Any], column: ColumnElement[int]) -> None:
        self._statement = statement
        self._column = column
        self._written: dict[int, Prepared] = {}

    def rows(self, fetch: Callable[[Prepared, dict[str, Any]], list[list[Any]]], numbers: Iterable[int]) -> list[Any]:
        """The rows, fetched with one statement for each hundred numbers."""
        found, left = [], iter(numbers)
        while chunk := list(islice(left, self.counts[-1])):
            count = next(count for count in self.counts if count >= len(chunk))
            chunk += chunk[-1:] * (count - len(chunk))
            found += fetch(self._for(count), {f"number_{place}": number for place, number in enumerate(chunk)})
        return found

    def _for(self, count: int) -> Prepared:
        if count not in self._written:
            numbers: list[BindParameter[int]] = [
                bindparam(f"number_{place}", type_=self._column.type) for place in range(count)
            ]
            self._written[count] = scoped(self._statement.where(self._column.in_(numbers)))
        return self._written[count]


def _refuse_records(statement: Executable) -> None:
    """Records are written through a session, which draws their tenant's new revision as it commits."""
    table = getattr(statement, "table", None)
    if table is not None and table.name in {model.__tablename__ for model in tenant_models(TenantRecord)}:
        raise UnscopedStatement(f"a prepared statement would write {table.name}")


def _owned_tables() -> set[str]:
    return {model.__tablename__ for model in tenant_models()}
