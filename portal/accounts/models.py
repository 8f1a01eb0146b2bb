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

    `email_verified_at` is when somebody opened a link mailed to `email`; until then the address proves nothing.
    """

    __tablename__ = "developers"
    is_authenticated = True
    is_active = True
    is_anonymous = False

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    email: Mapped[str | None] = mapped_column(String(254), unique=True)
    email_key: Mapped[str | None] = comparison_key("email")
    name: Mapped[str | None] = mapped_column(String(120))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(10), default="developer")
    email_verified_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime, index=True)

    def get_id(self) -> str:
        """Return the name by which Flask-Login keeps this developer in the session."""
        return self.public_id

    @property
    def is_member(self) -> bool:
        return self.email is not None

    @property
    def is_verified(self) -> bool:
        """True for a member who has proven to read mail at the account's address."""
        return self.is_member and self.email_verified_at is not None

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


class AccountLink(Base):
    """A link that acts once, not used yet. `purpose` is staff, sign-up, reset or verify.

    A sign-up has an address and the `name` to be, and no developer before it is used.
    """

    __tablename__ = "account_links"
    __table_args__ = (Index(None, "email_key", "created_at"),)

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(10))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str | None] = comparison_key("email")
    name: Mapped[str | None] = mapped_column(String(120))
    developer_id: Mapped[int | None] = mapped_column(ForeignKey("developers.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, index=True)
