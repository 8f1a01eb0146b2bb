"""Sending: a record is composed at once, its body frozen, and posted; the workers deliver it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from portal.core.errors import Conflict
from portal.core.ids import new_public_id
from portal.core.remedies import Remedy
from portal.core.session import TenantSession
from sandbox.delivery.models import Delivery
from sandbox.delivery.service import Message, Recipient, post, post_failed
from sandbox.integration.outgoing.composing import Composed, compose_body, without_body
from sandbox.integration.outgoing.connections import endpoint_of
from sandbox.integration.outgoing.models import Connection, OutgoingMapping
from sandbox.integration.outgoing.schedules import zone_of
from sandbox.integration.outgoing.sources import SOURCES

log = logging.getLogger("slipway.outgoing")

KEY_PREFIX = "snd"
BROKEN = "The message could not be composed from the record"


@dataclass(frozen=True)
class Outlet:
    """A mapping as sending needs it: what to compose, and the endpoint it goes to."""

    mapping_id: int
    slug: str
    source: str
    rows: list[dict[str, Any]]
    url: str
    endpoint: Recipient


def outlet_of(session: TenantSession, mapping: OutgoingMapping) -> Outlet:
    """The outlet of a stored mapping."""
    connection = connection_of(session, mapping)
    endpoint = endpoint_of(session, connection)
    return Outlet(mapping.id, mapping.slug, mapping.source, mapping.rows, connection.url, endpoint)


def connection_of(session: TenantSession, mapping: OutgoingMapping) -> Connection:
    """The connection a mapping sends through."""
    return session.get_one(Connection, (session.owner_id, mapping.connection_id))


def send_records(session: TenantSession, outlet: Outlet, records: Sequence[Any], *, trace: str = "") -> list[Delivery]:
    """Post one message for each record, under an idempotency key that stays the same ever after.

    One that lacks what the mapping requires is not sent: it stands in the Failed Queue at once, with the reason.
    """
    bodies = compose_all(session, outlet, records)
    posted = []
    for record in records:
        if record.id not in bodies:
            continue
        composed = bodies[record.id]
        message = Message(
            id=new_public_id(KEY_PREFIX),
            type=outlet.slug,
            url=outlet.url,
            body=composed.text,
            subject=record.public_id,
            trace=trace,
            mapping_id=outlet.mapping_id,
        )
        reason = composed.reason
        posted.append(
            post(session, outlet.endpoint, message)
            if reason is None
            else post_failed(session, outlet.endpoint, message, reason)
        )
    return posted


def send_by_hand(session: TenantSession, mapping: OutgoingMapping, record: Any) -> Delivery:
    """Send one record as somebody asked. Raises Conflict for a mapping that may not be sent so, or is switched off."""
    if not mapping.active:
        message = f"The mapping {mapping.slug} is switched off. Switch it on, then repeat."
        raise Conflict(message, remedy=Remedy("state", "off", "active"))
    if not mapping.manual:
        message = f"The mapping {mapping.slug} is not sent by hand. Set manual on it, then repeat."
        raise Conflict(message, remedy=Remedy("state", "not manual", "manual"))
    (delivery,) = send_records(session, outlet_of(session, mapping), [record])
    return delivery


def compose_all(session: TenantSession, outlet: Outlet, records: Sequence[Any]) -> dict[int, Composed]:
    """What would be sent of some records, by their id. One that stumbles is told apart, and takes no other along."""
    try:
        facts = SOURCES[outlet.source].read(session, records)
        zone = zone_of(session)
        return {id_: compose_body(outlet.rows, known, zone) for id_, known in facts.items()}
    except SQLAlchemyError:
        raise
    except Exception:
        if len(records) > 1:
            return {id_: one for record in records for id_, one in compose_all(session, outlet, [record]).items()}
        log.exception("%s cannot be composed by the mapping %s", records[0].public_id, outlet.slug)
        return {records[0].id: without_body(BROKEN)}
