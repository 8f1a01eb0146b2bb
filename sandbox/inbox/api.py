"""The inbox as operations: what arrived, where, and how it is answered next (contract section 8)."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field, StringConstraints
from sqlalchemy import select

from portal.api.lists import QueryReference, equals, from_day_of, query_schema, refers_to, to_day_of
from portal.api.operation import Call, Done, Operation, Page
from portal.api.paging import ListPlan, Reader
from portal.api.records import find_record, find_reference
from portal.api.resource import Deleted
from portal.api.schema import ApiModel, Date
from portal.core.errors import NotFound, ValidationFailed
from portal.core.ids import PUBLIC_ID
from portal.core.session import TenantSession
from sandbox.inbox.arrivals import MOST_MESSAGES
from sandbox.inbox.examples import EXAMPLES, PLAN, SAMPLE_ID
from sandbox.inbox.models import InboxAddress, InboxAnswer, InboxMessage, Verdict
from sandbox.inbox.schemas import (
    AddressBody,
    AddressView,
    AnswerBody,
    AnswerView,
    ClearedView,
    MessageView,
    WholeMessageView,
)
from sandbox.inbox.service import (
    DEFAULT_NAME,
    MOST_ADDRESSES,
    add_address,
    clear_messages,
    first_address,
    plan_answer,
    url_of,
)
from sandbox.rehearsal.operations import sandbox_operation

WebhookId = Annotated[str, StringConstraints(pattern="^[!-~]{1,64}$")]


def _find_address(session: TenantSession, reference: Any) -> InboxAddress:
    return find_reference(session, InboxAddress, reference, "address")


FILTERS = {
    "address": refers_to(InboxMessage.address_id, _find_address),
    "verdict": equals(InboxMessage.verdict, Verdict, "On the signature"),
    "webhook_id": equals(InboxMessage.webhook_id, WebhookId, "The header webhook-id"),
    "date_from": from_day_of(InboxMessage.received_at, Date),
    "date_to": to_day_of(InboxMessage.received_at, Date),
}
_MESSAGE_COLUMNS = ("address_id", *(name for name in MessageView.model_fields if name != "address"), "id")
_ANSWER_COLUMNS = ("address_id", *(name for name in AnswerView.model_fields if name != "address"))
_ADDRESS_COLUMNS = ("token", *(name for name in AddressView.model_fields if name != "url"))
MESSAGES = ListPlan(InboxMessage, tuple(getattr(InboxMessage, name) for name in _MESSAGE_COLUMNS), FILTERS, ())
ANSWERS = ListPlan(InboxAnswer, tuple(getattr(InboxAnswer, name) for name in _ANSWER_COLUMNS), {}, ())
ADDRESSES = ListPlan(InboxAddress, tuple(getattr(InboxAddress, name) for name in _ADDRESS_COLUMNS), {}, ())


class ClearQuery(ApiModel):
    """Which messages to forget."""

    address: QueryReference | None = Field(None, description="Only those of this address, by its id or public id")


def _read_page(call: Call, plan: ListPlan, view: type[ApiModel]) -> Page:
    page = Reader(call.session, plan, call.query, call.signer("cursor")).read()
    base_url = call.settings.base_url
    return replace(page, items=[_show(row, view, base_url) for row in page.items])


def _show(row: dict[str, Any], view: type[ApiModel], base_url: str) -> dict[str, Any]:
    """A row as a view has it: an address by its number, and its token as the whole URL."""
    known = row | {"address": row.get("address_id"), "url": url_of(base_url, row.get("token", ""))}
    return {name: known[name] for name in view.model_fields}


def _show_record(call: Call, record: Any, names: tuple[str, ...], view: type[ApiModel]) -> dict[str, Any]:
    return _show({name: getattr(record, name) for name in names}, view, call.settings.base_url)


def _find_message(call: Call) -> InboxMessage:
    reference = call.path["id"]
    known = PUBLIC_ID.fullmatch(reference)
    found = call.session.scalar(select(InboxMessage).where(InboxMessage.public_id == reference)) if known else None
    if found is None:
        raise NotFound
    return found


def _read_message(call: Call) -> dict[str, Any]:
    message = call.record
    headers = [{"name": name, "value": value} for name, value in message.headers]
    shown = _show_record(call, message, _MESSAGE_COLUMNS, MessageView)
    return shown | {"headers": headers, "body": message.body, "is_cut": message.is_cut}


def _clear(call: Call) -> Done:
    named = call.query.address
    address = None if named is None else _find_address(call.session, named)
    return Done({"removed": clear_messages(call.session, address)})


def _add_address(call: Call) -> Done:
    address = add_address(call.session, call.body.name)
    shown = _show_record(call, address, _ADDRESS_COLUMNS, AddressView)
    return Done(shown, {"Location": f"{call.operation.path}/{address.id}"})


def _plan(call: Call) -> Done:
    body: AnswerBody = call.body
    named = body.address
    address = first_address(call.session) if named is None else _find_address(call.session, named)
    if address is None:
        raise ValidationFailed({"address": "Your sandbox has no receiving address. Add one first"})
    planned = plan_answer(call.session, address, body.model_dump(exclude={"address"}))
    shown = _show_record(call, planned, _ANSWER_COLUMNS, AnswerView)
    return Done(shown, {"Location": f"{call.operation.path}/{planned.id}"})


def _delete(call: Call) -> Done:
    data = {"id": call.record.id, "public_id": call.record.public_id}
    call.session.delete(call.record)
    return Done(data)


def _operation(name: str, method: str, path: str, **details: Any) -> Operation:
    return sandbox_operation(name, method, path, example=EXAMPLES[name], **details)


OPERATIONS: tuple[Operation, ...] = (
    _operation(
        "list_inbox_addresses",
        "GET",
        "inbox/addresses",
        summary="List receiving addresses",
        outcome="One page of receiving addresses",
        description="Where your sandbox receives: register one as a webhook, or as a partner's address, and see what "
        f"arrives. A new sandbox has one, named {DEFAULT_NAME}.",
        handle=lambda call: _read_page(call, ADDRESSES, AddressView),
        query=query_schema("InboxAddressQuery", {}, ("id", "name", "created_at"), searches=False, keeps_deletions=True),
        returns=AddressView,
        is_list=True,
    ),
    _operation(
        "add_inbox_address",
        "POST",
        "inbox/addresses",
        summary="Add a receiving address",
        outcome="Receiving address added",
        description="Makes an address that nobody can guess; whoever is told it may send there. A sandbox has "
        f"{MOST_ADDRESSES} at most. A reset leaves them alone.",
        handle=_add_address,
        body=AddressBody,
        returns=AddressView,
        status=201,
        sample={"name": "Ledger"},
    ),
    _operation(
        "plan_inbox_answer",
        "POST",
        "inbox/answers",
        summary="Plan answers",
        outcome="Answers planned",
        description="Says how the next arrivals at an address are answered, so that you can watch retries without a "
        "server of your own. Several plans for one address are used one after the other; then it answers 200 again. A "
        "reset takes all of them back. Where an answer is to wait and too many calls wait already, the sender is "
        "answered 429 and the plan stays.",
        handle=_plan,
        body=AnswerBody,
        returns=AnswerView,
        status=201,
        sample=PLAN,
    ),
    _operation(
        "list_inbox_answers",
        "GET",
        "inbox/answers",
        summary="List planned answers",
        outcome="The answers that wait",
        description="What is planned for the arrivals to come, in the order in which it will be used.",
        handle=lambda call: _read_page(call, ANSWERS, AnswerView),
        query=query_schema("InboxAnswerQuery", {}, ("id", "created_at"), searches=False, keeps_deletions=True),
        returns=AnswerView,
        is_list=True,
    ),
    _operation(
        "take_back_inbox_answer",
        "DELETE",
        "inbox/answers/{id}",
        summary="Take planned answers back",
        outcome="Planned answers taken back",
        description="What has arrived already keeps the answer it was given.",
        find=lambda call: find_record(call.session, InboxAnswer, call.path["id"], lock=True),
        handle=_delete,
        returns=Deleted,
        sample_path={"id": 1},
    ),
    _operation(
        "list_inbox",
        "GET",
        "inbox",
        summary="List messages",
        outcome="One page of messages",
        description="What arrived at your receiving addresses, newest first, with a verdict on its signature and how "
        f"it was answered. The newest {MOST_MESSAGES:,} are kept; a reset leaves them alone.",
        handle=lambda call: _read_page(call, MESSAGES, MessageView),
        query=query_schema("InboxQuery", FILTERS, ("-id",), searches=False, keeps_deletions=False),
        returns=MessageView,
        is_list=True,
    ),
    _operation(
        "read_inbox_message",
        "GET",
        "inbox/{id}",
        summary="Read a message",
        outcome="The message",
        description="Headers and body as they arrived. Secrets are masked.",
        find=_find_message,
        handle=_read_message,
        returns=WholeMessageView,
        sample_path={"id": SAMPLE_ID},
    ),
    _operation(
        "clear_inbox",
        "DELETE",
        "inbox",
        summary="Clear the inbox",
        outcome="Inbox cleared",
        description="Forgets what arrived, at one address or at all of them. Addresses and planned answers stay.",
        handle=_clear,
        query=ClearQuery,
        returns=ClearedView,
    ),
    _operation(
        "delete_inbox_address",
        "DELETE",
        "inbox/addresses/{id}",
        summary="Delete a receiving address",
        outcome="Receiving address deleted",
        description="Forgets what arrived there and what was planned. What is sent there from now on is answered 404.",
        find=lambda call: find_record(call.session, InboxAddress, call.path["id"], lock=True),
        handle=_delete,
        returns=Deleted,
        sample_path={"id": 1},
    ),
)
