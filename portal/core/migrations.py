"""Bringing a database's tables up to date, and telling whether they are."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from portal.core.config import ROOT
from portal.core.database import Base, Database

_LOCK = 7300


def upgrade(database: Database, revision: str = "head") -> None:
    """Run every migration not yet run. Several processes may call this at once; one does the work."""
    with _unchecked(database) as connection, warnings.catch_warnings():
        # SQLAlchemy cannot read an index on an expression back; a migration that rebuilds such a table makes it anew.
        warnings.filterwarnings("ignore", "Skipped unsupported reflection of expression-based index")
        _run(connection, "upgrade", revision)


def draft_migration(database: Database, message: str) -> None:
    """Write a new migration for what the models have and the database lacks."""
    with database.writer.connect() as connection:
        _run(connection, "revision", message)


def differences(database: Database) -> list[Any]:
    """What the models say and the database does not; empty when they agree."""
    with database.reader.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), Base.metadata))


@contextmanager
def _unchecked(database: Database) -> Iterator[Connection]:
    """A connection on which SQLite lets a table be rebuilt: dropping the old one must not take its children along.

    What refers to what is checked once more when all is done.
    """
    with database.writer.connect() as connection:
        if not database.is_sqlite:
            yield connection
            return
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA foreign_keys=OFF")
        try:
            yield connection
            broken = driver.execute("PRAGMA foreign_key_check").fetchall()
        finally:
            driver.execute("PRAGMA foreign_keys=ON")
        if broken:
            raise RuntimeError(f"rows refer to nothing after the migration: {broken[:3]}")


def _run(connection: Connection, verb: str, argument: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.attributes["connection"] = connection
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    else:
        connection.exec_driver_sql("SELECT 1")
    if verb == "upgrade":
        command.upgrade(config, argument)
    else:
        command.revision(config, message=argument, autogenerate=True)
    connection.commit()
