"""Sending: a record is composed at once, its body frozen, and posted; the workers deliver it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from portal.core.ids import new_public_id
from portal.core.session import TenantSession
from portal.core.store_errors import is_store_failure
from sandbox.delivery.models import Delivery
from sandbox.delivery.service import Message, Recipient, post, post_failed
from sandbox.integration.outgoing.composing import Composed, compose_body, without_body
from sandbox.integration.outgoing.connections import endpoint_of
from sandbox.integration.outgoing.models import Connection, OutgoingMapping
from sandbox.integration.outgoing.rows import lists_in
from sandbox.integration.outgoing.schedules import zone_of
from sandbox.integration.outgoing.sources import SOURCES
from sandbox.integration.outgoing.versions_sent import claim_versions

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

    @property
    def place(self) -> tuple[int, int]:
        """What a version is posted by and to: the mapping, the endpoint."""
        return self.mapping_id, self.endpoint.id


def outlet_of(session: TenantSession, mapping: OutgoingMapping) -> Outlet:
    """The outlet of a stored mapping."""
    connection = connection_of(session, mapping)
    endpoint = endpoint_of(session, connection)
    return Outlet(mapping.id, mapping.slug, mapping.source, mapping.rows, connection.url, endpoint)


def connection_of(session: TenantSession, mapping: OutgoingMapping) -> Connection:
    """The connection a mapping sends through."""
    return session.get_one(Connection, (session.owner_id, mapping.connection_id))


def send_records(
    session: TenantSession,
    outlet: Outlet,
    records: Sequence[Any],
    *,
    trace: str = "",
    afresh: bool = False,
    previous: str | None = None,
) -> list[Delivery]:
    """Post one message for each record whose present version was not posted to the same place before.

    Each goes under an idempotency key that stays the same ever after. With `afresh` a version is posted once more,
    under a key of its own; `previous` is the one before. A record that lacks what the mapping requires is not sent: it
    stands in the Failed Queue at once, with the reason.
    """
    session.flush()
    keys = {record.public_id: (record.version, new_public_id(KEY_PREFIX)) for record in records}
    won = claim_versions(session, outlet.place, keys, afresh=afresh)
    chosen = [record for record in records if record.public_id in won]
    bodies = compose_all(session, outlet, chosen) if chosen else {}
    usual = Message("", outlet.slug, outlet.url, "", None, trace, outlet.mapping_id, previous_id=previous)
    posted = []
    for record in (one for one in chosen if one.id in bodies):
        version, key = keys[record.public_id]
        message = replace(usual, id=key, subject=record.public_id, record_version=version)
        posted.append(_post(session, outlet, message, bodies[record.id]))
    return posted


def _post(session: TenantSession, outlet: Outlet, message: Message, composed: Composed) -> Delivery:
    message = replace(message, body=composed.text)
    if composed.reason is None:
        return post(session, outlet.endpoint, message)
    return post_failed(session, outlet.endpoint, message, composed.reason)


def compose_all(session: TenantSession, outlet: Outlet, records: Sequence[Any]) -> dict[int, Composed]:
    """What would be sent of some records, by their id. One that stumbles is told apart, and takes no other along."""
    try:
        facts = SOURCES[outlet.source].read(session, records, lists_in(outlet.rows))
        zone = zone_of(session)
        return {id_: compose_body(outlet.rows, known, zone) for id_, known in facts.items()}
    except Exception as error:
        if isinstance(error, SQLAlchemyError) or is_store_failure(error):
            raise
        if len(records) > 1:
            return {id_: one for record in records for id_, one in compose_all(session, outlet, [record]).items()}
        log.exception("%s cannot be composed by the mapping %s", records[0].public_id, outlet.slug)
        return {records[0].id: without_body(BROKEN)}
