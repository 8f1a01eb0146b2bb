"""The outgoing log and the Failed Queue as operations (contract section 7)."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from flask import Response
from pydantic import ConfigDict, Field

from portal.api.history import PublicId
from portal.api.operation import Call, Done, Handler, Operation, Page
from portal.api.records import find_record
from portal.api.schema import ApiModel, Date, rule
from portal.core.errors import NotFound, ValidationFailed
from portal.core.session import TenantSession
from sandbox.delivery.models import Delivery
from sandbox.integration.outgoing.examples import EXAMPLES, FAILED_SAMPLE, SAMPLE_SEND
from sandbox.integration.outgoing.failed import (
    EDITED,
    LONGEST_BODY,
    MOST_AT_ONCE,
    Filter,
    Retried,
    choose_failed,
    edit_body,
    give_up,
    match_failed,
    retry,
)
from sandbox.integration.outgoing.logs import (
    EXPORT_NAME,
    MOST_EXPORTED,
    QUEUE_FILTERS,
    LogQuery,
    export_log,
    log_query,
    read_log,
)
from sandbox.integration.outgoing.mappings import Slug
from sandbox.integration.outgoing.shown import SendView, show_send
from sandbox.reports.sheet import as_download
from sandbox.webhooks.deliveries import AttemptView, show_whole

LOGS = "/api/v2/integration/outgoing-logs"
FAILED = "/api/v2/integration/failed"
JSON_OBJECT = rule("the text of a JSON object")
_ONE_OF = rule("either ids or filter")


class WholeSendView(SendView):
    """A send with its body and every attempt, first to last."""

    body: str = Field(description="The body as it is sent")
    history: list[AttemptView]


class FailedFilter(ApiModel):
    """Which ones of the Failed Queue; all where nothing is said."""

    mapping: Slug | None = Field(None, description="Slug of the mapping")
    date_from: Date | None = Field(None, description="First day in the tenant's time zone, included")
    date_to: Date | None = Field(None, description="Last day in the tenant's time zone, included")


class FailedChoice(ApiModel):
    """Which ones, one by one or by filter: one of the two."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    ids: Annotated[list[PublicId], Field(min_length=1, max_length=MOST_AT_ONCE)] | None = Field(
        None, description="Public ids", json_schema_extra=rule("sends of yours; either ids or filter")
    )
    filter: FailedFilter | None = Field(
        None,
        description=f"`{{}}` for all; the oldest {MOST_AT_ONCE} in one call",
        json_schema_extra=_ONE_OF,
    )


class RefusedView(ApiModel):
    """One that stays in the Failed Queue, and why."""

    public_id: str
    reason: str


class RetriedView(ApiModel):
    """What became of those that were chosen."""

    matched: int = Field(description="How many were found in the Failed Queue")
    done: int = Field(description="How many left it")
    refused: list[RefusedView]


class EditBody(ApiModel):
    """Another body in place of the one that failed."""

    body: Annotated[str, Field(min_length=2, max_length=LONGEST_BODY)] = Field(
        description="The JSON object to send, as text, so that numbers stay as they are written",
        json_schema_extra=JSON_OBJECT,
    )
    retry: bool = Field(False, description="Send it at once", json_schema_extra=rule("only what is complete"))


def find_send(session: TenantSession, reference: str, *, lock: bool = False) -> Delivery:
    """The send with this public id. Raises NotFound."""
    delivery = find_record(session, Delivery, reference, lock=lock)
    if delivery.kind != "send":
        raise NotFound
    return delivery


def show_whole_send(session: TenantSession, delivery: Delivery) -> dict[str, Any]:
    """One send as WholeSendView shows it."""
    whole = show_whole(session, delivery)
    return show_send(session, delivery) | {"body": whole["body"], "history": whole["history"]}


def _find(call: Call) -> Delivery:
    return find_send(call.session, call.path["id"], lock=call.operation.writes)


def _list_log(call: Call) -> Page | Response:
    signer = call.signer("cursor")
    if call.query.format == "json":
        return read_log(call.session, call.query, signer)
    return as_download(export_log(call.session, call.query, signer), EXPORT_NAME)


def _list_failed(call: Call) -> Page:
    return read_log(call.session, call.query, call.signer("cursor"), status="failed")


def _read(call: Call) -> dict[str, Any]:
    return show_whole_send(call.session, call.record)


