"""Developers: who signs up, who works at the desk, and guests who have not signed up yet."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.clock import system_now
from portal.core.database import Base
from portal.core.derived import comparison_key
from portal.core.types import EncryptedJson, UtcDateTime


class Developer(Base):
    """A person before the portal. A guest has no e-mail and ends at `expires_at`.

    `link_hash` belongs to a one-time sign-in link not yet used.
    """

    __tablename__ = "developers"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    email: Mapped[str | None] = mapped_column(String(254), unique=True)
    email_key: Mapped[str | None] = comparison_key("email")
    name: Mapped[str | None] = mapped_column(String(120))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(10), default="developer")
    link_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    link_expires_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime, index=True)

    @property
    def is_member(self) -> bool:
        return self.email is not None

    @property
    def is_staff(self) -> bool:
        return self.role in {"agent", "owner"}

    @property
    def has_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= system_now()

    @property
    def actor(self) -> str:
        """How the audit trail names this person."""
        return f"{'staff' if self.is_staff else 'developer'}:{self.public_id}"


Index("uq_developers_email_key", Developer.email_key, unique=True)


class BrowserSession(Base):
    """A browser in which a developer is known. `id_hash` is of the random id that its cookie holds.

    `data` is what pages keep between requests. `seen_at` and `address` are of the last visit, to a few minutes.
    """

    __tablename__ = "browser_sessions"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    id_hash: Mapped[str] = mapped_column(String(64), unique=True)
    developer_id: Mapped[int] = mapped_column(ForeignKey("developers.id", ondelete="CASCADE"), index=True)
    data: Mapped[dict[str, Any]] = mapped_column(EncryptedJson)
    user_agent: Mapped[str] = mapped_column(String(300))
    address: Mapped[str] = mapped_column(String(45))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, index=True)
