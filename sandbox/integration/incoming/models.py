"""Mappings and their versions, the log of what came in, and files of records."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKeyConstraint, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base
from portal.core.ownership import TenantLog, TenantOwned, TenantRecord, table_of
from portal.core.types import UtcDateTime

UNFINISHED = ("queued", "running")
"""The statuses of a file that is still being written."""
OPEN = ("preview", *UNFINISHED)
"""Those, and that of a file that was uploaded and not started."""


class IncomingMapping(TenantRecord, Base):
    """A mapping's name. `slug` is unique within a tenant; one mapping at most is the default."""

    __tablename__ = "incoming_mappings"
    __table_args__ = (Index("uq_incoming_mappings_slug", "tenant_id", "slug", unique=True),)
    on_reset = "keep"
    public_prefix = "imp"

    slug: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(120))
    target: Mapped[str] = mapped_column(String(20))
    is_default: Mapped[bool]


_IS_DEFAULT = table_of(IncomingMapping).c.is_default
Index(
    "uq_incoming_mappings_is_default",
    IncomingMapping.tenant_id,
    unique=True,
    postgresql_where=_IS_DEFAULT,
    sqlite_where=_IS_DEFAULT,
)


class IncomingVersion(TenantOwned, Base):
    """A mapping as it was, is, or is to be: `status` is `draft`, `live` or `retired`, one draft and one live at most.

    A live or retired one stays as it is.
    """

    __tablename__ = "incoming_versions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "mapping_id"], ["incoming_mappings.tenant_id", "incoming_mappings.id"], ondelete="CASCADE"
        ),
        Index("uq_incoming_versions_number", "tenant_id", "mapping_id", "number", unique=True),
    )
    on_reset = "keep"
    is_audited = False

    mapping_id: Mapped[int] = mapped_column(BigInteger)
    number: Mapped[int] = mapped_column(Integer)
    status: Mapped[str] = mapped_column(String(8))
    definition: Mapped[dict[str, Any]] = mapped_column(JSON)
    author: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    published_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


for _status in ("draft", "live"):
    _holds = IncomingVersion.status == _status
    Index(
        f"uq_incoming_versions_{_status}",
        IncomingVersion.tenant_id,
        IncomingVersion.mapping_id,
        unique=True,
        postgresql_where=_holds,
        sqlite_where=_holds,
    )


class IncomingMessage(TenantLog, Base):
    """What one call brought, secrets masked, and what became of each record. `duration` is in microseconds.

    `body` is cut where it is longer than a log keeps; `is_whole` says whether it is not. `summary` is what a search
    looks through: record ids, codes and messages.
    """

    __tablename__ = "incoming_messages"
    __table_args__ = (
        Index(None, "tenant_id", "received_at"),
        Index(None, "tenant_id", "mapping"),
        Index(None, "tenant_id", "request_id"),
    )
    public_prefix = "ims"

    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    request_id: Mapped[str] = mapped_column(String(64))
    mapping: Mapped[str] = mapped_column(String(40))
    version: Mapped[int] = mapped_column(Integer)
    key_id: Mapped[str | None] = mapped_column(String(24))
    received_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    body: Mapped[str] = mapped_column(Text)
    is_whole: Mapped[bool]
    record_count: Mapped[int] = mapped_column(Integer)
    outcomes: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    outcome: Mapped[str] = mapped_column(String(10))
    http_status: Mapped[int] = mapped_column(Integer)
    duration: Mapped[int] = mapped_column(Integer)
    summary: Mapped[str] = mapped_column(String(2000))


class IncomingImport(TenantRecord, Base):
    """A file of records on its way through a mapping, kept with the definition it began with.

    `status` is `preview`, `queued`, `running`, `done` or `stopped`, with the `reason`. `position` is where in `text`
    the next row begins; it moves in the very transaction that writes the rows before it. `text` begins with the heading
    and has a line feed at the end of each line; `encoding`, `separator`, `line_end` and `has_separator_line` say how
    the file was written, so that its result is written alike.
    """

    __tablename__ = "incoming_imports"
    on_reset = "keep"
    is_audited = False
    public_prefix = "imf"

    mapping: Mapped[str] = mapped_column(String(40))
    version_number: Mapped[int] = mapped_column(Integer)
    target: Mapped[str] = mapped_column(String(20))
    definition: Mapped[dict[str, Any]] = mapped_column(JSON)
    file_name: Mapped[str] = mapped_column(String(120))
    text: Mapped[str] = mapped_column(Text, deferred=True)
    separator: Mapped[str] = mapped_column(String(1))
    encoding: Mapped[str] = mapped_column(String(10))
    line_end: Mapped[str] = mapped_column(String(2))
    has_separator_line: Mapped[bool]
    status: Mapped[str] = mapped_column(String(8))
    reason: Mapped[str | None] = mapped_column(String(200))
    position: Mapped[int] = mapped_column(Integer)
    total: Mapped[int] = mapped_column(Integer)
    done: Mapped[int] = mapped_column(Integer)
    succeeded: Mapped[int] = mapped_column(Integer)
    failed: Mapped[int] = mapped_column(Integer)
    duplicate: Mapped[int] = mapped_column(Integer)
    author: Mapped[str] = mapped_column(String(80))
    finished_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class IncomingOutcome(TenantLog, Base):
    """What became of one row of a file; `line` counts from 1, the heading aside."""

    __tablename__ = "incoming_outcomes"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "import_id"], ["incoming_imports.tenant_id", "incoming_imports.id"], ondelete="CASCADE"
        ),
        Index("uq_incoming_outcomes_line", "tenant_id", "import_id", "line", unique=True),
    )

    import_id: Mapped[int] = mapped_column(BigInteger)
    line: Mapped[int] = mapped_column(Integer)
    outcome: Mapped[str] = mapped_column(String(10))
    code: Mapped[str | None] = mapped_column(String(40))
    message: Mapped[str | None] = mapped_column(String(500))
    record_id: Mapped[str | None] = mapped_column(String(254))
