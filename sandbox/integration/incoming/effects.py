"""What a dry run would have changed: records, numbers and events, seen as the session writes them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import event, inspect, select

from portal.core.database import Base
from portal.core.derived import is_key
from portal.core.events import Event, on_event
from portal.core.ownership import TenantOwned
from portal.core.session import TenantSession

_NEEDLESS = frozenset({"tenant_id", "public_id", "created_at", "updated_at", "version"})
_WATCHED = "watched events"
_COUNTERS = Base.metadata.tables["counters"]


@dataclass
class Effects:
    """Records that would be created, with their fields, or changed, with each field before and after; numbers that
    would be used of each series; events that would be announced. Public ids are left out: they are drawn anew.
    """

    records: list[dict[str, Any]] = field(default_factory=list)
    numbers: dict[str, list[int]] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)


@contextmanager
def watching(session: TenantSession) -> Iterator[Effects]:
    """Note what the session writes meanwhile."""
    effects, before = Effects(), _numbers(session)

    def note(flushed: TenantSession, context: Any) -> None:
        effects.records += [_created(row) for row in flushed.new if isinstance(row, TenantOwned) and row.is_audited]

    noted = len(session.changes)
    event.listen(session, "after_flush", note)
    session.info[_WATCHED] = effects.events
    try:
        yield effects
    finally:
        del session.info[_WATCHED]
        event.remove(session, "after_flush", note)
    effects.records += [
        {"table": change.table, "verb": change.verb, "public_id": change.public_id, "fields": _shown(change.fields)}
        for change in session.changes[noted:]
        if change.verb != "created"
    ]
    after = _numbers(session)
    effects.numbers = {
        name: [before.get(name, 0) + 1, last] for name, last in after.items() if last > before.get(name, 0)
    }


@on_event
def _note_event(session: TenantSession, happened: Event) -> None:
    if _WATCHED in session.info:
        session.info[_WATCHED].append(happened.type)


def _numbers(session: TenantSession) -> dict[str, int]:
    """The last number of every series of the tenant."""
    rows = select(_COUNTERS.c.name, _COUNTERS.c.value).where(_COUNTERS.c.tenant_id == session.owner_id)
    return {row.name: row.value for row in session.connection().execute(rows)}


def _created(row: TenantOwned) -> dict[str, Any]:
    names = [attribute.key for attribute in inspect(row).mapper.column_attrs if not is_key(attribute.columns[0])]
    fields = {name: [None, getattr(row, name)] for name in names if name not in _NEEDLESS}
    return {"table": row.__tablename__, "verb": "created", "public_id": None, "fields": fields}


def _shown(fields: dict[str, tuple[Any, Any]]) -> dict[str, list[Any]]:
    return {name: list(pair) for name, pair in fields.items() if name not in _NEEDLESS}
