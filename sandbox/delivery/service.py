"""What features ask of the engine: open an endpoint, post a message, hold, try again, discard."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import delete, select, update

from portal.core.errors import Conflict
from portal.core.ids import new_log_id
from portal.core.masking import mask_text
from portal.core.remedies import Remedy
from portal.core.session import TenantSession
from sandbox.delivery.models import Attempt, Closed, Delivery, Endpoint, Kind, Lane, Queued
from sandbox.delivery.queue import hold_all, put_in_queue, release_all, take_from_queue

AT_ONCE = 8
"""How many messages an endpoint is sent at a time."""
UNDELIVERED = ("pending", "held", "failed")
_LAST = "last delivery"


@dataclass(frozen=True)
class Message:
    """What is to be delivered. `id` stays the same in every attempt, and when it is sent again.

    `record_version` and `previous_id` as a Delivery has them.
    """

    id: str
    type: str
    url: str
    body: str
    subject: str | None = None
    trace: str = ""
    mapping_id: int | None = None
    record_version: int | None = None
    previous_id: str | None = None


class Recipient(Protocol):
    """An endpoint, or what a reader knows of one."""

    @property
    def id(self) -> Any: ...
    @property
    def kind(self) -> Any: ...
    @property
    def closed_as(self) -> Any: ...


def open_endpoint(session: TenantSession, kind: Kind, *, at_once: int = AT_ONCE, is_ordered: bool = False) -> Endpoint:
    """A new endpoint of the session's tenant. With `is_ordered` one message waits for the one before it."""
    endpoint = Endpoint(kind=kind)
    session.add(endpoint)
    session.flush()
    lane = Lane(tenant_id=session.owner_id, endpoint_id=endpoint.id, at_once=at_once, is_ordered=is_ordered)
    session.add(lane)
    return endpoint


def change_lane(session: TenantSession, endpoint_id: int, *, is_ordered: bool) -> None:
    """Keep the order of an endpoint's messages, or not, from now on."""
    lane = _lane(session, endpoint_id)
    if lane is not None:
        lane.is_ordered = is_ordered


def find_endpoint(session: TenantSession, endpoint_id: int, *, lock: bool = False) -> Endpoint | None:
    """One endpoint of the session's tenant."""
    statement = select(Endpoint).where(Endpoint.id == endpoint_id)
    return session.scalar(statement.with_for_update() if lock else statement)


def post(session: TenantSession, endpoint: Recipient, message: Message) -> Delivery:
    """Add a message to the session's transaction: queued, or held where its endpoint is closed."""
    delivery = _note(session, endpoint, message)
    if endpoint.closed_as is None:
        put_in_queue(session, delivery)
    return delivery


def post_failed(session: TenantSession, endpoint: Recipient, message: Message, reason: str) -> Delivery:
    """Add a message that cannot be sent as it is: it stands in the Failed Queue at once."""
    delivery = _note(session, endpoint, message)
    delivery.status, delivery.reason, delivery.ended_at = "failed", reason, delivery.created_at
    return delivery


def close_endpoint(session: TenantSession, endpoint: Endpoint, reason: Closed) -> None:
    """Send it nothing more until it is opened again: what waits is held, and so is what comes."""
    session.refresh(endpoint, with_for_update=True)
    endpoint.closed_as, endpoint.closed_at = reason, session.clock.now()
    hold_all(session, endpoint.id)


def reopen_endpoint(session: TenantSession, endpoint: Endpoint) -> int:
    """Send to it again, what was held first. Returns how many messages that were."""
    session.refresh(endpoint, with_for_update=True)
    endpoint.closed_as = endpoint.closed_at = endpoint.failing_since = None
    lane = _lane(session, endpoint.id)
    if lane is not None:
        lane.paused_until, lane.slowdowns = None, 0
    return release_all(session, endpoint.id)


def remove_endpoint(session: TenantSession, endpoint: Endpoint) -> None:
    """Take an endpoint away. Its log stays; what was not delivered yet is discarded."""
    session.refresh(endpoint, with_for_update=True)
    undelivered = update(Delivery).where(Delivery.endpoint_id == endpoint.id, Delivery.status.in_(UNDELIVERED))
    session.execute(undelivered.values(status="discarded", ended_at=session.clock.now()))
    session.execute(delete(Queued).where(Queued.tenant_id == session.owner_id, Queued.endpoint_id == endpoint.id))
    session.delete(endpoint)


def send_again(session: TenantSession, deliveries: Iterable[Delivery]) -> int:
    """Try ended deliveries afresh, under their ids; those under way are left alone. Returns how many it were.

    Raises Conflict where there is none left whose endpoint was not removed.
    """
    count, is_any_stray, known = 0, False, dict[int, Endpoint | None]()
    for delivery in deliveries:
        if delivery.status in ("pending", "held"):
            continue
        if delivery.endpoint_id not in known:
            known[delivery.endpoint_id] = find_endpoint(session, delivery.endpoint_id)
        endpoint = known[delivery.endpoint_id]
        if endpoint is None:
            is_any_stray = True
            continue
        delivery.status, delivery.ended_at, delivery.reason = "held", None, None
        if endpoint.closed_as is None:
            put_in_queue(session, delivery)
        count += 1
    if is_any_stray and not count:
        message = "The endpoint of this delivery was removed; there is nowhere to send it."
        raise Conflict(message, remedy=Remedy("state", "removed", "an endpoint"))
    return count


def discard(session: TenantSession, deliveries: Iterable[Delivery]) -> int:
    """Give up deliveries that did not get through. They stay in the log. Returns how many it were."""
    chosen = [delivery for delivery in deliveries if delivery.status not in ("delivered", "discarded")]
    for delivery in chosen:
        delivery.status, delivery.ended_at = "discarded", session.clock.now()
    session.flush()
    take_from_queue(session, [delivery.id for delivery in chosen])
    return len(chosen)


def list_attempts(session: TenantSession, delivery: Delivery) -> list[Attempt]:
    """Every attempt of a delivery, first to last."""
    return list(session.scalars(select(Attempt).where(Attempt.delivery_id == delivery.id).order_by(Attempt.number)))


def next_tries(session: TenantSession, delivery_ids: Iterable[int]) -> dict[int, Any]:
    """When each of these deliveries that waits is tried next, by the tenant's time."""
    rows = select(Queued.delivery_id, Queued.due_at).where(
        Queued.tenant_id == session.owner_id, Queued.delivery_id.in_(list(delivery_ids))
    )
    return {row[0]: session.clock.at(row[1]) for row in session.execute(rows)}


def _note(session: TenantSession, endpoint: Recipient, message: Message) -> Delivery:
    delivery = Delivery(
        id=_next_id(session),
        endpoint_id=endpoint.id,
        kind=endpoint.kind,
        message_id=message.id,
        type=message.type,
        subject=message.subject,
        trace=message.trace or session.trace,
        mapping_id=message.mapping_id,
        record_version=message.record_version,
        previous_id=message.previous_id,
        url=mask_text(message.url),
        body=message.body,
        status="held",
        attempts=0,
        created_at=session.clock.now(),
    )
    session.add(delivery)
    return delivery


def _lane(session: TenantSession, endpoint_id: int) -> Lane | None:
    return session.get(Lane, (session.owner_id, endpoint_id))


def _next_id(session: TenantSession) -> int:
    """A log id later than every one this session gave before, so that messages keep their order."""
    session.info[_LAST] = id_ = max(new_log_id(), session.info.get(_LAST, 0) + 1)
    return int(id_)
