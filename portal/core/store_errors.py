"""Errors of the stores: one list that tells a store which fails from a program which does."""

from __future__ import annotations

import sqlite3
from typing import Literal

import psycopg
import redis
from limits.errors import StorageError
from sqlalchemy import exc

from portal.core.errors import ServiceUnavailable

Kind = Literal["stuck", "full", "read-only", "unreachable"]

_INTERNAL_STATES = ("25006", "25P03", "XX")
"""Read-only, ended while idle, broken: what PostgreSQL's driver does not count as operational (appendix A)."""
_FULL_STATES = ("53100", "53400")
_SQLITE_CODES = frozenset({5, 6, 7, 8, 10, 11, 13, 14, 15, 26})
"""Busy, locked, no memory, read-only, I/O, corrupt, full, cannot open, lock protocol, no database file."""
_SQLITE_KINDS: dict[int, Kind] = {5: "stuck", 6: "stuck", 15: "stuck", 8: "read-only", 10: "full", 13: "full"}
_RECONNECTING = "8s2b"
"""SQLAlchemy's code for a transaction whose connection was lost before its rollback."""


def is_store_failure(error: BaseException) -> bool:
    """Return True if a store failed: it is gone, restarting, full, locked, read-only, or too slow."""
    if isinstance(error, exc.DBAPIError):
        return error.connection_invalidated or (error.orig is not None and is_store_failure(error.orig))
    if isinstance(error, sqlite3.Error):
        return isinstance(error, sqlite3.OperationalError) or _sqlite_code(error) in _SQLITE_CODES
    if isinstance(error, psycopg.InternalError):
        return error.sqlstate is None or error.sqlstate.startswith(_INTERNAL_STATES)
    if isinstance(error, exc.PendingRollbackError):
        return error.code == _RECONNECTING
    return isinstance(error, _ALWAYS)


_ALWAYS = (
    ServiceUnavailable,
    psycopg.OperationalError,
    psycopg.InterfaceError,
    exc.TimeoutError,
    redis.RedisError,
    StorageError,
    ConnectionError,
)


def kind_of(error: BaseException) -> Kind:
    """Return how a store failed. SQLite tells a disk that is full by an I/O error, too."""
    for cause in _causes(error):
        if isinstance(cause, ServiceUnavailable) and cause.__cause__ is None:
            return "stuck"
        if isinstance(cause, sqlite3.Error):
            return _SQLITE_KINDS.get(_sqlite_code(cause), "unreachable")
        if isinstance(cause, redis.exceptions.OutOfMemoryError):
            return "full"
        if isinstance(cause, redis.exceptions.ReadOnlyError | psycopg.errors.ReadOnlySqlTransaction):
            return "read-only"
        if isinstance(cause, psycopg.Error) and (cause.sqlstate or "").startswith(_FULL_STATES):
            return "full"
        if isinstance(cause, _TOO_SLOW):
            return "stuck"
    return "unreachable"


_TOO_SLOW = (
    exc.TimeoutError,
    redis.TimeoutError,
    psycopg.errors.QueryCanceled,
    psycopg.errors.LockNotAvailable,
    psycopg.errors.ConnectionTimeout,
)


def _sqlite_code(error: sqlite3.Error) -> int:
    """The primary result code, without what extends it."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and len(found) < 10:
        found.append(cause)
        cause = cause.__cause__ or cause.__context__
    return found
