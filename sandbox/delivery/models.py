"""Endpoints, what is to be delivered to them, every attempt, and the queue the workers share.

Logs keep the tenant's time, as records do. The queue keeps the machine's: leases and waits are real.
"""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Literal

from sqlalchemy import JSON, BigInteger, ForeignKey, ForeignKeyConstraint, Index, Integer, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base
from portal.core.leases import HOLDER_LENGTH
from portal.core.ownership import OnReset, TenantLog, TenantOwned
from portal.core.types import UtcDateTime

Kind = Literal["webhook", "send"]
Status = Literal["pending", "held", "delivered", "failed", "discarded"]
Closed = Literal["off", "gone", "failing"]


class Endpoint(TenantOwned, Base):
    """Where deliveries go: a webhook's address, or a connection's.

    `closed_as` says why it takes none: switched off by its owner, it answered 410, or it kept failing. What comes
    meanwhile is held. `failing_since` is the first failure after the last success, by the tenant's time.
    `is_unverified` marks an address whose name did not resolve when it was saved, until it answers for the first time.
    """

    __tablename__ = "endpoints"
    on_reset: ClassVar[OnReset] = "keep"
    is_audited = False

    kind: Mapped[str] = mapped_column(String(10))
    closed_as: Mapped[str | None] = mapped_column(String(10))
    closed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    failing_since: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    is_unverified: Mapped[bool] = mapped_column(default=False, server_default=false())


class Delivery(TenantLog, Base):
    """One message to one endpoint. `message_id` is the webhook-id or idempotency key, the same in every attempt.

    `status`: pending, held (its endpoint is closed), delivered, failed (stands in the Failed Queue) or discarded.
    `type` is the event, or the mapping's slug; `subject` the public id of the record it is about; `trace` the request
    that caused it. `reference` is what the partner calls the record. `attempts` counts all that were made.
    `record_version` is the subject's version that a send carries. `previous_id` is the key of the send that this one
    takes the place of: its body was edited, or somebody sent the record again.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        Index(None, "tenant_id", "endpoint_id", "status"),
        Index(None, "tenant_id", "kind", "status"),
        Index(None, "tenant_id", "message_id"),
        Index(None, "tenant_id", "trace"),
        Index(None, "tenant_id", "subject"),
    )
    public_prefix = "dlv"

    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    endpoint_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(10))
    message_id: Mapped[str] = mapped_column(String(64))
    type: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str | None] = mapped_column(String(32))
    trace: Mapped[str] = mapped_column(String(64))
    mapping_id: Mapped[int | None] = mapped_column(BigInteger)
    record_version: Mapped[int | None]
    previous_id: Mapped[str | None] = mapped_column(String(64))
    url: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(10))
    attempts: Mapped[int] = mapped_column(default=0)
    answer_status: Mapped[int | None]
    reason: Mapped[str | None] = mapped_column(Text)
    reference: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    attempted_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class Attempt(TenantLog, Base):
    """One try: what was sent, secrets masked, and what came back. `duration` is in microseconds."""

    __tablename__ = "delivery_attempts"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "delivery_id"], ["deliveries.tenant_id", "deliveries.id"], ondelete="CASCADE"
        ),
        Index(None, "tenant_id", "delivery_id"),
    )

    delivery_id: Mapped[int] = mapped_column(BigInteger)
    number: Mapped[int]
    made_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    duration: Mapped[int] = mapped_column(Integer)
    url: Mapped[str] = mapped_column(Text)
    request_headers: Mapped[list[list[str]]] = mapped_column(JSON)
    request_body: Mapped[str] = mapped_column(Text)
    answer_status: Mapped[int | None]
    answer_headers: Mapped[list[list[str]]] = mapped_column(JSON)
    answer_body: Mapped[str] = mapped_column(Text)
    failure: Mapped[str | None] = mapped_column(Text)


class Lane(Base):
    """How deliveries pass to one endpoint: how many at once, in order or not, and a pause it asked for.

    Workers lock it while they claim, so that the number at once is exact over all of them.
    """

    __tablename__ = "delivery_lanes"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "endpoint_id"], ["endpoints.tenant_id", "endpoints.id"], ondelete="CASCADE"),
    )

    tenant_id: Mapped[int] = mapped_column(
        ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    endpoint_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at_once: Mapped[int]
    is_ordered: Mapped[bool]
    paused_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    slowdowns: Mapped[int] = mapped_column(default=0)


class Queued(Base):
    """A delivery that is due at `due_at`. A worker, the process `holder`, holds it under `lease` until `leased_until`.

    `tries` counts the attempts of this round. `ahead` is by how many seconds the tenant's clock was moved past the
    instant it was due at: they are taken off the waits to come, so that a schedule of days runs in order, at once.
    """

    __tablename__ = "delivery_queue"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "delivery_id"], ["deliveries.tenant_id", "deliveries.id"], ondelete="CASCADE"
        ),
        Index(None, "due_at"),
        Index(None, "leased_until"),
        Index(None, "tenant_id", "endpoint_id", "delivery_id"),
    )

    tenant_id: Mapped[int] = mapped_column(
        ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    delivery_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    endpoint_id: Mapped[int] = mapped_column(BigInteger)
    due_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    tries: Mapped[int] = mapped_column(default=0)
    ahead: Mapped[int] = mapped_column(default=0)
    lease: Mapped[str | None] = mapped_column(String(32))
    leased_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    holder: Mapped[str | None] = mapped_column(String(HOLDER_LENGTH))
