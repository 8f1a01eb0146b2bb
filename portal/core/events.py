"""Business events: rows of the transaction that caused them, read later by whoever delivers them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from sqlalchemy import JSON, Index, String, insert
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base
from portal.core.ids import new_log_id, new_public_id
from portal.core.ownership import TenantLog, table_of
from portal.core.prepared import Prepared
from portal.core.session import TenantSession
from portal.core.types import UtcDateTime


class Event(TenantLog, Base):
    """What happened: a type such as `customer.created`, its subject's public id, and the facts.

    `trace` is the request that caused it, or the job.
    """

    __tablename__ = "events"
    __table_args__ = (
        Index(None, "tenant_id", "type"),
        Index(None, "tenant_id", "subject"),
        Index(None, "tenant_id", "trace"),
    )
    public_prefix = "evt"

    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    type: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str | None] = mapped_column(String(32))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    trace: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


_INSERT = Prepared(insert(table_of(Event)))
_COLUMNS = tuple(column.key for column in table_of(Event).columns)
Listener = Callable[[TenantSession, Event], None]
_listeners: list[Listener] = []


def on_event(listener: Listener) -> Listener:
    """Have a function told of every event, in the transaction that causes it."""
    _listeners.append(listener)
    return listener


def record_event(session: TenantSession, type_: str, subject: str | None, payload: dict[str, Any]) -> Event:
    """Add an event to the session's transaction. `payload` is JSON and carries public ids only."""
    event = Event(
        tenant_id=session.owner_id,
        id=new_log_id(),
        public_id=new_public_id(Event.public_prefix),
        type=type_,
        subject=subject,
        payload=payload,
        trace=session.trace or None,
        created_at=session.clock.now(),
    )
    with session.directly() as inside:
        inside.run(_INSERT, {column: getattr(event, column) for column in _COLUMNS})
    for listener in _listeners:
        listener(session, event)
    return event
