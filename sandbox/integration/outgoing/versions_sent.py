"""Which version of a record was posted: the rule that one version goes out once, kept by the database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import case, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from portal.core.ids import new_log_id
from portal.core.ownership import table_of
from portal.core.session import TenantSession
from sandbox.delivery.models import Delivery
from sandbox.integration.outgoing.models import SentVersion

_TABLE = table_of(SentVersion)
_UNIQUE = [_TABLE.c[name] for name in ("tenant_id", "mapping_id", "endpoint_id", "subject")]
_INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def claim_versions(
    session: TenantSession, place: tuple[int, int], keys: dict[str, tuple[int, str]], *, afresh: bool = False
) -> set[str]:
    """Claim versions of records for keys, by subject; `place` is the mapping's id and the endpoint's.

    Returns the subjects whose version nobody has claimed before under another key. With `afresh` that is all of them.
    Of several transactions that claim one version at once, the unique index lets one have it.
    """
    if not keys:
        return set()
    known = {"tenant_id": session.owner_id, "mapping_id": place[0], "endpoint_id": place[1]}
    rows = [
        {**known, "id": id_, "subject": subject, "version": version, "key": key}
        for id_, (subject, (version, key)) in enumerate(sorted(keys.items()), new_log_id())
    ]
    insert = _INSERTS[session.get_bind().dialect.name](_TABLE).values(rows)
    ours, theirs = insert.excluded, _TABLE.c
    latest = case((theirs.version > ours.version, theirs.version), else_=ours.version)
    is_new = None if afresh else or_(theirs.version < ours.version, theirs.key == ours.key)
    claim = insert.on_conflict_do_update(
        index_elements=_UNIQUE, set_={"version": latest, "key": ours.key}, where=is_new
    ).returning(theirs.subject)
    return set(session.connection().execute(claim).scalars())


def find_claimed(session: TenantSession, place: tuple[int, int], subject: str | None) -> SentVersion | None:
    """What was posted last of a record, locked until the transaction ends; None where nothing was."""
    wanted = select(SentVersion).where(
        SentVersion.mapping_id == place[0], SentVersion.endpoint_id == place[1], SentVersion.subject == subject
    )
    return session.scalar(wanted.with_for_update().execution_options(populate_existing=True))


def find_by_key(session: TenantSession, key: str) -> Delivery | None:
    """The send that bears an idempotency key, locked; None once the log has forgotten it."""
    wanted = select(Delivery).where(Delivery.kind == "send", Delivery.message_id == key)
    locked = wanted.order_by(Delivery.id.desc()).limit(1).with_for_update()
    return session.scalar(locked.execution_options(populate_existing=True))


def move_claim(session: TenantSession, old: str, new: str) -> None:
    """Let what a key has claimed be claimed by another key."""
    session.execute(update(SentVersion).where(SentVersion.key == old).values(key=new))


def forget_claims(session: TenantSession, **place: int) -> None:
    """Forget what a mapping that is deleted has sent, or what was sent to an endpoint; `place` says which."""
    session.execute(delete(SentVersion).where(*(getattr(SentVersion, name) == id_ for name, id_ in place.items())))


def place_of(delivery: Delivery) -> tuple[int, int]:
    """The mapping and the endpoint of a send."""
    return delivery.mapping_id or 0, delivery.endpoint_id


def is_new_version(session: TenantSession, record: Any) -> bool:
    """Return whether the transaction has created or changed the record, so that it has a version of its own."""
    return any(change.public_id == record.public_id for change in reversed(session.changes))
