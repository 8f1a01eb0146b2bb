"""How a send becomes a request, and what the partner's answer means (contract section 7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sqlalchemy import select

from portal.core.outgoing import OutgoingAnswer, OutgoingRequest
from portal.core.session import TenantSession
from sandbox.delivery.kinds import KindOfDelivery, Parcel, Verdict
from sandbox.delivery.models import Closed, Delivery, Endpoint
from sandbox.delivery.schedule import GONE, OVERWHELMED
from sandbox.integration.closing import switch_off
from sandbox.integration.outgoing.failed import why_not_again
from sandbox.integration.outgoing.headers import open_headers
from sandbox.integration.outgoing.models import Connection
from sandbox.integration.outgoing.paths import read_answer, value_at

SHORTEST_SECRET = 6
IDEMPOTENCY_KEY = "Idempotency-Key"
_STAYS = {"User-Agent": "Slipway-Send/1", "Accept": "application/json"}
_RETRYABLE = frozenset({408, 425, 429})
LONGEST_REFERENCE = 200
LONGEST_QUOTE = 80


def compose(session: TenantSession, deliveries: list[Delivery]) -> dict[int, Parcel]:
    """Requests to the addresses the connections have now, with the partner's credentials."""
    places = {delivery.endpoint_id for delivery in deliveries}
    found = session.scalars(select(Connection).where(Connection.endpoint_id.in_(places))) if places else ()
    connections = {connection.endpoint_id: connection for connection in found}
    return {
        delivery.id: _pack(connections[delivery.endpoint_id], delivery)
        for delivery in deliveries
        if delivery.endpoint_id in connections
    }


def _pack(connection: Connection, delivery: Delivery) -> Parcel:
    own = open_headers(connection.headers, connection.secrets)
    given = {name.lower() for name in own}
    usual = {name: value for name, value in _STAYS.items() if name.lower() not in given}
    ours = {"Content-Type": "application/json", IDEMPOTENCY_KEY: delivery.message_id}
    request = OutgoingRequest(
        method=connection.method,
        url=connection.url,
        headers=usual | own | ours,
        body=delivery.body.encode(),
        timeout=connection.timeout,
    )
    hidden = frozenset(one["name"].lower() for one in connection.headers if one["secret"])
    return Parcel(request, hidden, _telling_parts(value for name, value in own.items() if name.lower() in hidden))


def _telling_parts(values: Iterable[str]) -> tuple[str, ...]:
    """The secrets as a partner might send them back: whole, or without a word such as Bearer before them.

    The longest come first, as one may hold another. What is shorter than SHORTEST_SECRET is found in any text.
    """
    parts = {part for value in values for part in (value, *value.split()[1:]) if len(part) >= SHORTEST_SECRET}
    return tuple(sorted(parts, key=lambda part: (-len(part), part)))


def judge(session: TenantSession, delivery: Delivery, answer: OutgoingAnswer) -> Verdict:
    """A success by the connection's response rules; else 408, 425, 429 and 5xx are tried again, nothing else is.

    429, 502 and 504 ask for less, 410 for nothing more.
    """
    connection = session.scalar(select(Connection).where(Connection.endpoint_id == delivery.endpoint_id))
    if connection is None:
        return Verdict(False, "The connection was deleted", is_retryable=False)
    status, document = answer.status, read_answer(answer.body)
    hide = _pack(connection, delivery).hide
    reference = _reference_in(connection, document, hide)
    wanted = connection.success_statuses
    if status in wanted or (not wanted and 200 <= status < 300):
        fault = _broken_rule(connection, document, hide)
        return Verdict(fault is None, fault, is_retryable=False, reference=reference)
    reason = f"Answered {status}"
    if 300 <= status < 400:
        reason += "; redirects are not followed, so enter the address it points to"
    return Verdict(
        False,
        reason,
        is_retryable=is_tried_again(status),
        is_gone=status == GONE,
        is_overwhelmed=status in OVERWHELMED,
        reference=reference,
    )


def is_tried_again(status: int | None) -> bool:
    """True for answers after which the same message is sent again by itself; None stands for no answer."""
    return status is None or status in _RETRYABLE or status >= 500


def tell_closed(session: TenantSession, endpoint: Endpoint, reason: Closed) -> None:
    """Switch the connection off and tell its owner."""
    connection = session.scalar(select(Connection).where(Connection.endpoint_id == endpoint.id))
    if connection is not None:
        switch_off(session, connection, reason)


def _reference_in(connection: Connection, document: object, hide: Callable[[str], str]) -> str | None:
    found = value_at(document, connection.reference_path) if connection.reference_path else None
    return None if found is None else hide(found)[:LONGEST_REFERENCE]


def _broken_rule(connection: Connection, document: object, hide: Callable[[str], str]) -> str | None:
    if connection.status_path is None:
        return None
    found = value_at(document, connection.status_path)
    if found == connection.status_equals:
        return None
    said = "nothing" if found is None else repr(hide(found)[:LONGEST_QUOTE])
    return f"Answered with {said} at {connection.status_path}, where {connection.status_equals!r} means success"


SENDS = KindOfDelivery(compose, judge, tell_closed, why_not_again)
