"""Tenants, their API keys and access tokens, and the audit trail."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, ForeignKeyConstraint, Index, Integer, String, false
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.calendars import Calendar
from portal.core.clock import Clock
from portal.core.database import Base
from portal.core.ids import new_revision
from portal.core.ownership import TenantLog, TenantOwned
from portal.core.types import UtcDateTime

HIDDEN_MODES = ("template", "snapshot")
"""Modes of tenants that no credential reaches and no look-up finds."""


class Tenant(Base):
    """A workspace. `mode` is `sandbox` (resettable), `house` (the company's own), `template` (a frozen copy from
    which sandboxes are filled) or `snapshot` (what the tenant `copy_of` once held; it ends with its owner).
    `salt` makes seeded public ids unguessable. `is_armed` says that a scenario may wait for one of its calls.
    `revision` is another number after each transaction that wrote anything of the tenant's.
    """

    __tablename__ = "tenants"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    mode: Mapped[str] = mapped_column(String(10), index=True)
    plan: Mapped[str] = mapped_column(String(12))
    currency: Mapped[str] = mapped_column(String(3), default="USD")
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC")
    clock_offset: Mapped[int] = mapped_column(default=0)
    is_armed: Mapped[bool] = mapped_column(default=False, server_default=false())
    copy_of: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("tenants.id", ondelete="CASCADE"), index=True, default=None
    )
    daily_reset_hour: Mapped[int | None] = mapped_column(default=3)
    daily_reset_from: Mapped[dt.date | None]
    salt: Mapped[str] = mapped_column(String(32))
    publishable_id: Mapped[str | None] = mapped_column(String(40), unique=True)
    seed_version: Mapped[str | None] = mapped_column(String(64), index=True)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    last_reset_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    expires_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime, index=True)
    revision: Mapped[int] = mapped_column(BigInteger, default=new_revision, onupdate=new_revision, server_default="0")

    @property
    def clock(self) -> Clock:
        """The tenant's own time."""
        return Clock(dt.timedelta(seconds=self.clock_offset), self.calendar)

    @property
    def calendar(self) -> Calendar:
        """Return the calendar of the tenant's time zone."""
        return Calendar(self.time_zone)

    @property
    def is_sandbox(self) -> bool:
        return self.mode == "sandbox"


class ApiKey(TenantOwned, Base):
    """A credential of a tenant. Only a keyed hash of it is kept; `key_id` is its public, short id."""

    __tablename__ = "api_keys"
    __table_args__ = (Index(None, "key_id", unique=True),)
    on_reset = "keep"

    key_id: Mapped[str] = mapped_column(String(24))
    prefix: Mapped[str] = mapped_column(String(12))
    secret_hash: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(80))
    role: Mapped[str] = mapped_column(String(20))
    scopes: Mapped[list[str] | None] = mapped_column(JSON)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    last_used_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)

    def status_at(self, now: dt.datetime) -> str:
        """`active`, `expiring` (within seven days), `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at is None:
            return "active"
        if self.expires_at <= now:
            return "expired"
        return "expiring" if self.expires_at - now < dt.timedelta(days=7) else "active"


class AccessToken(TenantOwned, Base):
    """A bearer token issued to a key. It dies with its key."""

    __tablename__ = "access_tokens"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "api_key_id"], ["api_keys.tenant_id", "api_keys.id"], ondelete="CASCADE"),
        Index(None, "token_hash", unique=True),
    )
    on_reset = "keep"
    is_audited = False

    token_hash: Mapped[str] = mapped_column(String(64))
    api_key_id: Mapped[int] = mapped_column(BigInteger)
    scopes: Mapped[list[str] | None] = mapped_column(JSON)
    issued_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class AuditRow(TenantLog, Base):
    """Who did what to what: the operation's id, the actor, the subject, and the fields that changed."""

    __tablename__ = "audit"
    __table_args__ = (
        Index(None, "tenant_id", "action"),
        Index(None, "tenant_id", "subject"),
        Index(None, "tenant_id", "request_id"),
    )

    actor: Mapped[str] = mapped_column(String(80))
    action: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str | None] = mapped_column(String(32))
    changes: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    request_id: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
