"""Leases of workers: what one holds is free as soon as it is known to be dead, not only once its lease ends."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table, and_, select, update

from portal.core.clock import system_now
from portal.core.database import Database
from portal.core.processes import has_ended

HOLDER_LENGTH = 400


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
