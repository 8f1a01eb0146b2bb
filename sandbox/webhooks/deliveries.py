"""Deliveries as readers see them: one line each, or whole with every attempt."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import defer

from portal.api.schema import ApiModel, Instant
from portal.core.ids import PUBLIC_ID
from portal.core.session import TenantSession
from sandbox.delivery.models import Attempt, Delivery
from sandbox.delivery.outcomes import KEPT
from sandbox.delivery.service import list_attempts, next_tries
from sandbox.webhooks.models import Webhook

Kind = Literal["webhook", "send"]
Status = Literal["pending", "held", "delivered", "failed", "discarded"]


class DeliveryView(ApiModel):
    """One message to one address; its instants are by the tenant's time."""

    public_id: str
    kind: Kind
    status: Status = Field(description="`held`: its address is not active; `failed`: given up, in the Failed Queue")
    type: str = Field(description="The event, or the mapping of a send")
    subject: str | None = Field(description="Public id of the record it is about")
    trace: str = Field(description="The request that caused it")
    message_id: str = Field(description="The `webhook-id`, or the send's idempotency key: the same in every attempt")
    webhook_id: int | None = Field(description="None once the webhook was deleted, and for sends")
    url: str
    attempts: int = Field(description="How many were made")
    answer_status: int | None = Field(description="The HTTP status of the last answer")
    reason: str | None = Field(description="Why the last attempt did not get through")
    reference: str | None = Field(description="What the partner calls the record")
    created_at: Instant
    attempted_at: Instant | None
    next_attempt_at: Instant | None
    ended_at: Instant | None


class AttemptHeader(ApiModel):
    """One header of an attempt."""

    name: str
    value: str


class AttemptView(ApiModel):
    """One attempt: what was sent, secrets masked, and what came back."""

    number: int
    made_at: Instant
    duration_ms: Decimal = Field(json_schema_extra={"type": "number", "minimum": 0})
    url: str
    request_headers: list[AttemptHeader]
    request_body: str = Field(description=f"The first {KEPT} bytes")
    answer_status: int | None
    answer_headers: list[AttemptHeader]
    answer_body: str = Field(description=f"The first {KEPT} bytes")
    failure: str | None = Field(description="Why it did not get through; None where it did")


class WholeDeliveryView(DeliveryView):
    """A delivery with its message and every attempt, first to last."""

    body: str = Field(description="The message as it is sent")
    history: list[AttemptView]


_STORED = tuple(name for name in DeliveryView.model_fields if name in Delivery.__table__.c)
COLUMNS = (*_STORED, "endpoint_id", "id")
"""What a list of deliveries has to read for `show_deliveries`."""


def show_deliveries(session: TenantSession, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of COLUMNS as DeliveryView shows them, with the webhook of each and its next attempt."""
    known = list(rows)
    webhooks = _webhook_ids(session, {row["endpoint_id"] for row in known})
    due = next_tries(session, [row["id"] for row in known])
    shown = (
        row | {"webhook_id": webhooks.get(row["endpoint_id"]), "next_attempt_at": due.get(row["id"])} for row in known
    )
    return [{name: row[name] for name in DeliveryView.model_fields} for row in shown]


def show_delivery(session: TenantSession, delivery: Delivery) -> dict[str, Any]:
    """One delivery as DeliveryView shows it."""
    return show_deliveries(session, [{name: getattr(delivery, name) for name in COLUMNS}])[0]


def show_whole(session: TenantSession, delivery: Delivery) -> dict[str, Any]:
    """One delivery as WholeDeliveryView shows it."""
    history = [_show_attempt(attempt) for attempt in list_attempts(session, delivery)]
    return show_delivery(session, delivery) | {"body": delivery.body, "history": history}


def list_log(
    session: TenantSession,
    *,
    endpoint_id: int | None = None,
    status: str | None = None,
    type_: str | None = None,
    before: Delivery | None = None,
    limit: int = 50,
) -> list[Delivery]:
    """The latest messages to webhooks, newest first; older ones than `before` where it is given."""
    wanted = select(Delivery).where(Delivery.kind == "webhook").order_by(Delivery.id.desc()).limit(limit)
    given = ((Delivery.endpoint_id, endpoint_id), (Delivery.status, status), (Delivery.type, type_))
    for column, value in given:
        if value is not None:
            wanted = wanted.where(column == value)
    if before is not None:
        wanted = wanted.where(Delivery.id < before.id)
    return list(session.scalars(wanted.options(defer(Delivery.body))))


@dataclass(frozen=True)
class Line:
    """A delivery as a line of the log, with its webhook, None once that is deleted, and its next attempt."""

    delivery: Delivery
    webhook: Webhook | None
    next_attempt_at: dt.datetime | None


def show_log(session: TenantSession, deliveries: Collection[Delivery]) -> list[Line]:
    """Deliveries as lines of the log, with two queries for all."""
    places = {delivery.endpoint_id for delivery in deliveries}
    found = session.scalars(select(Webhook).where(Webhook.endpoint_id.in_(places))) if places else ()
    webhooks = {webhook.endpoint_id: webhook for webhook in found}
    due = next_tries(session, [delivery.id for delivery in deliveries]) if places else {}
    return [Line(each, webhooks.get(each.endpoint_id), due.get(each.id)) for each in deliveries]


def find_deliveries(session: TenantSession, public_ids: Collection[str]) -> list[Delivery]:
    """Those of the messages to webhooks that are the tenant's, oldest first, locked."""
    known = [public_id for public_id in public_ids if PUBLIC_ID.fullmatch(public_id)]
    chosen = (Delivery.kind == "webhook", Delivery.public_id.in_(known))
    return list(session.scalars(select(Delivery).where(*chosen).order_by(Delivery.id).with_for_update()))


def list_failed(session: TenantSession, *, limit: int) -> list[Delivery]:
    """Messages to webhooks that failed, oldest first."""
    failed = (Delivery.kind == "webhook", Delivery.status == "failed")
    return list(session.scalars(select(Delivery).where(*failed).order_by(Delivery.id).limit(limit)))


def _show_attempt(attempt: Attempt) -> dict[str, Any]:
    shown = {name: getattr(attempt, name, None) for name in AttemptView.model_fields}
    return shown | {
        "duration_ms": Decimal(attempt.duration) / 1000,
        "request_headers": _show_headers(attempt.request_headers),
        "answer_headers": _show_headers(attempt.answer_headers),
    }


def _show_headers(headers: list[list[str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]


def _webhook_ids(session: TenantSession, endpoints: set[int]) -> dict[int, int]:
    if not endpoints:
        return {}
    found = select(Webhook.endpoint_id, Webhook.id).where(Webhook.endpoint_id.in_(endpoints))
    return {row[0]: row[1] for row in session.execute(found)}
