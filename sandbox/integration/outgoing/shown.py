"""Sends as the API shows them: one line each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, get_args

from pydantic import Field
from sqlalchemy import select

from portal.api.schema import ApiModel, Instant
from portal.core.addresses import LEADS_INSIDE
from portal.core.session import TenantSession
from sandbox.delivery.models import Delivery
from sandbox.delivery.service import next_tries
from sandbox.integration.outgoing.delivering import is_tried_again
from sandbox.integration.outgoing.models import Connection

Status = Literal["pending", "held", "delivered", "failed", "discarded"]
STATUSES = get_args(Status)


class SendView(ApiModel):
    """One record on its way to a partner, or there; its instants are by the tenant's time."""

    public_id: str
    status: Status = Field(description="`held`: its connection is off; `failed`: it stands in the Failed Queue")
    mapping: str = Field(description="The mapping's slug")
    subject: str | None = Field(description="Public id of the record")
    connection_id: int | None = Field(description="None once the connection was deleted")
    url: str
    record_version: int | None = Field(
        description="Version of the record that is sent. Each version goes once to a connection by a mapping"
    )
    idempotency_key: str = Field(description="Sent as `Idempotency-Key`: the same in every attempt")
    previous_idempotency_key: str | None = Field(
        description="Key that this send had before its body was edited, or of the send before it if the same version "
        "was sent again"
    )
    attempts: int = Field(description="How many were made")
    answer_status: int | None = Field(description="The HTTP status of the last answer")
    retryable: bool | None = Field(
        description="Whether the last answer is one after which the message is sent again by itself; "
        "None before the first attempt, and of a success"
    )
    reason: str | None = Field(description="Why it did not get through")
    reference: str | None = Field(description="What the partner calls the record")
    trace: str = Field(description="The request that caused it")
    created_at: Instant
    attempted_at: Instant | None
    next_attempt_at: Instant | None
    ended_at: Instant | None


_PLAIN = tuple(name for name in SendView.model_fields if hasattr(Delivery, name))
COLUMNS = ("id", *_PLAIN, "endpoint_id", "type", "message_id", "previous_id")


def show_sends(session: TenantSession, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with the columns of COLUMNS as SendView shows them: two queries, however many rows there are."""
    known = list(rows)
    due = next_tries(session, [row["id"] for row in known])
    places = {row["endpoint_id"] for row in known}
    found = select(Connection.endpoint_id, Connection.id).where(Connection.endpoint_id.in_(places))
    connections = {row[0]: row[1] for row in session.execute(found)} if places else {}
    shown = (
        row
        | {
            "mapping": row["type"],
            "idempotency_key": row["message_id"],
            "previous_idempotency_key": row["previous_id"],
            "connection_id": connections.get(row["endpoint_id"]),
            "retryable": _is_retryable(row),
            "next_attempt_at": due.get(row["id"]),
        }
        for row in known
    )
    return [{name: row[name] for name in SendView.model_fields} for row in shown]


def show_send(session: TenantSession, delivery: Delivery) -> dict[str, Any]:
    """One send as SendView shows it."""
    return show_sends(session, [{name: getattr(delivery, name) for name in COLUMNS}])[0]


def _is_retryable(row: dict[str, Any]) -> bool | None:
    status, reason = row["answer_status"], row["reason"]
    if not row["attempts"] or reason is None or row["status"] == "delivered":
        return None
    return is_tried_again(status) and not (status is None and LEADS_INSIDE in reason)
