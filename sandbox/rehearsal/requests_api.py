"""The log of calls as operations: which there were, and one of them whole."""

from __future__ import annotations

import operator
import re
from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints
from pydantic import WithJsonSchema as JsonSchema
from sqlalchemy import or_

from portal.api.exchanges import BODY_KEPT, Exchange, find_exchange
from portal.api.lists import Filter, equals, query_schema
from portal.api.operation import Call, Operation, Page
from portal.api.paging import ListPlan, Reader
from portal.api.schema import ApiModel, Instant, Moment, refuse
from portal.core.errors import NotFound
from sandbox.rehearsal.operations import sandbox_operation
from sandbox.rehearsal.scenarios import HEADER

_STATUS = re.compile(r"[1-5](?:[0-9]{2}|xx)", re.ASCII)
_REQUEST_ID = "^[A-Za-z0-9_-]{1,64}$"


def _parse_status(value: Any) -> int:
    """A status, or the first digit of a class."""
    if isinstance(value, str) and _STATUS.fullmatch(value):
        return int(value.removesuffix("xx"))
    raise refuse("{label} must be a status such as 404, or a class such as 4xx")


def _is_of(column: Any, value: Any) -> Any:
    """The status itself, or one of its class: no class is a status, and no status a class."""
    return or_(column == value, column.between(value * 100, value * 100 + 99))


Status = Annotated[
    int, BeforeValidator(_parse_status), JsonSchema({"type": "string", "pattern": "^[1-5]([0-9]{2}|xx)$"})
]
RequestId = Annotated[str, StringConstraints(pattern=_REQUEST_ID)]
Word = Annotated[str, StringConstraints(pattern="^[a-z0-9_.-]{1,60}$")]
Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
Source = Literal["api", "console"]
FILTERS = {
    "operation": equals(Exchange.operation, Word, "The operation, such as customers.create"),
    "status": Filter(Status, Exchange.status, _is_of, description="A status such as 404, or a class such as 4xx"),
    "method": equals(Exchange.method, Method),
    "request_id": equals(Exchange.request_id, RequestId, "As the answer's X-Request-Id has it"),
    "code": equals(Exchange.code, Word, "The code of a refusal"),
    "source": equals(Exchange.source, Source, "Programs, or the console"),
    "since": Filter(Moment, Exchange.created_at, operator.ge, description="First instant, included; in real time"),
}
NAMES = ("request_id", "operation", "method", "path", "status", "code", "key_id", "role", "source")
COLUMNS = (*NAMES, "duration", "created_at", "response_headers", "id")
PLAN = ListPlan(Exchange, tuple(getattr(Exchange, name) for name in COLUMNS), FILTERS, ())


class RequestView(ApiModel):
    """One call, in real time."""

    request_id: str
    operation: str
    method: str
    path: str = Field(description="Path and query")
    status: int
    code: str | None = Field(description="The code of a refusal")
    scenario: str | None = Field(description="The outcome that was asked for")
    key_id: str | None
    role: str | None
    source: Source
    duration_ms: Decimal = Field(json_schema_extra={"type": "number", "minimum": 0})
    created_at: Instant


class HeaderView(ApiModel):
    """One header."""

    name: str
    value: str


class WholeRequestView(RequestView):
    """One call with what was sent and answered; secrets are masked."""

    request_headers: list[HeaderView]
    request_body: str = Field(description=f"The first {BODY_KEPT} bytes")
    response_headers: list[HeaderView]
    response_body: str = Field(description=f"The first {BODY_KEPT} bytes")


def _list(call: Call) -> Page:
    page = Reader(call.session, PLAN, call.query, call.signer("cursor")).read()
    return replace(page, items=[_show(row) for row in page.items])


def _find(call: Call) -> Exchange:
    request_id = call.path["request_id"]
    found = find_exchange(call.session, request_id) if re.fullmatch(_REQUEST_ID, request_id, re.ASCII) else None
    if found is None:
        raise NotFound
    return found


def _read(call: Call) -> dict[str, Any]:
    logged = call.record
    return _show({name: getattr(logged, name) for name in COLUMNS}) | {
        "request_headers": _show_headers(logged.request_headers),
        "request_body": logged.request_body,
        "response_headers": _show_headers(logged.response_headers),
        "response_body": logged.response_body,
    }


def _show_headers(headers: list[list[str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]


def _show(row: dict[str, Any]) -> dict[str, Any]:
    scenario = next((value for name, value in row["response_headers"] if name == HEADER), None)
    shown = row | {"scenario": scenario, "duration_ms": Decimal(row["duration"]) / 1000}
    return {name: shown[name] for name in RequestView.model_fields}


SAMPLE_ID = "req_5f0d8c1b7a3e9d2460c8b1f7"
EXAMPLE: dict[str, Any] = {
    "request_id": SAMPLE_ID,
    "operation": "customers.read",
    "method": "GET",
    "path": "/api/v2/customers/999999",
    "status": 404,
    "code": "not_found",
    "scenario": None,
    "key_id": "4f9q2mZk3Tb8",
    "role": "administrator",
    "source": "api",
    "duration_ms": Decimal("4.812"),
    "created_at": "2026-11-21T09:12:44Z",
}
WHOLE = {
    "request_headers": _show_headers([["Authorization", "••••"], ["Accept", "*/*"]]),
    "request_body": "",
    "response_headers": _show_headers([["Content-Type", "application/json"], ["X-Request-Id", SAMPLE_ID]]),
    "response_body": '{"success":false,"message":"No such resource.","code":"not_found"}',
}
OPERATIONS: tuple[Operation, ...] = (
    sandbox_operation(
        "list_requests",
        "GET",
        "requests",
        summary="List requests",
        outcome="One page of requests",
        description="The calls that were made to your sandbox, newest first, refused ones included. Calls without a "
        "usable credential belong to no tenant and are in no log. A reset keeps the log.",
        handle=_list,
        query=query_schema("RequestQuery", FILTERS, ("-id",), searches=False, keeps_deletions=False),
        returns=RequestView,
        is_list=True,
        example=Page([EXAMPLE], limit=20, page=1, total=1),
    ),
    sandbox_operation(
        "read_request",
        "GET",
        "requests/{request_id}",
        summary="Read a request",
        outcome="The request",
        description="What was sent and what was answered, headers and bodies. Secrets are masked. Where several "
        "requests came with one id of their own, the latest.",
        find=_find,
        handle=_read,
        returns=WholeRequestView,
        sample_path={"request_id": SAMPLE_ID},
        example=EXAMPLE | WHOLE,
    ),
)
