"""A webhook: an address that is told of events, and the secret its messages are signed with."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from sqlalchemy import JSON, BigInteger, ForeignKeyConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base
from portal.core.ownership import OnReset, TenantLog, TenantRecord
from portal.core.types import EncryptedText, UtcDateTime


class Webhook(TenantRecord, Base):
    """An address of the integrator's. `events` are names of the catalogue, `customer.*` for a family, `*` for all.

    After a rotation messages are also signed by each `EarlierSecret`; the last of them ends at `old_secret_until`.
    `old_secret` held the one that earlier releases kept, and is empty now.
    """

    __tablename__ = "webhooks"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "endpoint_id"], ["endpoints.tenant_id", "endpoints.id"]),
        Index(None, "tenant_id", "endpoint_id"),
    )
    on_reset: ClassVar[OnReset] = "keep"
    public_prefix = "whk"

    endpoint_id: Mapped[int] = mapped_column(BigInteger)
    url: Mapped[str] = mapped_column(Text)
    events: Mapped[list[str]] = mapped_column(JSON)
    description: Mapped[str | None] = mapped_column(String(200))
    active: Mapped[bool]
    ordered: Mapped[bool]
    secret: Mapped[str] = mapped_column(EncryptedText)
    old_secret: Mapped[str | None] = mapped_column(EncryptedText)
    old_secret_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class EarlierSecret(TenantLog, Base):
    """A secret that was replaced. Messages are signed by it as well until `ends_at`, by the tenant's clock."""

    __tablename__ = "webhook_secrets"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "webhook_id"], ["webhooks.tenant_id", "webhooks.id"], ondelete="CASCADE"),
        Index(None, "tenant_id", "webhook_id"),
    )

    webhook_id: Mapped[int] = mapped_column(BigInteger)
    secret: Mapped[str] = mapped_column(EncryptedText)
    ends_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
