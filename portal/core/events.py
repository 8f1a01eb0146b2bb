"""Business events: rows of the transaction that caused them, read later by whoever delivers them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base
from portal.core.ownership import TenantLog
from portal.core.session import TenantSession
from portal.core.types import UtcDateTime


class Event(TenantLog, Base):
    """What happened: a type such as `customer.created`, its subject's public id, and the facts."""

    __tablename__ = "events"
    __table_args__ = (Index(None, "tenant_id", "type"), Index(None, "tenant_id", "subject"))
    public_prefix = "evt"

    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    type: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str | None] = mapped_column(String(32))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


def record_event(session: TenantSession, type_: str, subject: str | None, payload: dict[str, Any]) -> Event:
    """Add an event to the session's transaction. `payload` is JSON and carries public ids only."""
    event = Event(type=type_, subject=subject, payload=payload)
    session.add(event)
    return event
