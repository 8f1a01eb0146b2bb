"""Tickets: what customers ask a department, with the replies, closings and reopenings."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.api.events import EventType, announce
from portal.api.lists import equals, refers_to
from portal.api.operation import Call, Done, Operation
from portal.api.records import find_reference, find_references
from portal.api.resource import Resource, set_fields
from portal.api.schema import ApiModel, Identity, Instant, Line, Paragraph, Reference, Stamps
from portal.core import types
from portal.core.database import Base
from portal.core.errors import Conflict
from portal.core.ownership import TenantRecord
from portal.core.remedies import Remedy
from portal.core.session import TenantSession
from sandbox.resources.customers import Customer
from sandbox.resources.reference import Department
from sandbox.resources.ticket_replies import (
    ReplyBody,
    ReplyQuery,
    ReplyView,
    TicketReply,
    list_entries,
    show_entry,
    write_entry,
)

Priority = Literal["Low", "Medium", "High", "Urgent"]
Status = Literal["Open", "Pending", "Closed"]


class Ticket(TenantRecord, Base):
    """A question to a department. `closed_at` is set while it is Closed."""

    __tablename__ = "tickets"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "customer_id"], ["customers.tenant_id", "customers.id"]),
        ForeignKeyConstraint(["tenant_id", "department_id"], ["departments.tenant_id", "departments.id"]),
        Index(None, "tenant_id", "customer_id"),
        Index(None, "tenant_id", "department_id"),
        Index(None, "tenant_id", "status"),
    )
    public_prefix = "tkt"

    customer_id: Mapped[int | None] = mapped_column(BigInteger)
    subject: Mapped[str] = mapped_column(String(200))
    message: Mapped[str] = mapped_column(String(5000))
    department_id: Mapped[int] = mapped_column(BigInteger)
    priority: Mapped[str] = mapped_column(String(10))
    status: Mapped[str] = mapped_column(String(10))
    closed_at: Mapped[dt.datetime | None] = mapped_column(types.UtcDateTime)

    @property
    def is_closed(self) -> bool:
        return self.status == "Closed"


class TicketBody(ApiModel):
    """What a caller may say of a ticket."""

    read_only = ApiModel.read_only | {"closed_at"}

    customer_id: Reference | None = None
    subject: Line
    message: Paragraph
    department_id: Reference
    priority: Priority = "Medium"
    status: Status = "Open"


class TicketFacts(ApiModel):
    """A ticket's own fields as the API shows them."""

    customer_id: int | None
    subject: str
    message: str
    department_id: int
    priority: Priority
    status: Status
    closed_at: Instant | None = Field(description="Set while the ticket is Closed")


class TicketView(Stamps, TicketFacts, Identity):
    """A ticket as the API shows it."""


def open_ticket(session: TenantSession, data: TicketBody) -> Ticket:
    """Write down a ticket; one that is closed from the start has that in its history. Raises ValidationFailed."""
    fields = _resolved(session, data.model_dump())
    status = fields.pop("status")
    ticket = Ticket(**fields, status="Open")
    session.add(ticket)
    session.flush()
    _move(session, ticket, status)
    return ticket


def change_ticket(session: TenantSession, ticket: Ticket, fields: dict[str, Any]) -> None:
    """Change a ticket; closing and reopening it is recorded and announced. Raises ValidationFailed."""
    changes = _resolved(session, fields)
    status = changes.pop("status", ticket.status)
    set_fields(ticket, changes)
    move_ticket(session, ticket, status)


def move_ticket(session: TenantSession, ticket: Ticket, status: str) -> None:
    """Give the ticket a status; closing and reopening it is recorded and announced."""
    kind = _move(session, ticket, status)
    if kind:
        announce(session, f"ticket.{kind}", tickets.present(session, ticket))


def reply_to_ticket(session: TenantSession, ticket: Ticket, message: str) -> TicketReply:
    """Add a reply. A closed ticket is open again after it."""
    reply = write_entry(session, ticket.id, "reply", session.author, message)
    announce(session, "ticket.replied", show_entry(reply))
    if ticket.is_closed:
        move_ticket(session, ticket, "Open")
    return reply


def _move(session: TenantSession, ticket: Ticket, status: str) -> Literal["closed", "reopened"] | None:
    was_closed, ticket.status = ticket.is_closed, status
    if ticket.is_closed == was_closed:
        return None
    ticket.closed_at = session.clock.now() if ticket.is_closed else None
    kind: Literal["closed", "reopened"] = "closed" if ticket.is_closed else "reopened"
    write_entry(session, ticket.id, kind, session.author)
    return kind


