"""Leads, and the inquiries behind them."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import JSON, BigInteger, ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base
from portal.core.derived import comparison_key, derived_column
from portal.core.ownership import TenantOwned, TenantRecord
from portal.core.phones import e164_of
from portal.core.types import UtcDateTime


class Lead(TenantRecord, Base):
    """Somebody who may become a customer. `status` is one of `service.STATUSES`."""

    __tablename__ = "leads"
    __table_args__ = (Index(None, "tenant_id", "status"),)
    public_prefix = "led"

    first_name: Mapped[str] = mapped_column(String(120))
    last_name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str | None] = comparison_key("email")
    company: Mapped[str | None] = mapped_column(String(120))
    phone: Mapped[str | None] = mapped_column(String(32))
    phone_e164: Mapped[str | None] = derived_column(String(16), ("phone",), e164_of)
    source: Mapped[str | None] = mapped_column(String(40))
    message: Mapped[str | None] = mapped_column(String(5000))
    status: Mapped[str] = mapped_column(String(12))
    touched_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


Index("ix_leads_email", Lead.tenant_id, Lead.email_key)


class LeadTouch(TenantOwned, Base):
    """One inquiry as it arrived. `state` is `accepted`, `quarantined` or `spam`; only accepted ones have a lead.

    `released_at` is set if a person let it out of quarantine.

    `public_id` is the receipt. It looks like a lead's id, whatever became of the inquiry, so that it tells
    nobody whether the address was known or the inquiry suspicious; a lead takes the id of its first touch.
    """

    __tablename__ = "lead_touches"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "lead_id"], ["leads.tenant_id", "leads.id"], ondelete="CASCADE"),
        Index(None, "tenant_id", "lead_id"),
        Index("ix_lead_touches_tenant_id_email_created_at", "tenant_id", "email_key", "created_at"),
        Index(None, "tenant_id", "state", "created_at"),
    )
    public_prefix = "led"

    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    lead_id: Mapped[int | None] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(12))
    reasons: Mapped[list[str]] = mapped_column(JSON)
    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str | None] = comparison_key("email")
    phone: Mapped[str | None] = mapped_column(String(32))
    company: Mapped[str | None] = mapped_column(String(120))
    source: Mapped[str | None] = mapped_column(String(40))
    message: Mapped[str | None] = mapped_column(String(5000))
    consent: Mapped[bool | None]
    utm_source: Mapped[str | None] = mapped_column(String(200))
    utm_medium: Mapped[str | None] = mapped_column(String(200))
    utm_campaign: Mapped[str | None] = mapped_column(String(200))
    utm_term: Mapped[str | None] = mapped_column(String(200))
    utm_content: Mapped[str | None] = mapped_column(String(200))
    referrer: Mapped[str | None] = mapped_column(String(2000))
    released_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
