"""Leases of workers: what one holds is free as soon as it is known to be dead, not only once its lease ends."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Table, and_, select, update

from portal.core.clock import system_now
from portal.core.database import Database
from portal.core.errors import ServiceUnavailable
from portal.core.pending_cleanup import PendingCleanup
from portal.core.processes import has_ended, name_process
from portal.core.session import TenantSession
from portal.core.store_errors import is_store_failure

HOLDER_LENGTH = 400
_cleanup = PendingCleanup()


@contextmanager
def lease_transaction(database: Database, table: Table, until: dt.datetime) -> Iterator[TenantSession]:
    """Begin a transaction in which this process leases rows of `table` until `until`, at most one at a time.

    If the store fails during the commit, the rows may be leased although nobody works on them. So they are freed, and
    as a frozen store may carry the commit out later, that is repeated until it has found them or the lease is over.
    """
    try:
        with database.transaction() as session:
            yield session
    except Exception as error:
        if is_store_failure(error):
            _cleanup.add(lambda: _free_own(database, table, until) or until <= system_now())
        raise


def _free_own(database: Database, table: Table, until: dt.datetime) -> bool:
    """Free what this process leased until `until`. Return False if that is nothing. Raise ServiceUnavailable."""
    own = and_(table.c.holder == name_process(), table.c.leased_until == until)
    try:
        with database.transaction() as session:
            result: Any = session.connection().execute(update(table).where(own).values(leased_until=None, holder=None))
            return int(result.rowcount) > 0
    except Exception as error:
        if is_store_failure(error):
            raise ServiceUnavailable from error
        raise


def free_leases_of_the_dead(database: Database, table: Table) -> int:
    """Free the rows of `table` that dead processes of this machine hold. Return how many there were.

    The table has `holder` (a process, as `name_process` names it) and `leased_until`.
    """
    is_held = and_(table.c.leased_until > system_now(), table.c.holder.is_not(None))
    with database.transaction(write=False) as session:
        holders = session.connection().scalars(select(table.c.holder).where(is_held).distinct()).all()
    dead = [holder for holder in holders if has_ended(holder)]
    if not dead:
        return 0
    with database.transaction() as session:
        freed = update(table).where(is_held, table.c.holder.in_(dead)).values(leased_until=None, holder=None)
        result: Any = session.connection().execute(freed)
        return int(result.rowcount)