def _resolved(session: TenantSession, fields: dict[str, Any]) -> dict[str, Any]:
    """The fields with the ids of the records they refer to."""
    found = find_references(
        session,
        {
            "customer_id": (Customer, fields.get("customer_id")),
            "department_id": (Department, fields.get("department_id")),
        },
    )
    return fields | {name: record.id for name, record in found.items()}


def _close(call: Call) -> Done:
    if call.record.is_closed:
        message = "This ticket is Closed already. Reopen it or reply to it to go on."
        raise Conflict(message, remedy=Remedy("state", "Closed", ["Open", "Pending"]))
    return _moved(call, "Closed")


def _reopen(call: Call) -> Done:
    if not call.record.is_closed:
        message = f"This ticket is {call.record.status}; only a Closed one can be reopened."
        raise Conflict(message, remedy=Remedy("state", call.record.status, "Closed"))
    return _moved(call, "Open")


def _moved(call: Call, status: Status) -> Done:
    move_ticket(call.session, call.record, status)
    return Done(tickets.present(call.session, call.record))


def _reply(call: Call) -> Done:
    return Done(show_entry(reply_to_ticket(call.session, call.record, call.body.message)))


def _action(verb: str, method: str, path: str, **details: Any) -> Operation:
    return Operation(
        id=f"tickets.{verb}",
        method=method,
        path=f"/api/v2/tickets/{{id}}/{path}",
        permission=f"support:{'read' if method == 'GET' else 'write'}",
        find=lambda call: tickets.find(call),
        **details,
    )


list_replies = _action(
    "list_replies",
    "GET",
    "replies",
    summary="List the replies to a ticket",
    outcome="One page of the ticket's history",
    description=(
        "What was said and done about the ticket, oldest first. `kind` tells replies from the entries that closing "
        "and reopening leave; `author` is the name of the key behind each."
    ),
    handle=list_entries,
    query=ReplyQuery,
    returns=ReplyView,
    is_list=True,
    sample_path={"id": 1},
)
reply = _action(
    "reply",
    "POST",
    "replies",
    summary="Reply to a ticket",
    outcome="Reply added",
    description="Adds a reply under the name of the key. A reply to a Closed ticket reopens it.",
    handle=_reply,
    body=ReplyBody,
    returns=ReplyView,
    status=201,
    sample={"message": "We have sent a replacement today; it arrives on Thursday."},
    sample_path={"id": 2},
)
close = _action(
    "close",
    "POST",
    "close",
    summary="Close a ticket",
    outcome="Ticket closed",
    description="Who closed it and when stands in its history. One that is Closed already is refused.",
    handle=_close,
    returns=TicketView,
    codes=("conflict",),
    sample_path={"id": 149},
)
reopen = _action(
    "reopen",
    "POST",
    "reopen",
    summary="Reopen a ticket",
    outcome="Ticket reopened",
    description="Makes a Closed ticket Open. Who reopened it and when stands in its history.",
    handle=_reopen,
    returns=TicketView,
    codes=("conflict",),
    sample_path={"id": 3},
)

tickets = Resource(
    name="tickets",
    singular="ticket",
    module="support",
    description=(
        "What customers ask a department. Closing and reopening are recorded, by a call of their own or by `status`. "
        "Deleting a ticket deletes its replies."
    ),
    model=Ticket,
    shows=TicketView,
    accepts=TicketBody,
    filters={
        "status": equals(Ticket.status, Status),
        "department_id": refers_to(
            Ticket.department_id,
            lambda session, value: find_reference(session, Department, value, "department_id"),
            "The department's id or public id",
        ),
        "priority": equals(Ticket.priority, Priority),
        "customer_id": refers_to(
            Ticket.customer_id,
            lambda session, value: find_reference(session, Customer, value, "customer_id"),
            "The customer's id or public id",
        ),
    },
    sorts=("id", "subject", "created_at", "updated_at"),
    create=open_ticket,
    change=change_ticket,
    actions=(list_replies, reply, close, reopen),
    announces={
        "ticket.created": "A ticket was created",
        "ticket.updated": "A ticket was changed",
        "ticket.deleted": "A ticket was deleted",
        "ticket.closed": "A ticket was closed",
        "ticket.reopened": "A closed ticket was opened again",
    },
    sample={
        "customer_id": 1,
        "subject": "Scanner loses its connection",
        "message": "The new scanner loses its connection every few minutes.",
        "department_id": 1,
        "priority": "High",
    },
    removed_id=4,
)
EVENTS = (EventType("ticket.replied", "A reply was added to a ticket", ReplyView),)
