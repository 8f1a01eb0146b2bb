"""Numbers of a tenant: those counted without gaps (record ids, invoice numbers), and the revision of its records.

A counter's row is locked until the transaction ends, so a rolled back write gives its number back.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, MetaData, String, Table, text
from sqlalchemy.orm import Session

from portal.core.ids import new_revision
from portal.core.prepared import Direct, Prepared

_TAKE = text(
    "INSERT INTO counters (tenant_id, name, value) VALUES (:tenant_id, :name, :count) "
    "ON CONFLICT (tenant_id, name) DO UPDATE SET value = counters.value + :count RETURNING value"
)

_REVISE = Prepared(text("UPDATE tenants SET revision = :revision WHERE id = :tenant_id"))


def define_counters(metadata: MetaData) -> Table:
    """The table of counters."""
    return Table(
        "counters",
        metadata,
        Column("tenant_id", ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
        Column("name", String(60), primary_key=True),
        Column("value", BigInteger, nullable=False),
    )


def take_number(session: Session, name: str, count: int = 1) -> int:
    """The next number of the session's tenant under `name`; with `count`, the last of a block."""
    owner_id = session.owner_id  # type: ignore[attr-defined]
    value = session.connection().scalar(_TAKE, {"tenant_id": owner_id, "name": name, "count": count})
    return int(value)


def take_block(session: Session, name: str, count: int) -> range:
    """The next `count` numbers of the session's tenant under `name`, taken at once."""
    last = take_number(session, name, count)
    return range(last - count + 1, last + 1)


def draw_revision(connection: Direct, tenant_id: int) -> None:
    """Mark what the transaction at hand leaves of a tenant as different from all that was before."""
    connection.run(_REVISE, {"tenant_id": tenant_id, "revision": new_revision()})
