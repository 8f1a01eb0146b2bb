"""What a sandbox keeps for rehearsals: its snapshots, the scenarios that wait for a call, and those counted."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base
from portal.core.ownership import OnReset, TenantLog, TenantRecord
from portal.core.types import UtcDateTime


class Snapshot(TenantRecord, Base):
    """A saved state of the tenant. The rows stand in a hidden tenant with the same public id.

    `records` is how many there are, `clock_offset` how many seconds the tenant was ahead of the machine.
    """

    __tablename__ = "snapshots"
    __table_args__ = (Index(None, "tenant_id", "name", unique=True),)
    on_reset: ClassVar[OnReset] = "keep"
    public_prefix = "snp"

    name: Mapped[str] = mapped_column(String(120))
    records: Mapped[int]
    clock_offset: Mapped[int]


class ArmedScenario(TenantRecord, Base):
    """An outcome for the next `times` calls that match, of which `used` were made; the last one takes it away.

    Without `operation` every call of the tenant matches, without `key_id` every key's.
    """

    __tablename__ = "armed_scenarios"
    public_prefix = "scn"

    scenario: Mapped[str] = mapped_column(String(20))
    retry_after: Mapped[int | None]
    ms: Mapped[int | None]
    times: Mapped[int]
    used: Mapped[int]
    operation: Mapped[str | None] = mapped_column(String(60))
    key_id: Mapped[str | None] = mapped_column(String(24))


class ScenarioCount(TenantLog, Base):
    """How often a key asked for an outcome with one header on one operation; `key_id` is empty for public calls."""

    __tablename__ = "scenario_counts"
    __table_args__ = (Index(None, "tenant_id", "key_id", "operation", "header", unique=True),)
    on_reset: ClassVar[OnReset] = "restore"

    key_id: Mapped[str] = mapped_column(String(24))
    operation: Mapped[str] = mapped_column(String(60))
    header: Mapped[str] = mapped_column(String(120))
    used: Mapped[int]
    counted_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
