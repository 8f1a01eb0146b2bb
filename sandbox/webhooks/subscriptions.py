"""Which webhooks an event concerns: it is posted to them in the transaction that causes it."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import select

from portal.api.answers import encode
from portal.core.events import Event, on_event
from portal.core.ownership import table_of
from portal.core.prepared import scoped
from portal.core.session import TenantSession
from sandbox.delivery.models import Endpoint
from sandbox.delivery.service import Message, post
from sandbox.webhooks.models import Webhook

EVERYTHING = "*"
_KNOWN = "webhooks"


class Subscriber(NamedTuple):
    """A webhook, and the endpoint behind it."""

    webhook_id: int
    url: str
    events: list[str]
    id: int
    kind: str
    closed_as: str | None


_hooks, _endpoints = table_of(Webhook).c, table_of(Endpoint).c
_SUBSCRIBERS = scoped(
    select(_hooks.id, _hooks.url, _hooks.events, _endpoints.id, _endpoints.kind, _endpoints.closed_as).where(
        _hooks.endpoint_id == _endpoints.id
    )
)


def wants(names: list[str], type_: str) -> bool:
    """True where a subscription to `names` includes the event: by its name, its family (`customer.*`), or all."""
    return EVERYTHING in names or type_ in names or f"{type_.partition('.')[0]}.*" in names


def message_of(event: Event, url: str) -> Message:
    """The event as a webhook carries it: type, instant, data. Its id is the event's, whoever receives it."""
    return Message(
        id=event.public_id,
        type=event.type,
        url=url,
        body=payload_of(event.type, event.created_at, event.payload),
        subject=event.subject,
        trace=event.trace or "",
    )


def payload_of(type_: str, at: Any, data: dict[str, Any]) -> str:
    """The body of a message, as the API document's webhooks section describes it."""
    return encode({"type": type_, "timestamp": at, "data": data}).decode()


@on_event
def tell_webhooks(session: TenantSession, event: Event) -> None:
    """Post the event to every webhook that wants it."""
    for subscriber in _subscribers(session):
        if wants(subscriber.events, event.type):
            post(session, subscriber, message_of(event, subscriber.url))


def forget_subscribers(session: TenantSession) -> None:
    """Read them afresh at the next event: the transaction at hand has changed them."""
    session.info.pop(_KNOWN, None)


def _subscribers(session: TenantSession) -> list[Subscriber]:
    """Every webhook of the session's tenant, read once in a transaction."""
    known = session.info.get(_KNOWN)
    if known is None or known[0] is not session.get_transaction():
        with session.fetching() as fetch:
            rows = [Subscriber(*row) for row in fetch(_SUBSCRIBERS, {})]
        known = session.info[_KNOWN] = (session.get_transaction(), rows)
    found: list[Subscriber] = known[1]
    return found