def _edit(call: Call) -> Done:
    call.has_changed = edit_body(call.session, call.record, call.body.body) or call.body.retry
    if call.body.retry:
        result = retry(call.session, [call.record], is_edited=True)
        if result.refused:
            raise ValidationFailed({"retry": result.refused[0].reason})
    call.session.flush()
    call.subject = call.record.public_id
    return Done(show_whole_send(call.session, call.record))


def _in_bulk(act: Any) -> Handler:
    def handle(call: Call) -> Done:
        result: Retried = act(call.session, _chosen(call))
        refused = [{"public_id": one.public_id, "reason": one.reason} for one in result.refused]
        remark = f"{len(refused)} of {result.matched} stay in the Failed Queue; see the reasons." if refused else ""
        return Done({"matched": result.matched, "done": result.done, "refused": refused}, remark=remark)

    return handle


def _chosen(call: Call) -> list[Delivery]:
    body: FailedChoice = call.body
    if (body.ids is None) == (body.filter is None):
        raise ValidationFailed(dict.fromkeys(("ids", "filter"), "Give either ids or filter"))
    if body.ids is not None:
        return choose_failed(call.session, body.ids)
    assert body.filter is not None
    return match_failed(call.session, Filter(**body.filter.model_dump()))


def _operation(id_: str, method: str, path: str, **details: Any) -> Operation:
    return Operation(
        id=id_,
        method=method,
        path=path,
        permission=f"integration:{'read' if method == 'GET' else 'write'}",
        find=_find if "{id}" in path else None,
        sample_path={"id": SAMPLE_SEND} if "{id}" in path else {},
        headers={"path:id": "The send's public id"} if "{id}" in path else {},
        **details,
    )


OPERATIONS = tuple(
    replace(operation, example=EXAMPLES[operation.id])
    for operation in (
        _operation(
            "outgoing-logs.list",
            "GET",
            LOGS,
            summary="List what was sent",
            outcome="One page of the outgoing log",
            description="What was sent to partners, or waits to be, newest first. `search` looks into mapping, "
            "subject, reference, idempotency key, trace and body. With `format=csv` the answer is a file of the first "
            f"{MOST_EXPORTED} lines, and the audit trail keeps the export. A reset keeps the log.",
            handle=_list_log,
            query=LogQuery,
            returns=SendView,
            is_list=True,
            also_answers=("text/csv",),
            exports_when={"format": "csv"},
        ),
        _operation(
            "outgoing-logs.read",
            "GET",
            f"{LOGS}/{{id}}",
            summary="Read a send",
            outcome="The send",
            description="The body, and every attempt with its headers and the answer. Secrets are masked.",
            handle=_read,
            returns=WholeSendView,
        ),
        _operation(
            "failed.list",
            "GET",
            FAILED,
            summary="List the Failed Queue",
            outcome="One page of the Failed Queue",
            description="Sends that were refused for good, were tried to the end, or lack what their mapping requires. "
            "They wait here until somebody retries or discards them.",
            handle=_list_failed,
            query=log_query("FailedQuery", QUEUE_FILTERS),
            returns=SendView,
            is_list=True,
        ),
        _operation(
            EDITED,
            "PATCH",
            f"{FAILED}/{{id}}",
            summary="Edit a failed send",
            outcome="Send saved",
            description="Puts another body in place of the one that failed; with `retry` it is sent at once. A "
            "body that differs gets a new idempotency key, linked to the previous one, because the partner may know "
            "the previous key with the previous body.",
            handle=_edit,
            body=EditBody,
            returns=WholeSendView,
            codes=("conflict",),
            sample=FAILED_SAMPLE,
        ),
        _operation(
            "failed.retry",
            "POST",
            f"{FAILED}/retry",
            summary="Retry failed sends",
            outcome="Sent again",
            description="Begins the attempts afresh, under the idempotency keys that the sends have. A send that never "
            "went out is composed anew from its record, unless its body was edited. What is still wrong stays, with "
            "the reason, and so does a send whose version of the record another send carries.",
            handle=_in_bulk(retry),
            body=FailedChoice,
            returns=RetriedView,
            sample={"filter": {"mapping": "invoice-to-project-portal"}},
        ),
        _operation(
            "failed.discard",
            "POST",
            f"{FAILED}/discard",
            summary="Discard failed sends",
            outcome="Discarded",
            description="Takes sends out of the Failed Queue for good. They stay in the log.",
            handle=_in_bulk(give_up),
            body=FailedChoice,
            returns=RetriedView,
            sample={"filter": {}},
        ),
    )
)
