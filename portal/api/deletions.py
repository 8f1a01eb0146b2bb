"""What was deleted and when, so that a caller who copies a list learns of it (contract section 4).

Every record deleted through a session leaves a row here, in the same transaction. A reset clears them with
the records they were about.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Index, String, bindparam, event, func, select
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base
from portal.core.ids import new_log_id
from portal.core.ownership import OnReset, TenantLog, TenantRecord, table_of
from portal.core.prepared import Prepared, scoped
from portal.core.session import TenantSession
from portal.core.types import UtcDateTime


class Deletion(TenantLog, Base):
    """One deleted record: the table it stood in, its id, its public id."""

    __tablename__ = "deletions"
    __table_args__ = (
        Index(None, "tenant_id", "kind", "deleted_at"),
        Index(None, "tenant_id", "record_public_id"),
    )
    on_reset: ClassVar[OnReset] = "restore"

    kind: Mapped[str] = mapped_column(String(60))
    record_id: Mapped[int] = mapped_column(BigInteger)
    record_public_id: Mapped[str] = mapped_column(String(32))
    deleted_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


_ROWS = table_of(Deletion).c
_SINCE = (_ROWS.kind == bindparam("kind"), _ROWS.deleted_at >= bindparam("since", type_=UtcDateTime()))
_SHOWN = select(_ROWS.record_id, _ROWS.record_public_id, _ROWS.deleted_at, _ROWS.id).where(*_SINCE).order_by(_ROWS.id)


def page_of_deletions() -> Prepared:
    """Deletions of a kind since an instant: `limit` of them after `offset`, in the order they happened."""
    return scoped(_SHOWN.limit(bindparam("limit")).offset(bindparam("offset")))


def deletions_after() -> Prepared:
    """The same from a place in the order on: `after` is the row's id."""
    return scoped(_SHOWN.where(_ROWS.id > bindparam("after", type_=BigInteger())).limit(bindparam("limit")))


def count_of_deletions() -> Prepared:
    """How many there are in all."""
    return scoped(select(func.count()).select_from(table_of(Deletion)).where(*_SINCE))


def show_deletion(row: list[Any]) -> dict[str, Any]:
    """A deletion as an answer shows it."""
    return {"id": row[0], "public_id": row[1], "deleted_at": row[2]}


def find_deletion(session: TenantSession, kind: str, reference: str) -> dt.datetime | None:
    """When the tenant deleted the record with this id or public id; None if it never had it."""
    is_number = reference.isascii() and reference.isdigit()
    named = Deletion.record_id == int(reference) if is_number else Deletion.record_public_id == reference
    found = select(Deletion.deleted_at).where(Deletion.kind == kind, named)
    return session.scalar(found.order_by(Deletion.id.desc()).limit(1))


@event.listens_for(TenantSession, "before_flush")
def _note_deletions(session: TenantSession, context: Any, instances: Any) -> None:
    for row in list(session.deleted):
        if isinstance(row, TenantRecord):
            session.add(_describe(session, row))


def _describe(session: TenantSession, row: TenantRecord) -> Deletion:
    return Deletion(
        tenant_id=session.owner_id,
        id=new_log_id(),
        kind=row.__tablename__,
        record_id=row.id,
        record_public_id=row.public_id,
        deleted_at=session.clock.now(),
    )
