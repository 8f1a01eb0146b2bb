"""What happened in a tenant, newest first: its audit trail, and the events it announced (contract section 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints
from pydantic import WithJsonSchema as JsonSchema

from portal.api.events import EventType
from portal.api.lists import Filter, equals, from_day_of, query_schema, to_day_of
from portal.api.operation import Call, Operation, Page
from portal.api.paging import ListPlan, Reader
from portal.api.schema import ApiModel, Date, Instant, text_type
from portal.core.events import Event
from portal.tenancy.models import AuditRow

_ID = "^[a-z]{2,4}_[0-9a-f]{24}$"
PublicId = Annotated[str, StringConstraints(pattern=_ID), JsonSchema({"type": "string", "pattern": _ID})]
ORDER = ("-id", "created_at")


class FieldChange(ApiModel):
    """One record that the act created, changed or removed."""

    table: str
    public_id: str | None
    verb: Literal["created", "changed", "removed"]
    fields: dict[str, list[Any]] = Field(description="What each changed field was, and what it became")


class AuditView(ApiModel):
    """One act: who did what to what, and when."""

    id: str = Field(description="Grows with time; a text, since the number is larger than JavaScript can hold")
    actor: str = Field(description="`key:` and the key's id; `owner:` and a key's id for the platform owner")
    action: str = Field(description="The operation, such as `customers.update`")
    subject: str | None = Field(description="Public id of what was acted on")
    changes: list[FieldChange]
    request_id: str | None
    created_at: Instant


class EventView(ApiModel):
    """One event, as a webhook would carry it."""

    public_id: str
    type: str
    subject: str | None = Field(description="Public id of the record it is about")
    data: dict[str, Any] = Field(description="The record as it then was; references are public ids")
    created_at: Instant


def declare_history(events: Sequence[EventType]) -> tuple[Operation, ...]:
    """The operations, for a deployment that announces `events`."""
    names: Any = Literal.__getitem__(tuple(event.name for event in events))
    return (_audit_operation(), _events_operation(names))


def _audit_operation() -> Operation:
    filters = {
        "action": equals(AuditRow.action, text_type(60), "The operation, such as customers.update"),
        "actor": equals(AuditRow.actor, text_type(80), "Who acted, as the answers name it"),
        **_filters(AuditRow),
    }
    plan = ListPlan(AuditRow, tuple(getattr(AuditRow, name) for name in AuditView.model_fields), filters, ())

    def handle(call: Call) -> Page:
        page = _read(call, plan)
        return replace(page, items=[{**row, "id": str(row["id"])} for row in page.items])

    return Operation(
        id="audit.list",
        method="GET",
        path="/api/v2/audit",
        summary="List the audit trail",
        outcome="One page of the audit trail",
        description="Who did what in your tenant: creates, changes, deletions, approvals, exports, resets, and what "
        "the platform owner did or read here. Newest first. Reading leaves no trace, an export does.",
        permission="administration:read",
        handle=handle,
        query=query_schema("AuditQuery", filters, ORDER, searches=False, keeps_deletions=False),
        returns=AuditView,
        is_list=True,
        example=Page([AN_ACT], limit=20, page=1, total=1),
    )


def _events_operation(names: Any) -> Operation:
    filters = {"type": equals(Event.type, names, "The kind of event"), **_filters(Event)}
    shown = (Event.id, Event.public_id, Event.type, Event.subject, Event.payload, Event.created_at)
    plan = ListPlan(Event, shown, filters, ())

    def handle(call: Call) -> Page:
        page = _read(call, plan)
        items = [
            {name: row["payload" if name == "data" else name] for name in EventView.model_fields} for row in page.items
        ]
        return replace(page, items=items)

    return Operation(
        id="events.list",
        method="GET",
        path="/api/v2/events",
        summary="List events",
        outcome="One page of events",
        description="What your tenant announced, newest first, as webhooks carry it. A reset keeps it.",
        permission="integration:read",
        handle=handle,
        query=query_schema("EventQuery", filters, ORDER, searches=False, keeps_deletions=False),
        returns=EventView,
        is_list=True,
        example=Page([AN_EVENT], limit=20, page=1, total=1),
    )


def _read(call: Call, plan: ListPlan) -> Page:
    return Reader(call.session, plan, call.query, call.signer("cursor")).read()


def _filters(model: type[AuditRow] | type[Event]) -> dict[str, Filter]:
    return {
        "subject": equals(model.subject, PublicId, "Public id of what it is about"),
        "date_from": from_day_of(model.created_at, Date),
        "date_to": to_day_of(model.created_at, Date),
    }


CUSTOMER = "cus_b83f1d6a40c79e25d1806ca3"
AN_ACT = {
    "id": "3677148839374848",
    "actor": "key:4f9q2mZk3Tb8",
    "action": "customers.update",
    "subject": CUSTOMER,
    "changes": [
        {"table": "customers", "public_id": CUSTOMER, "verb": "changed", "fields": {"city": ["Mumbai", "Pune"]}}
    ],
    "request_id": "req_5f0d8c1b7a3e9d2460c8b1f7",
    "created_at": "2026-11-21T09:12:44Z",
}
AN_EVENT = {
    "public_id": "evt_0c7b5f3e91a84d62c0b7f15e",
    "type": "customer.deleted",
    "subject": CUSTOMER,
    "data": {"public_id": CUSTOMER},
    "created_at": "2026-11-21T09:12:44Z",
}
