"""The queue of deliveries: rows of the transaction that caused them, shared by any number of workers.

A worker claims rows under a lease. One that is killed loses nothing: its leases end and another takes over, so a
message may arrive twice, under the same id, and never not at all.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, delete, exists, func, insert, literal, not_, or_, select, true, tuple_, update
from sqlalchemy.orm import aliased

from portal.core.backlogs import Backlog
from portal.core.clock import system_now
from portal.core.database import Base, Database
from portal.core.leases import lease_transaction
from portal.core.processes import name_process
from portal.core.session import TenantSession
from portal.core.types import UtcDateTime
from sandbox.delivery.models import Delivery, Lane, Queued

LEASE = dt.timedelta(seconds=30)
"""Longer than an attempt may take, so that no two workers try the same delivery while both live."""
MOST_OF_A_TENANT = 16
"""How many messages of one tenant are under way, over all workers: its slow receivers hold up nobody else's."""
DELIVERIES = Backlog("deliveries", Queued.due_at, Queued.tenant_id, true())
QUEUE = Base.metadata.tables[Queued.__tablename__]
Place = tuple[int, int]
"""A tenant's key, and an endpoint's or a delivery's."""


@dataclass(frozen=True)
class Claim:
    """A delivery a worker may try until `until`, and by how many seconds the tenant's clock is ahead of its time."""

    tenant_id: int
    delivery_id: int
    ahead: int
    until: dt.datetime


def put_in_queue(session: TenantSession, delivery: Delivery, due_at: dt.datetime | None = None) -> None:
    """Let a delivery be tried from `due_at` on, else at once."""
    delivery.status, delivery.ended_at = "pending", None
    session.add(
        Queued(
            tenant_id=session.owner_id,
            delivery_id=delivery.id,
            endpoint_id=delivery.endpoint_id,
            due_at=due_at or system_now(),
        )
    )


def take_from_queue(session: TenantSession, delivery_ids: Iterable[int]) -> None:
    """Let deliveries of the session's tenant not be tried any more."""
    own = Queued.tenant_id == session.owner_id
    session.execute(delete(Queued).where(own, Queued.delivery_id.in_(list(delivery_ids))))


def hold_all(session: TenantSession, endpoint_id: int) -> None:
    """Hold what waits for an endpoint. What a worker has in hand comes through, or is held when it fails."""
    free = or_(Queued.leased_until.is_(None), Queued.leased_until < system_now())
    waiting = and_(Queued.tenant_id == session.owner_id, Queued.endpoint_id == endpoint_id, free)
    held = select(Queued.delivery_id).where(waiting)
    session.flush()
    session.execute(update(Delivery).where(Delivery.id.in_(held)).values(status="held"))
    session.execute(delete(Queued).where(waiting))


def release_all(session: TenantSession, endpoint_id: int) -> int:
    """Let go what was held for an endpoint, oldest first. Returns how many there were."""
    session.flush()
    is_held = and_(Delivery.endpoint_id == endpoint_id, Delivery.status == "held")
    nothing, now = literal(0), literal(system_now(), UtcDateTime())
    waiting = select(Delivery.tenant_id, Delivery.id, Delivery.endpoint_id, now, nothing, nothing).where(is_held)
    columns = ["tenant_id", "delivery_id", "endpoint_id", "due_at", "tries", "ahead"]
    own = waiting.where(Delivery.tenant_id == session.owner_id)
    session.execute(insert(Queued).from_select(columns, own))
    released: Any = session.execute(update(Delivery).where(is_held).values(status="pending", ended_at=None))
    return int(released.rowcount)


def shift_queue(session: TenantSession, seconds: int) -> None:
    """Move what waits for the session's tenant as its clock moves on: due so much earlier by the machine's time."""
    now = system_now()
    for row in session.scalars(select(Queued).where(Queued.tenant_id == session.owner_id, Queued.due_at > now)):
        row.due_at -= dt.timedelta(seconds=seconds)
        row.ahead += max(0, int((now - row.due_at).total_seconds()))
    for lane in session.scalars(select(Lane).where(Lane.tenant_id == session.owner_id, Lane.paused_until > now)):
        if lane.paused_until is not None:
            lane.paused_until -= dt.timedelta(seconds=seconds)
    session.flush()


def is_anything_due(database: Database) -> bool:
    """True where a delivery could be claimed now. Takes no lock."""
    now = system_now()
    with database.transaction(write=False) as session:
        full = _at_their_share(_under_way(session, now))
        return session.execute(_due(now, _full_lanes(session, now), full, 1)).first() is not None


