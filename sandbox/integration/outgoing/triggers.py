"""Mappings that an event triggers: the record is composed and posted in the transaction that causes the event."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import select, true

from portal.api.records import find_record
from portal.core.errors import NotFound
from portal.core.events import Event, on_event
from portal.core.ownership import table_of
from portal.core.prepared import scoped
from portal.core.session import TenantSession
from sandbox.delivery.models import Endpoint
from sandbox.integration.outgoing.models import Connection, OutgoingMapping
from sandbox.integration.outgoing.sending import Outlet, send_records
from sandbox.integration.outgoing.sources import SOURCES
from sandbox.integration.outgoing.versions_sent import is_new_version

_KNOWN = "triggered mappings"


class Place(NamedTuple):
    """What is known of an endpoint."""

    id: int
    kind: str
    closed_as: str | None


class Triggered(NamedTuple):
    """A mapping that events trigger, and where it leads."""

    outlet: Outlet
    events: list[str]


_mappings, _connections, _endpoints = (table_of(model).c for model in (OutgoingMapping, Connection, Endpoint))
_ACTIVE = scoped(
    select(
        *(_mappings[name] for name in ("id", "slug", "source", "rows", "events")),
        _connections.url,
        *(_endpoints[name] for name in ("id", "kind", "closed_as")),
    ).where(
        _mappings.active == true(),
        _mappings.connection_id == _connections.id,
        _connections.endpoint_id == _endpoints.id,
    )
)


@on_event
def send_by_event(session: TenantSession, event: Event) -> None:
    """Send the record an event is about through every mapping that the event triggers.

    Its version is the one that the transaction gives it. An event that leaves the record as it was, such as a further
    inquiry of a lead, is news of its own and goes out each time.
    """
    wanted = [item.outlet for item in _triggered(session) if event.type in item.events]
    if not wanted or event.subject is None:
        return
    session.flush()
    try:
        record = find_record(session, SOURCES[wanted[0].source].resource.model, event.subject)
    except NotFound:
        return
    is_news = not is_new_version(session, record)
    for outlet in wanted:
        send_records(session, outlet, [record], trace=event.trace or "", afresh=is_news)


def forget_triggered(session: TenantSession) -> None:
    """Read them afresh at the next event: the transaction at hand has changed them."""
    session.info.pop(_KNOWN, None)


def _triggered(session: TenantSession) -> list[Triggered]:
    """Every mapping of the session's tenant that events trigger, read once in a transaction."""
    known = session.info.get(_KNOWN)
    if known is None or known[0] is not session.get_transaction():
        with session.fetching() as fetch:
            rows = [_read(row) for row in fetch(_ACTIVE, {})]
        sending = [row for row in rows if row.events and row.outlet.rows]
        known = session.info[_KNOWN] = (session.get_transaction(), sending)
    found: list[Triggered] = known[1]
    return found


def _read(row: list[Any]) -> Triggered:
    id_, slug, source, rows, events, url, *place = row
    return Triggered(Outlet(id_, slug, source, rows, url, Place(*place)), events)
