"""What was said and done about a ticket, in order: replies, closings, reopenings. Nothing of it is ever changed."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.api.lists import equals, query_schema
from portal.api.operation import Call, Page
from portal.api.paging import ListPlan, Reader
from portal.api.schema import ApiModel, Identity, Instant, Paragraph
from portal.core.database import Base
from portal.core.ownership import TenantOwned
from portal.core.session import TenantSession
from portal.core.types import UtcDateTime

Kind = Literal["reply", "closed", "reopened"]


class TicketReply(TenantOwned, Base):
    """One entry of a ticket's history. `author` is the name of the key that made it; only a reply has a message."""

    __tablename__ = "ticket_replies"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "ticket_id"], ["tickets.tenant_id", "tickets.id"], ondelete="CASCADE"),
        Index(None, "tenant_id", "ticket_id", "id"),
    )
    public_prefix = "rpl"

    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    ticket_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(10))
    author: Mapped[str] = mapped_column(String(120))
    message: Mapped[str | None] = mapped_column(String(5000))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class ReplyBody(ApiModel):
    """What a caller may say in a reply."""

    read_only = ApiModel.read_only | {"ticket_id", "kind", "author"}

    message: Paragraph


class ReplyFacts(ApiModel):
    """An entry's own fields."""

    ticket_id: int
    kind: Kind
    author: str = Field(description="The name of the key that replied, closed or reopened")
    message: str | None = Field(description="Only a reply has one")
    created_at: Instant


class ReplyView(ReplyFacts, Identity):
    """An entry of a ticket's history as the API shows it."""


ReplyQuery = query_schema("ReplyQuery", {}, ("id",), searches=False, keeps_deletions=False)
_PLAN = ListPlan(
    TicketReply,
    tuple(getattr(TicketReply, name) for name in ReplyView.model_fields),
    {"ticket_id": equals(TicketReply.ticket_id, int)},
    (),
)


def write_entry(
    session: TenantSession, ticket_id: int, kind: Kind, author: str, message: str | None = None
) -> TicketReply:
    """Add to a ticket's history."""
    entry = TicketReply(ticket_id=ticket_id, kind=kind, author=author, message=message)
    session.add(entry)
    session.flush()
    return entry


def show_entry(entry: TicketReply) -> dict[str, Any]:
    """An entry as an answer shows it."""
    return {name: getattr(entry, name) for name in ReplyView.model_fields}


def list_entries(call: Call) -> Page:
    """One page of the history of the call's ticket, oldest first."""
    query = call.query.model_copy(update={"ticket_id": call.record.id})
    return Reader(call.session, _PLAN, query, call.signer(f"cursor {call.record.id}")).read()
