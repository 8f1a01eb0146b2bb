"""Snapshots: what a sandbox holds, kept under a name, and brought back as it was (contract section 8)."""

from __future__ import annotations

import datetime as dt
import string
from dataclasses import dataclass

from sqlalchemy import delete, func, select

from portal.api.idempotency import forget_answers
from portal.api.records import Unique, refuse_taken
from portal.core.clock import system_now
from portal.core.errors import Conflict
from portal.core.ids import new_public_id
from portal.core.remedies import Remedy
from portal.core.session import TenantSession
from portal.tenancy.clocks import set_clock
from portal.tenancy.copying import count_added, count_copied, count_kept, restore_copy, save_copy
from portal.tenancy.models import Tenant
from sandbox.rehearsal.models import Snapshot

MOST_SNAPSHOTS = 10
MOST_RECORDS = 100_000
MODE = "snapshot"
_DIGITS = string.digits + string.ascii_lowercase
_NAMES = (Unique(Snapshot.name, "Another snapshot has this name"),)


@dataclass(frozen=True)
class Restored:
    """Numbers of records by table: left alone, as they were in the snapshot, and added since then."""

    tenant: str
    snapshot: str
    restored_at: dt.datetime
    now: dt.datetime
    kept: dict[str, int]
    restored: dict[str, int]
    removed: dict[str, int]


def take_snapshot(session: TenantSession, tenant: Tenant, name: str) -> Snapshot:
    """Keep what the tenant holds. The caller has the tenant alone. Raises Duplicate for a name that is taken,
    Conflict for more snapshots, or more records, than a sandbox may keep.
    """
    refuse_taken(session, _NAMES, {"name": name})
    taken = session.scalar(select(func.count()).select_from(Snapshot)) or 0
    if taken >= MOST_SNAPSHOTS:
        remedy = Remedy("state", f"{taken} snapshots", f"fewer than {MOST_SNAPSHOTS}")
        raise Conflict(f"A sandbox keeps {MOST_SNAPSHOTS} snapshots at most. Delete one first.", remedy=remedy)
    records = sum(count_copied(session, tenant).values())
    if records > MOST_RECORDS:
        remedy = Remedy("state", f"{records} records", f"at most {MOST_RECORDS}")
        raise Conflict(f"A snapshot keeps {MOST_RECORDS} records at most. Delete some, or reset first.", remedy=remedy)
    snapshot = Snapshot(
        public_id=new_public_id(Snapshot.public_prefix), name=name, records=records, clock_offset=tenant.clock_offset
    )
    session.add(snapshot)
    copy = _copy_for(snapshot, tenant)
    session.add(copy)
    session.flush()
    copy.salt = _mark(copy.id)
    save_copy(session, tenant.id, copy)
    return snapshot


def restore_snapshot(session: TenantSession, tenant: Tenant, snapshot: Snapshot) -> Restored:
    """Make the tenant what it was, its clock included. The caller has the tenant alone.

    Keys, tokens, logs and snapshots stay; answers kept for idempotency keys are forgotten with what they are about.
    """
    copy = _find_copy(session, snapshot)
    removed = {table: count for table, count in count_added(session, copy.id, tenant).items() if count}
    restore_copy(session, copy.id, tenant)
    tenant.seed_version = copy.seed_version
    tenant.is_armed = True
    forget_answers(session)
    set_clock(session, tenant, snapshot.clock_offset)
    return Restored(
        tenant.public_id,
        snapshot.public_id,
        system_now().replace(microsecond=0),
        session.clock.now(),
        count_kept(session, tenant),
        count_copied(session, tenant),
        removed,
    )


def delete_snapshot(session: TenantSession, snapshot: Snapshot) -> None:
    """Forget a snapshot and all it holds."""
    session.execute(delete(Tenant).where(Tenant.id == _find_copy(session, snapshot).id))
    session.delete(snapshot)


def _copy_for(snapshot: Snapshot, tenant: Tenant) -> Tenant:
    return Tenant(
        public_id=snapshot.public_id,
        name=snapshot.name,
        mode=MODE,
        plan=tenant.plan,
        currency=tenant.currency,
        time_zone=tenant.time_zone,
        salt="",
        copy_of=tenant.id,
        seed_version=tenant.seed_version,
        created_at=system_now().replace(microsecond=0),
    )


def _mark(number: int) -> str:
    """The number in base 36: at most seven characters for any that a store of tenants comes to."""
    text = ""
    while number:
        number, digit = divmod(number, len(_DIGITS))
        text = _DIGITS[digit] + text
    return text


def _find_copy(session: TenantSession, snapshot: Snapshot) -> Tenant:
    wanted = (Tenant.public_id == snapshot.public_id, Tenant.mode == MODE, Tenant.copy_of == session.owner_id)
    return session.scalars(select(Tenant).where(*wanted)).one()
