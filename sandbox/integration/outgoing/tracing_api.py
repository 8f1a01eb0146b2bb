"""Reading a trace as an operation."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from portal.api.operation import Call, Operation
from portal.api.schema import ApiModel, Instant
from sandbox.integration.outgoing.examples import TRACE
from sandbox.integration.outgoing.tracing import MOST_SHOWN, read_trace
from sandbox.rehearsal.requests_api import SAMPLE_ID


class TracedCall(ApiModel):
    """A request of this id, and how it was answered."""

    operation: str
    method: str
    path: str
    status: int
    code: str | None
    created_at: Instant


class TracedMessage(ApiModel):
    """What an external system sent."""

    public_id: str
    mapping: str
    version: int
    record_count: int
    outcome: str
    http_status: int
    summary: str = Field(description="Ids of the records, codes and messages")
    received_at: Instant


class TracedRecord(ApiModel):
    """A record that was written."""

    table: str
    public_id: str
    verb: str = Field(description="`created`, `changed` or `removed`")


class TracedEvent(ApiModel):
    """An event that followed."""

    public_id: str
    type: str
    subject: str | None
    created_at: Instant


class TracedAttempt(ApiModel):
    """One attempt of a delivery."""

    number: int
    made_at: Instant
    answer_status: int | None
    failure: str | None


class TracedDelivery(ApiModel):
    """A message to a webhook or a partner, with its attempts."""

    public_id: str
    kind: str
    type: str = Field(description="The event, or the mapping's slug")
    subject: str | None
    status: str
    reason: str | None
    reference: str | None
    created_at: Instant
    ended_at: Instant | None
    attempts: list[TracedAttempt]


class TraceView(ApiModel):
    """What came of one request, in the order in which it happened."""

    request_id: str
    calls: list[TracedCall] = Field(description="The requests of this id; yours may repeat")
    incoming: list[TracedMessage]
    records: list[TracedRecord]
    events: list[TracedEvent]
    deliveries: list[TracedDelivery]


def _read(call: Call) -> dict[str, Any]:
    return read_trace(call.session, call.path["request_id"])


OPERATIONS = (
    Operation(
        id="traces.read",
        method="GET",
        path="/api/v2/integration/traces/{request_id}",
        summary="Read a trace",
        outcome="The trace",
        description="One request from its arrival to the last delivery: what an external system sent, the records that "
        "were written, the events that followed, and each message with its attempts. Of each kind the first "
        f"{MOST_SHOWN}.",
        permission="integration:read",
        handle=_read,
        returns=TraceView,
        headers={"path:request_id": "The request's id, its X-Request-Id"},
        sample_path={"request_id": SAMPLE_ID},
        example=TRACE,
    ),
)
