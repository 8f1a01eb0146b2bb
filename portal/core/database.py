"""The database: SQLite or PostgreSQL, and the two kinds of transaction a request may need."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.orm import DeclarativeBase

from portal.core.counters import define_counters
from portal.core.pools import StorePool, Watch, connector_with_deadlines
from portal.core.session import TenantSession
from portal.core.turns import Turnstile, keep_turns

PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "foreign_keys=ON",
    "wal_autocheckpoint=32000",
    "journal_size_limit=67108864",
)
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
DEFAULT_TIMEOUT = 15.0
ENDLESS = 86_400
"""Seconds, where no timeout at all cannot be said."""
_WRITES = frozenset({"INSERT", "UPDATE", "DELETE"})
_encode = msgspec.json.Encoder(decimal_format="number").encode
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


class Base(DeclarativeBase):
    """Every model's base."""


Base.metadata.naming_convention = NAMING
define_counters(Base.metadata)


class Database:
    """One store. `reader` begins plain transactions and refuses to write, `writer` takes SQLite's write lock at once.

    Taking the lock at BEGIN is what keeps a read-then-write transaction from failing half way:
    SQLite cannot upgrade a read snapshot once another writer has committed.
    """

    def __init__(self, url: str, *, pool_size: int = 8, timeout: float | None = DEFAULT_TIMEOUT) -> None:
        """Open the store at `url`. `timeout` is how many seconds a wait for it may take; None for no end."""
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        create = _create_sqlite if self.is_sqlite else _create_postgresql
        engine, self.watch = create(self.url, pool_size, timeout)
        self.engine: Engine = engine
        self.reader: Engine = engine.execution_options(reads_only=True)
        self.writer: Engine = engine.execution_options(takes_write_lock=True)
        event.listen(engine, "before_cursor_execute", _refuse_writing)

    def set_timeout(self, seconds: float | None) -> None:
        """Let waits on connections that are opened from now on take so long; None for no end."""
        self.watch.timeout = seconds
        self.close()

    def open_session(self, *, write: bool) -> TenantSession:
        """A session not yet bound to a tenant. The caller commits and closes it."""
        return TenantSession(self.writer if write else self.reader)

    @contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[TenantSession]:
        """One unit of work: committed at the end, rolled back by any exception."""
        session = self.open_session(write=write)
        try:
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            raise
        finally:
            session.close()

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


class ReadOnlySession(RuntimeError):
    """A session opened to read was about to write."""


def _refuse_writing(connection: Connection, cursor: Any, statement: str, *_: Any) -> None:
    if connection.get_execution_options().get("reads_only") and statement.lstrip()[:6].upper() in _WRITES:
        raise ReadOnlySession(statement)


def _create_sqlite(url: Any, pool_size: int, timeout: float | None) -> tuple[Engine, Watch]:
    path = url.database if url.database and url.database != ":memory:" else None
    if path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    turnstile = Turnstile(path)
    watch = Watch(timeout, turnstile)
    engine = _create_engine(url, pool_size, watch, connect_args={"check_same_thread": False})

    @event.listens_for(engine, "do_connect")
    def limit(dialect: Any, record: Any, arguments: Any, details: Any) -> None:
        details["timeout"] = ENDLESS if watch.timeout is None else watch.timeout

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: Any) -> None:
        connection.isolation_level = None
        connection.create_function("md5", 1, _md5, deterministic=True)
        connection.create_function("lowered", 1, _lower, deterministic=True)
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("takes_write_lock"):
            watch.take_turn(connection.info)
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql("BEGIN")

    @event.listens_for(engine, "handle_error")
    def note(context: ExceptionContext) -> None:
        if context.connection is not None and not context.connection.invalidated:
            watch.note_failure(context.connection.info, context.original_exception)

    keep_turns(engine.pool, turnstile, watch.breaker)
    return engine, watch


def _create_postgresql(url: Any, pool_size: int, timeout: float | None) -> tuple[Engine, Watch]:
    watch = Watch(timeout)
    engine = _create_engine(url, pool_size, watch, pool_pre_ping=True)
    connect = connector_with_deadlines(watch)

    @event.listens_for(engine, "do_connect")
    def limit(dialect: Any, record: Any, arguments: Any, details: Any) -> Any:
        return connect(*arguments, **details)

    return engine, watch


def _create_engine(url: Any, pool_size: int, watch: Watch, **details: Any) -> Engine:
    engine = create_engine(
        url,
        poolclass=StorePool,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=ENDLESS if watch.timeout is None else watch.timeout,
        json_serializer=_write_json,
        json_deserializer=_decode,
        **details,
    )
    assert isinstance(engine.pool, StorePool)
    engine.pool.watch = watch
    return engine


def _write_json(value: Any) -> str:
    """JSON columns keep money exact, as the API writes it."""
    return _encode(value).decode()


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
