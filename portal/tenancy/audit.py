"""The audit trail: one row for each act that changes anything, in the act's own transaction."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select

from portal.core.clock import system_now
from portal.core.ids import new_log_id
from portal.core.masking import mask_value
from portal.core.ownership import TenantOwned, table_of
from portal.core.prepared import Prepared
from portal.core.session import Change, TenantSession
from portal.tenancy.models import AuditRow

_INSERT = Prepared(insert(table_of(AuditRow)))
_COLUMNS = tuple(column.key for column in table_of(AuditRow).columns)
NEEDLESS = frozenset({"version", "updated_at"})


def record_act(
    session: TenantSession, *, actor: str, action: str, subject: str | None = None, request_id: str | None = None
) -> AuditRow:
    """Write down who did what, with what the session changed so far. Secrets are named, never shown."""
    if any(row.is_audited for row in (*session.new, *session.dirty, *session.deleted) if isinstance(row, TenantOwned)):
        session.flush()
    row = AuditRow(
        tenant_id=session.owner_id,
        id=new_log_id(),
        actor=actor,
        action=action,
        subject=subject or next((change.public_id for change in session.changes if change.public_id), None),
        changes=[_describe(change) for change in session.changes],
        request_id=request_id,
        created_at=system_now(),
    )
    with session.directly() as inside:
        inside.run(_INSERT, {column: getattr(row, column) for column in _COLUMNS})
    return row


def list_acts(session: TenantSession, *, limit: int = 50) -> list[AuditRow]:
    """The latest acts of the session's tenant, newest first."""
    return list(session.scalars(select(AuditRow).order_by(AuditRow.id.desc()).limit(limit)))


def _describe(change: Change) -> dict[str, Any]:
    fields = {
        name: [mask_value(before, name), mask_value(after, name)]
        for name, (before, after) in change.fields.items()
        if name not in NEEDLESS
    }
    return {"table": change.table, "public_id": change.public_id, "verb": change.verb, "fields": fields}
