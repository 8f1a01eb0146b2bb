"""What an inbox holds: its addresses, how they answer next, and what arrived."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Literal

from sqlalchemy import JSON, BigInteger, ForeignKeyConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base
from portal.core.ownership import OnReset, TenantLog, TenantRecord
from portal.core.types import UtcDateTime

Behaviour = Literal["answer", "drop"]
Verdict = Literal["verified", "wrong", "stale", "unsigned", "unchecked"]


class InboxAddress(TenantRecord, Base):
    """An address at /inbox/`token`, at which anybody who knows it may send."""

    __tablename__ = "inbox_addresses"
    on_reset: ClassVar[OnReset] = "keep"
    public_prefix = "ibx"

    token: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(80))


class InboxAnswer(TenantRecord, Base):
    """How the next `times` arrivals at an address are answered, of which `used` came; the last one takes it away.

    With the behaviour `drop` the connection closes without a usable answer.
    """

    __tablename__ = "inbox_answers"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "address_id"], ["inbox_addresses.tenant_id", "inbox_addresses.id"], ondelete="CASCADE"
        ),
        Index(None, "tenant_id", "address_id", "id"),
    )
    on_reset: ClassVar[OnReset] = "keep"
    public_prefix = "iba"

    address_id: Mapped[int] = mapped_column(BigInteger)
    behaviour: Mapped[str] = mapped_column(String(10))
    status: Mapped[int]
    headers: Mapped[dict[str, str]] = mapped_column(JSON)
    delay_ms: Mapped[int]
    times: Mapped[int]
    used: Mapped[int]


class InboxMessage(TenantLog, Base):
    """One arrival, secrets masked, and how it was answered; `answer_status` is None where the answer was dropped.

    `size` is the body's in bytes; `body` is its beginning as text, and `is_cut` says that there was more.
    `received_at` is by the tenant's clock.
    """

    __tablename__ = "inbox_messages"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "address_id"], ["inbox_addresses.tenant_id", "inbox_addresses.id"], ondelete="CASCADE"
        ),
        Index(None, "tenant_id", "address_id", "id"),
        Index(None, "tenant_id", "webhook_id"),
    )
    public_prefix = "ibm"

    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    address_id: Mapped[int] = mapped_column(BigInteger)
    method: Mapped[str] = mapped_column(String(10))
    path: Mapped[str] = mapped_column(Text)
    headers: Mapped[list[list[str]]] = mapped_column(JSON)
    body: Mapped[str] = mapped_column(Text)
    size: Mapped[int]
    is_cut: Mapped[bool]
    verdict: Mapped[str] = mapped_column(String(10))
    webhook_id: Mapped[str | None] = mapped_column(String(64))
    answer_status: Mapped[int | None]
    delay_ms: Mapped[int]
    received_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