def claim(database: Database, lease: str, limit: int, length: dt.timedelta = LEASE) -> list[Claim]:
    """Take up to `limit` deliveries that are due, for `length`."""
    now = system_now()
    until = now + length
    with lease_transaction(database, QUEUE, until) as session:
        chosen = _choose(session, limit, now)
        keys = [(row.tenant_id, row.delivery_id) for row in chosen]
        taken = update(Queued).where(tuple_(Queued.tenant_id, Queued.delivery_id).in_(keys))
        held = taken.values(lease=lease, leased_until=until, holder=name_process())
        session.execute(held.execution_options(synchronize_session=False))
        return [Claim(row.tenant_id, row.delivery_id, row.ahead, until) for row in chosen]


def _choose(session: TenantSession, limit: int, now: dt.datetime) -> list[Queued]:
    """What is due, longest first. A lane that waits with more than it takes at once does not hold up the others."""
    chosen: list[Queued] = []
    seen, taken = _full_lanes(session, now), _under_way(session, now)
    while len(chosen) < limit:
        room = limit - len(chosen)
        found = session.scalars(
            _due(now, seen, _at_their_share(taken), room).with_for_update(of=Queued, skip_locked=True)
        ).all()
        chosen += _within_tenants(_within_lanes(session, found, now), taken)
        seen += {(row.tenant_id, row.endpoint_id) for row in found}
        if len(found) < room:
            break
    return chosen


def _due(now: dt.datetime, full: list[Place], full_tenants: list[int], limit: int) -> Select[Any]:
    """What may be tried now: free, its lane neither full nor paused, its tenant not at its share, and first in a lane
    that keeps order."""
    earlier = aliased(Queued)
    is_behind = exists().where(
        earlier.tenant_id == Queued.tenant_id,
        earlier.endpoint_id == Queued.endpoint_id,
        earlier.delivery_id < Queued.delivery_id,
    )
    same = and_(Lane.tenant_id == Queued.tenant_id, Lane.endpoint_id == Queued.endpoint_id)
    due = (
        select(Queued)
        .join(Lane, same)
        .where(
            Queued.due_at <= now,
            or_(Queued.leased_until.is_(None), Queued.leased_until < now),
            or_(Lane.paused_until.is_(None), Lane.paused_until <= now),
            or_(not_(Lane.is_ordered), not_(is_behind)),
        )
    )
    if full:
        due = due.where(tuple_(Queued.tenant_id, Queued.endpoint_id).not_in(full))
    if full_tenants:
        due = due.where(Queued.tenant_id.not_in(full_tenants))
    return due.order_by(Queued.due_at, Queued.delivery_id).limit(limit)


def _under_way(session: TenantSession, now: dt.datetime) -> Counter[int]:
    """How many deliveries of each tenant workers have in hand."""
    counted = select(Queued.tenant_id, func.count()).where(Queued.leased_until >= now).group_by(Queued.tenant_id)
    return Counter({row[0]: row[1] for row in session.execute(counted)})


def _at_their_share(taken: Counter[int]) -> list[int]:
    return [tenant_id for tenant_id, count in taken.items() if count >= MOST_OF_A_TENANT]


def _within_tenants(due: list[Queued], taken: Counter[int]) -> list[Queued]:
    """As many of each tenant as its share allows besides what is `taken`, to which they are added."""
    within = []
    for row in due:
        if taken[row.tenant_id] < MOST_OF_A_TENANT:
            taken[row.tenant_id] += 1
            within.append(row)
    return within


def _full_lanes(session: TenantSession, now: dt.datetime) -> list[Place]:
    same = and_(Lane.tenant_id == Queued.tenant_id, Lane.endpoint_id == Queued.endpoint_id)
    busy = (
        select(Lane.tenant_id, Lane.endpoint_id)
        .join(Queued, same)
        .where(Queued.leased_until >= now)
        .group_by(Lane.tenant_id, Lane.endpoint_id, Lane.at_once)
        .having(func.count() >= Lane.at_once)
    )
    return [(row[0], row[1]) for row in session.execute(busy)]


def _within_lanes(session: TenantSession, due: Sequence[Queued], now: dt.datetime) -> list[Queued]:
    """As many of each lane as it takes besides what is under way. Lanes another worker is at are left to it."""
    places = sorted({(row.tenant_id, row.endpoint_id) for row in due})
    if not places:
        return []
    lanes = select(Lane).where(tuple_(Lane.tenant_id, Lane.endpoint_id).in_(places))
    locked = session.scalars(lanes.with_for_update(skip_locked=True))
    room = Counter({(lane.tenant_id, lane.endpoint_id): 1 if lane.is_ordered else lane.at_once for lane in locked})
    under_way = (
        select(Queued.tenant_id, Queued.endpoint_id, func.count())
        .where(tuple_(Queued.tenant_id, Queued.endpoint_id).in_(places), Queued.leased_until >= now)
        .group_by(Queued.tenant_id, Queued.endpoint_id)
    )
    for tenant_id, endpoint_id, count in session.execute(under_way):
        room[tenant_id, endpoint_id] -= count
    chosen = []
    for row in due:
        place = (row.tenant_id, row.endpoint_id)
        if room[place] > 0:
            room[place] -= 1
            chosen.append(row)
    return chosen
