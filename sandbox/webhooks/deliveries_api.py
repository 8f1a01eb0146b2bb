"""Deliveries as operations: the log of whatever leaves a tenant, and another try (contract section 7)."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from pydantic import StringConstraints

from portal.api.history import PublicId
from portal.api.lists import Filter, QueryReference, equals, from_day_of, query_schema, to_day_of
from portal.api.operation import Call, Done, Handler, Operation, Page
from portal.api.paging import ListPlan, Reader
from portal.api.records import find_record, find_reference
from portal.api.schema import ApiModel, Date
from portal.core.errors import Conflict
from portal.core.remedies import Remedy
from portal.core.session import TenantSession
from sandbox.delivery.kinds import KINDS
from sandbox.delivery.models import Delivery
from sandbox.delivery.service import discard, send_again
from sandbox.webhooks.deliveries import (
    COLUMNS,
    DeliveryView,
    Kind,
    Status,
    WholeDeliveryView,
    show_deliveries,
    show_delivery,
    show_whole,
)
from sandbox.webhooks.examples import EXAMPLES
from sandbox.webhooks.models import Webhook

PATH = "/api/v2/deliveries"
SAMPLE_ID = "dlv_7c01f4b82e6da953b0c4e71f"
Word = Annotated[str, StringConstraints(pattern="^[a-z0-9_.-]{1,60}$")]
Token = Annotated[str, StringConstraints(pattern="^[A-Za-z0-9_.-]{1,64}$")]


def _endpoint_of(session: TenantSession, reference: Any) -> int:
    return find_reference(session, Webhook, reference, "webhook_id").endpoint_id


FILTERS = {
    "webhook_id": Filter(
        QueryReference, Delivery.endpoint_id, resolve=_endpoint_of, description="The webhook's id or public id"
    ),
    "kind": equals(Delivery.kind, Kind, "Messages to webhooks, or sends to a partner"),
    "status": equals(Delivery.status, Status),
    "type": equals(Delivery.type, Word, "The event, such as invoice.paid, or the mapping of a send"),
    "subject": equals(Delivery.subject, PublicId, "Public id of what it is about"),
    "trace": equals(Delivery.trace, Token, "The id of the request that caused it"),
    "message_id": equals(Delivery.message_id, Token, "The webhook-id, or a send's idempotency key"),
    "date_from": from_day_of(Delivery.created_at, Date),
    "date_to": to_day_of(Delivery.created_at, Date),
}
PLAN = ListPlan(Delivery, tuple(getattr(Delivery, name) for name in COLUMNS), FILTERS, ())


def _list(call: Call) -> Page:
    page = Reader(call.session, PLAN, call.query, call.signer("cursor")).read()
    return replace(page, items=show_deliveries(call.session, page.items))


def _find(call: Call) -> Delivery:
    return find_record(call.session, Delivery, call.path["id"], lock=call.operation.writes)


def _act(call: Call) -> Done:
    """The answer to an action on a delivery, whose record is no part of the trail by itself."""
    call.session.flush()
    call.subject = call.record.public_id
    return Done(show_delivery(call.session, call.record))


def _resend(call: Call) -> Done:
    has_ended = call.record.status not in ("pending", "held")
    reason = KINDS[call.record.kind].why_not_again(call.session, call.record) if has_ended else None
    if reason is not None:
        raise Conflict(f"This delivery cannot be sent again: {reason}.", remedy=Remedy("state", call.record.status))
    if not send_again(call.session, [call.record]):
        message = "This delivery is still under way. Discard it first, or wait until it ended."
        raise Conflict(message, remedy=Remedy("state", call.record.status, ["delivered", "failed", "discarded"]))
    return _act(call)


def _discard(call: Call) -> Done:
    if not discard(call.session, [call.record]):
        message = f"This delivery is {call.record.status} already; there is nothing to discard."
        raise Conflict(message, remedy=Remedy("state", call.record.status, ["pending", "held", "failed"]))
    return _act(call)


def _operation(
    verb: str, method: str, path: str, *, handle: Handler, returns: type[ApiModel] = DeliveryView, **details: Any
) -> Operation:
    is_one = "{id}" in path
    return Operation(
        id=f"deliveries.{verb}",
        method=method,
        path=f"{PATH}{path}",
        permission=f"integration:{'read' if method == 'GET' else 'write'}",
        find=_find if is_one else None,
        handle=handle,
        returns=returns,
        sample_path={"id": SAMPLE_ID} if is_one else {},
        example=EXAMPLES[f"deliveries.{verb}"],
        **details,
    )


OPERATIONS = (
    _operation(
        "list",
        "GET",
        "",
        summary="List deliveries",
        outcome="One page of deliveries",
        description="What was sent from your tenant, or waits to be: messages to webhooks and sends to partners, "
        "newest first. A reset keeps the log.",
        handle=_list,
        query=query_schema("DeliveryQuery", FILTERS, ("-id", "created_at"), searches=False, keeps_deletions=False),
        is_list=True,
    ),
    _operation(
        "read",
        "GET",
        "/{id}",
        summary="Read a delivery",
        outcome="The delivery",
        description="The message, every attempt with its headers and the answer, and when the next one is made. "
        "Secrets are masked.",
        handle=lambda call: show_whole(call.session, call.record),
        returns=WholeDeliveryView,
    ),
    _operation(
        "resend",
        "POST",
        "/{id}/resend",
        summary="Send a delivery again",
        outcome="Delivery sent again",
        description="Begins the attempts afresh, under the same id, for a delivery that was delivered, failed or "
        "discarded. Where its address is not active it is held. A send is refused as the Failed Queue refuses it.",
        handle=_resend,
        codes=("conflict",),
    ),
    _operation(
        "discard",
        "POST",
        "/{id}/discard",
        summary="Discard a delivery",
        outcome="Delivery discarded",
        description="Gives up a delivery that did not get through. It stays in the log and can be sent again.",
        handle=_discard,
        codes=("conflict",),
    ),
)
