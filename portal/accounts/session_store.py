"""Sessions of browsers as rows: begun, found, listed and ended. Ending one ends every copy of its cookie."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, delete, or_, select, update

from portal.accounts.models import BrowserSession, Developer
from portal.core.clock import system_now
from portal.core.config import Settings
from portal.core.database import Database
from portal.core.errors import NotFound
from portal.core.ids import new_public_id
from portal.core.masking import storable
from portal.core.retention import delete_in_steps
from portal.core.session import TenantSession

ID_PREFIX = "ses_"
LONGEST_ID = 100
LONGEST_USER_AGENT = 300
MOST_SESSIONS = 50
TOUCHED_EVERY = dt.timedelta(minutes=5)
"""How exact it is known when a session was last seen, so that most visits write nothing."""


@dataclass(frozen=True)
class Visit:
    """From where a browser comes."""

    address: str
    user_agent: str


def hash_id(session_id: str) -> str:
    """What is kept of a session's id. A plain hash is enough for 256 random bits."""
    return hashlib.sha256(session_id.encode("utf-8", "replace")).hexdigest()


def begin_session(session: TenantSession, developer: Developer, visit: Visit) -> tuple[BrowserSession, str]:
    """Begin a session of the developer. Returns it with the id for the cookie, which nothing else holds."""
    session_id = ID_PREFIX + secrets.token_urlsafe(32)
    now = system_now()
    row = BrowserSession(
        public_id=new_public_id("ses"),
        id_hash=hash_id(session_id),
        developer_id=developer.id,
        data={},
        user_agent=storable(visit.user_agent)[:LONGEST_USER_AGENT],
        address=visit.address,
        created_at=now,
        seen_at=now,
    )
    session.add(row)
    session.flush()
    _end_the_oldest(session, developer)
    return row, session_id


def find_session(
    session: TenantSession, settings: Settings, session_id: str
) -> tuple[BrowserSession, Developer] | None:
    """The session that a cookie names, with its developer; None once it, or the guest, has ended."""
    if len(session_id) > LONGEST_ID:
        return None
    both = select(BrowserSession, Developer).join(Developer, Developer.id == BrowserSession.developer_id)
    found = session.execute(both.where(BrowserSession.id_hash == hash_id(session_id))).one_or_none()
    if found is None or not _is_alive(found[0], settings) or found[1].has_expired:
        return None
    return found[0], found[1]


def list_sessions(session: TenantSession, settings: Settings, developer: Developer) -> list[BrowserSession]:
    """The developer's sessions that have not ended, the one seen last first."""
    own = select(BrowserSession).where(BrowserSession.developer_id == developer.id)
    rows = session.scalars(own.order_by(BrowserSession.seen_at.desc(), BrowserSession.id.desc()))
    return [row for row in rows if _is_alive(row, settings)]


def end_session(session: TenantSession, developer: Developer, public_id: str) -> None:
    """End one of the developer's sessions. Raises NotFound for anybody else's."""
    own = (BrowserSession.developer_id == developer.id, BrowserSession.public_id == storable(public_id))
    if session.execute(delete(BrowserSession).where(*own)).rowcount == 0:  # type: ignore[attr-defined]
        raise NotFound("This session has ended already.")


def end_sessions(session: TenantSession, developer: Developer, *, but: str = "") -> None:
    """End every session of the developer, but for the one with this public id."""
    own = (BrowserSession.developer_id == developer.id, BrowserSession.public_id != but)
    session.execute(delete(BrowserSession).where(*own))


def keep_data(session: TenantSession, row: BrowserSession, data: dict[str, Any]) -> None:
    """Store what a session holds, unless it has ended meanwhile."""
    session.execute(update(BrowserSession).where(BrowserSession.id == row.id).values(data=data))


def needs_touch(row: BrowserSession) -> bool:
    """True if the session was last seen so long ago that it is worth writing down."""
    return row.seen_at + TOUCHED_EVERY <= system_now()


def touch(session: TenantSession, row: BrowserSession, address: str) -> None:
    """Write down that the session was seen, and from where."""
    values = {"seen_at": system_now(), "address": address}
    session.execute(update(BrowserSession).where(BrowserSession.id == row.id).values(values))


def forget_ended_sessions(database: Database, settings: Settings) -> None:
    """Delete the sessions whose time is over."""
    table: Table = BrowserSession.__table__  # type: ignore[assignment]
    idle, longest = _lifetimes(settings)
    now = system_now()
    delete_in_steps(database, table, or_(table.c.seen_at <= now - idle, table.c.created_at <= now - longest))


def _is_alive(row: BrowserSession, settings: Settings) -> bool:
    idle, longest = _lifetimes(settings)
    return row.seen_at + idle > system_now() and row.created_at + longest > system_now()


def _lifetimes(settings: Settings) -> tuple[dt.timedelta, dt.timedelta]:
    return dt.timedelta(hours=settings.session_idle_hours), dt.timedelta(hours=settings.session_hours)


def _end_the_oldest(session: TenantSession, developer: Developer) -> None:
    own = BrowserSession.developer_id == developer.id
    newest_to_go = (
        select(BrowserSession.id).where(own).order_by(BrowserSession.id.desc()).offset(MOST_SESSIONS).limit(1)
    )
    last = session.scalar(newest_to_go)
    if last is not None:
        session.execute(delete(BrowserSession).where(own, BrowserSession.id <= last))
