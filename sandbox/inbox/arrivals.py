"""Taking in what arrives at an address, and saying how to answer (contract section 8)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Select, delete, select

from portal.core.clock import Clock
from portal.core.ids import new_public_id
from portal.core.masking import mask_headers, mask_text, storable
from portal.core.ownership import table_of
from portal.core.session import TenantSession
from portal.tenancy.models import Tenant
from portal.tenancy.service import has_expired
from sandbox.inbox.models import InboxAddress, InboxAnswer, InboxMessage
from sandbox.inbox.signatures import judge_signature
from sandbox.webhooks.service import secrets_for_url

# An hour of a busy rehearsal; the oldest make room.
MOST_MESSAGES = 1_000
BODY_KEPT = 65_536
BUSY_STATUS = 429
_TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")


@dataclass(frozen=True)
class Place:
    """Where something arrives."""

    tenant_id: int
    address_id: int
    public_id: str
    clock: Clock


@dataclass(frozen=True)
class Arrival:
    """What arrived: `path` with its query, headers in their order, the whole body."""

    method: str
    path: str
    headers: Sequence[tuple[str, str]]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """How an arrival is answered, `delay_ms` later; without a `status` the answer is dropped."""

    message_id: str
    status: int | None = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_ms: int = 0


def find_place(session: TenantSession, token: str) -> Place | None:
    """Where a token leads, the session bound to its tenant; None for an unknown one, and once its sandbox ended."""
    if not _TOKEN.fullmatch(token):
        return None
    addresses = table_of(InboxAddress)
    wanted = select(addresses.c.tenant_id, addresses.c.id, addresses.c.public_id).where(addresses.c.token == token)
    row = session.connection().execute(wanted).first()
    tenant = None if row is None else session.get(Tenant, row.tenant_id)
    if row is None or tenant is None or has_expired(tenant) or not tenant.is_sandbox:
        return None
    session.bind_tenant(tenant.id, tenant.clock)
    return Place(tenant.id, row.id, row.public_id, tenant.clock)


def waits_next(session: TenantSession, place: Place) -> bool:
    """True where the next arrival is to be kept waiting."""
    planned = session.scalar(_next_planned(place.address_id))
    return planned is not None and planned.delay_ms > 0


def take_in(session: TenantSession, place: Place, arrival: Arrival, *, url: str, can_wait: bool) -> Reply:
    """Keep what arrived, use up a planned answer, and say how to answer.

    Where the answer is to wait and nobody can, the sender is asked to come again, and the plan stays as it is.
    """
    planned = _take_planned(session, place, can_wait=can_wait)
    reply = Reply(new_public_id(InboxMessage.public_prefix))
    if planned is not None:
        status = None if planned.behaviour == "drop" else planned.status
        reply = Reply(reply.message_id, status, planned.headers, planned.delay_ms)
        if planned.delay_ms and not can_wait:
            reply = Reply(reply.message_id, BUSY_STATUS, {"Retry-After": "1"})
    session.add(_describe(session, place, arrival, reply, url))
    session.flush()
    _drop_oldest(session)
    return reply


def _take_planned(session: TenantSession, place: Place, *, can_wait: bool) -> InboxAnswer | None:
    """The planned answer whose turn it is, one use of it taken; arrivals at one address take turns."""
    wanted = _next_planned(place.address_id)
    if session.scalar(wanted) is None:
        return None
    session.execute(select(InboxAddress.id).where(InboxAddress.id == place.address_id).with_for_update())
    planned = session.scalar(wanted.with_for_update().execution_options(populate_existing=True))
    if planned is None or (planned.delay_ms and not can_wait):
        return planned
    planned.used += 1
    if planned.used >= planned.times:
        session.delete(planned)
    return planned


def _next_planned(address_id: int) -> Select[InboxAnswer]:
    return select(InboxAnswer).where(InboxAnswer.address_id == address_id).order_by(InboxAnswer.id).limit(1)


def _describe(session: TenantSession, place: Place, arrival: Arrival, reply: Reply, url: str) -> InboxMessage:
    headers = {name.lower(): value for name, value in arrival.headers}
    known = secrets_for_url(session, url) if "webhook-signature" in headers else []
    kept = arrival.body[:BODY_KEPT]
    return InboxMessage(
        public_id=reply.message_id,
        address_id=place.address_id,
        method=arrival.method,
        path=storable(mask_text(arrival.path))[:2_000],
        headers=mask_headers(arrival.headers),
        body=storable(mask_text(kept.decode("utf-8", "replace"))),
        size=len(arrival.body),
        is_cut=len(arrival.body) > len(kept),
        verdict=judge_signature(headers, arrival.body, known),
        webhook_id=storable(headers["webhook-id"])[:64] if headers.get("webhook-id") else None,
        answer_status=reply.status,
        delay_ms=reply.delay_ms,
        received_at=session.clock.now(),
    )


def _drop_oldest(session: TenantSession) -> None:
    first_too_many = select(InboxMessage.id).order_by(InboxMessage.id.desc()).offset(MOST_MESSAGES).limit(1)
    last = session.scalar(first_too_many)
    if last is not None:
        older = delete(InboxMessage).where(InboxMessage.id <= last)
        session.execute(older.execution_options(synchronize_session=False))
