"""Connections to partners' systems, mappings of records to their parameters, and when a mapping runs by itself."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, ForeignKeyConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base
from portal.core.ownership import OnReset, TenantLog, TenantOwned, TenantRecord
from portal.core.types import EncryptedText, UtcDateTime


class Connection(TenantRecord, Base):
    """A partner's address. `headers` is a list of name, value, secret; a secret's value there is a mask.

    `secrets` holds what the masks stand for: JSON, values by the header's name in small letters. `timeout` is in
    seconds. An answer is a success by its status, one of `success_statuses` or any 2xx where that is empty, and
    where `status_path` is given by what its JSON says there. `reference_path` leads to the partner's own reference.
    """

    __tablename__ = "connections"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "endpoint_id"], ["endpoints.tenant_id", "endpoints.id"]),
        Index(None, "tenant_id", "endpoint_id"),
    )
    on_reset: ClassVar[OnReset] = "keep"
    public_prefix = "con"

    endpoint_id: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(String(120))
    url: Mapped[str] = mapped_column(Text)
    method: Mapped[str] = mapped_column(String(5))
    headers: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    secrets: Mapped[str | None] = mapped_column(EncryptedText)
    timeout: Mapped[int]
    active: Mapped[bool]
    success_statuses: Mapped[list[int]] = mapped_column(JSON)
    reference_path: Mapped[str | None] = mapped_column(String(200))
    status_path: Mapped[str | None] = mapped_column(String(200))
    status_equals: Mapped[str | None] = mapped_column(String(200))


class OutgoingMapping(TenantRecord, Base):
    """How records of one `source` become a partner's parameters, and what sends them.

    `rows` are those of the live version; there are none until one is published.
    `events` are names of the catalogue, `schedule` a cron expression in the tenant's time zone.
    """

    __tablename__ = "outgoing_mappings"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "connection_id"], ["connections.tenant_id", "connections.id"]),
        Index("uq_outgoing_mappings_slug", "tenant_id", "slug", unique=True),
        Index(None, "tenant_id", "connection_id"),
    )
    on_reset: ClassVar[OnReset] = "keep"
    public_prefix = "omp"

    name: Mapped[str] = mapped_column(String(120))
    slug: Mapped[str] = mapped_column(String(60))
    connection_id: Mapped[int] = mapped_column(BigInteger)
    source: Mapped[str] = mapped_column(String(30))
    rows: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    events: Mapped[list[str]] = mapped_column(JSON)
    manual: Mapped[bool]
    schedule: Mapped[str | None] = mapped_column(String(120))
    active: Mapped[bool]


class OutgoingVersion(TenantOwned, Base):
    """Rows of a mapping as they were, are, or are to be: `status` is `draft`, `live` or `retired`, one draft and one
    live at most. A live or retired version stays as it is.
    """

    __tablename__ = "outgoing_versions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "mapping_id"], ["outgoing_mappings.tenant_id", "outgoing_mappings.id"], ondelete="CASCADE"
        ),
        Index("uq_outgoing_versions_number", "tenant_id", "mapping_id", "number", unique=True),
    )
    on_reset: ClassVar[OnReset] = "keep"
    is_audited = False

    mapping_id: Mapped[int] = mapped_column(BigInteger)
    number: Mapped[int]
    status: Mapped[str] = mapped_column(String(8))
    source: Mapped[str] = mapped_column(String(30))
    rows: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    author: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    published_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


for _status in ("draft", "live"):
    _holds = OutgoingVersion.status == _status
    Index(
        f"uq_outgoing_versions_{_status}",
        OutgoingVersion.tenant_id,
        OutgoingVersion.mapping_id,
        unique=True,
        postgresql_where=_holds,
        sqlite_where=_holds,
    )


class SentVersion(TenantLog, Base):
    """The latest version of a record that was posted by a mapping to an endpoint, and the idempotency key it bears.

    There is one row for each, so that of several triggers one posts a version. A reset takes the rows back together
    with the records whose versions they name.
    """

    __tablename__ = "sent_versions"
    __table_args__ = (
        Index("uq_sent_versions_subject", "tenant_id", "mapping_id", "endpoint_id", "subject", unique=True),
    )
    on_reset: ClassVar[OnReset] = "restore"

    mapping_id: Mapped[int] = mapped_column(BigInteger)
    endpoint_id: Mapped[int] = mapped_column(BigInteger)
    subject: Mapped[str] = mapped_column(String(32))
    version: Mapped[int]
    key: Mapped[str] = mapped_column(String(64))


class SendSchedule(TenantOwned, Base):
    """When a scheduled mapping ran last and runs next, by the tenant's time."""

    __tablename__ = "send_schedules"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "mapping_id"], ["outgoing_mappings.tenant_id", "outgoing_mappings.id"], ondelete="CASCADE"
        ),
        Index("uq_send_schedules_mapping_id", "tenant_id", "mapping_id", unique=True),
        Index(None, "tenant_id", "next_at"),
    )
    on_reset: ClassVar[OnReset] = "keep"
    is_audited = False

    mapping_id: Mapped[int] = mapped_column(BigInteger)
    last_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    next_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
