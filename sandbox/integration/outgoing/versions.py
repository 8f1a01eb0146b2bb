"""Versions of an outgoing mapping's rows: drafted, published, retired, made draft again."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm.attributes import flag_modified

from portal.core.errors import Conflict, NotFound, ValidationFailed
from portal.core.remedies import Remedy
from portal.core.session import TenantSession
from sandbox.integration.outgoing.models import OutgoingMapping, OutgoingVersion
from sandbox.integration.outgoing.rows import check_rows
from sandbox.integration.outgoing.schedules import set_schedule
from sandbox.integration.outgoing.sources import SOURCES
from sandbox.integration.outgoing.triggers import forget_triggered

MOST_VERSIONS = 200
MOST_NUMBER = 999_999_999
Rows = list[dict[str, Any]]


def find_version(session: TenantSession, mapping: OutgoingMapping, status: str) -> OutgoingVersion | None:
    """Return the mapping's `draft` or `live` version, if there is one."""
    wanted = (OutgoingVersion.mapping_id == mapping.id, OutgoingVersion.status == status)
    return session.scalar(select(OutgoingVersion).where(*wanted))


def choose_version(session: TenantSession, mapping: OutgoingMapping, status: str) -> OutgoingVersion:
    """Return the mapping's `draft` or `live` version. Raises Conflict if there is none."""
    version = find_version(session, mapping, status)
    if version is None:
        raise Conflict(f"This mapping has no {status} version.", remedy=Remedy("state", None, status))
    return version


def list_versions(session: TenantSession, mapping: OutgoingMapping) -> list[OutgoingVersion]:
    """Return every version of a mapping, the newest first."""
    own = select(OutgoingVersion).where(OutgoingVersion.mapping_id == mapping.id)
    return list(session.scalars(own.order_by(OutgoingVersion.number.desc())))


def put_live(session: TenantSession, mapping: OutgoingMapping, source: str, rows: Rows) -> None:
    """Make checked rows live at once, as a version of their own if they differ from what is live."""
    live = find_version(session, mapping, "live")
    if live is not None and (live.source, live.rows) == (source, rows):
        return
    version = _begin(session, mapping)
    version.source, version.rows = source, rows
    _make_live(session, mapping, version)


def save_draft(session: TenantSession, mapping: OutgoingMapping, source: str, rows: Rows) -> OutgoingVersion:
    """Make checked rows the draft; what is live goes on. Raises ValidationFailed for another source than is live."""
    if mapping.rows and source != mapping.source:
        text = f"A draft sends the same record as the live version: {mapping.source}. Make another mapping"
        raise ValidationFailed({"source": text})
    draft = put_draft(session, mapping, source, rows)
    mapping.source = source
    flag_modified(mapping, "updated_at")
    session.flush()
    return draft


def put_draft(session: TenantSession, mapping: OutgoingMapping, source: str, rows: Rows) -> OutgoingVersion:
    """Put checked rows into the draft, which begins if there is none."""
    draft = find_version(session, mapping, "draft") or _begin(session, mapping)
    draft.source, draft.rows = source, rows
    draft.author, draft.created_at = session.author[:80], session.clock.now()
    session.add(draft)
    session.flush()
    return draft


def publish(session: TenantSession, mapping: OutgoingMapping) -> OutgoingVersion:
    """Make the draft live and retire what was live. Raises Conflict without a draft, ValidationFailed if it can no
    longer work.
    """
    draft = choose_version(session, mapping, "draft")
    _check(draft)
    _make_live(session, mapping, draft)
    flag_modified(mapping, "updated_at")
    session.flush()
    return draft


def make_draft_of(session: TenantSession, mapping: OutgoingMapping, number: int) -> OutgoingVersion:
    """Make the draft of what a version says. Raises NotFound, and ValidationFailed if it can no longer work."""
    wanted = (OutgoingVersion.mapping_id == mapping.id, OutgoingVersion.number == min(number, MOST_NUMBER))
    version = session.scalar(select(OutgoingVersion).where(*wanted))
    if version is None:
        raise NotFound("The mapping has no such version.")
    _check(version)
    return save_draft(session, mapping, version.source, version.rows)


def discard_draft(session: TenantSession, mapping: OutgoingMapping) -> None:
    """Delete the draft. Raises Conflict if there is none, or nothing else of the mapping."""
    draft = choose_version(session, mapping, "draft")
    if not mapping.rows:
        raise Conflict("The mapping is nothing but its draft. Delete the mapping.", remedy=Remedy("state", "draft"))
    session.delete(draft)
    flag_modified(mapping, "updated_at")
    session.flush()


def _check(version: OutgoingVersion) -> None:
    faults = check_rows(SOURCES[version.source], version.rows)
    if faults:
        raise ValidationFailed(faults)


def _make_live(session: TenantSession, mapping: OutgoingMapping, version: OutgoingVersion) -> None:
    live = find_version(session, mapping, "live")
    if live is not None:
        live.status = "retired"
        session.flush()
    version.status, version.published_at = "live", session.clock.now()
    session.add(version)
    mapping.source, mapping.rows = version.source, version.rows
    session.flush()
    set_schedule(session, mapping)
    forget_triggered(session)


def _begin(session: TenantSession, mapping: OutgoingMapping) -> OutgoingVersion:
    """A version under the next number. Of the oldest, those are forgotten that no longer find room."""
    versions = list_versions(session, mapping)
    for old in [version for version in versions if version.status == "retired"][MOST_VERSIONS - 2 :]:
        session.delete(old)
    number = versions[0].number + 1 if versions else 1
    now = session.clock.now()
    return OutgoingVersion(
        mapping_id=mapping.id, number=number, status="draft", author=session.author[:80], created_at=now
    )
