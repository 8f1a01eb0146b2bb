"""The log of what came in, as operations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from portal.api.lists import equals, from_day_of, query_schema, to_day_of
from portal.api.operation import Call, Operation, Page
from portal.api.paging import ListPlan, Reader
from portal.api.schema import ApiModel, Date, Instant
from sandbox.integration.incoming.log import find_message
from sandbox.integration.incoming.models import IncomingMessage
from sandbox.integration.incoming.texts import Slug

PATH = "/api/v2/integration/incoming-logs"
Overall = Literal["SUCCESS", "FAILED", "DUPLICATE", "MIXED"]


class IncomingLogLine(ApiModel):
    """One call in the list."""

    public_id: str
    request_id: str
    mapping: str
    version: int = Field(description="The number of the mapping's version")
    key_id: str | None
    received_at: Instant
    record_count: int
    outcome: Overall = Field(description="Of all records; MIXED where they differ")
    http_status: int
    duration: int = Field(description="In microseconds")


class IncomingLogOutcome(ApiModel):
    """What became of one record."""

    outcome: Literal["SUCCESS", "FAILED", "DUPLICATE"]
    happening: Literal["created", "updated", "skipped", "duplicate", "failed", "error"]
    code: str | SkipJsonSchema[None] = None
    message: str | SkipJsonSchema[None] = None
    record_id: str | SkipJsonSchema[None] = None
    record_public_id: str | SkipJsonSchema[None] = None


class IncomingLogView(IncomingLogLine):
    """One call: what came, and what became of each record."""

    body: str = Field(description="As it was sent, secrets masked; cut where it was long")
    is_whole: bool = Field(description="False where the body was cut")
    outcomes: list[IncomingLogOutcome]


FILTERS = {
    "outcome": equals(IncomingMessage.outcome, Overall),
    "mapping": equals(IncomingMessage.mapping, Slug, "The mapping's slug"),
    "date_from": from_day_of(IncomingMessage.received_at, Date),
    "date_to": to_day_of(IncomingMessage.received_at, Date),
}
SEARCHES = (IncomingMessage.request_id, IncomingMessage.mapping, IncomingMessage.summary, IncomingMessage.body)
_COLUMNS = (IncomingMessage.id, *(getattr(IncomingMessage, name) for name in IncomingLogLine.model_fields))
_PLAN = ListPlan(IncomingMessage, _COLUMNS, FILTERS, SEARCHES)


def _list(call: Call) -> Page:
    page = Reader(call.session, _PLAN, call.query, call.signer("cursor")).read()
    shown: list[dict[str, Any]] = [{name: row[name] for name in IncomingLogLine.model_fields} for row in page.items]
    return replace(page, items=shown)


def _find(call: Call) -> IncomingMessage:
    return find_message(call.session, call.path["id"])


def _read(call: Call) -> dict[str, Any]:
    return {name: getattr(call.record, name) for name in IncomingLogView.model_fields}


OPERATIONS = (
    Operation(
        id="incoming-logs.list",
        method="GET",
        path=PATH,
        summary="List what came in",
        outcome="One page of calls",
        description="The calls that brought records, newest first. Dry runs are not among them. The newest 5,000 are "
        "kept, through a reset too.",
        permission="integration:read",
        handle=_list,
        query=query_schema("IncomingLogQuery", FILTERS, ("-id", "received_at"), searches=True, keeps_deletions=False),
        returns=IncomingLogLine,
        is_list=True,
    ),
    Operation(
        id="incoming-logs.read",
        method="GET",
        path=f"{PATH}/{{id}}",
        summary="Read what came in",
        outcome="The call",
        description="What one call brought, secrets masked, and what became of each record.",
        permission="integration:read",
        find=_find,
        handle=_read,
        returns=IncomingLogView,
        shows_record=True,
        sample_path={"id": "req_5f0d8c1b7a3e9d2460c8b1f7"},
        headers={"path:id": "The public id of the entry, or the request's id"},
    ),
)
