"""Links that act once: made for a mail or an operator, found by their page, used up by its button."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from typing import Literal

from sqlalchemy import Table, delete, func, select

from portal.accounts.models import AccountLink, Developer
from portal.core.clock import system_now
from portal.core.config import Settings
from portal.core.database import Database
from portal.core.errors import NotFound
from portal.core.retention import delete_in_steps
from portal.core.session import TenantSession
from portal.core.text import fold

Purpose = Literal["staff", "sign-up", "reset", "verify"]
LIFETIMES: dict[str, dt.timedelta] = {
    "staff": dt.timedelta(hours=24),
    "sign-up": dt.timedelta(hours=24),
    "reset": dt.timedelta(hours=1),
    "verify": dt.timedelta(hours=24),
}
LONGEST_TOKEN = 100
MOST_AN_HOUR = 5
"""Links mailed to one address within an hour; nobody's mailbox is filled by our forms."""


def make_link(
    session: TenantSession, purpose: Purpose, email: str, *, developer: Developer | None = None, name: str | None = None
) -> str:
    """Return the token of a new link. Only its hash is kept: a plain one is enough for 256 random bits."""
    token = secrets.token_urlsafe(32)
    now = system_now()
    link = AccountLink(
        purpose=purpose,
        token_hash=_hash(token),
        email=email,
        name=name,
        developer_id=developer.id if developer else None,
        created_at=now,
        expires_at=now + LIFETIMES[purpose],
    )
    session.add(link)
    session.flush()
    return token


def find_link(session: TenantSession, purpose: Purpose, token: str, *, lock: bool = False) -> AccountLink:
    """Return an unused link. Raises NotFound for one that is unknown, used or too old."""
    wanted = select(AccountLink).where(
        AccountLink.purpose == purpose, AccountLink.token_hash == _hash(token[:LONGEST_TOKEN])
    )
    link = session.scalar(wanted.with_for_update() if lock else wanted)
    if link is None or link.expires_at <= system_now():
        raise NotFound(f"This link was used already, or is older than {describe(LIFETIMES[purpose])}.")
    return link


def end_links(session: TenantSession, email: str, *purposes: Purpose) -> None:
    """End the links of these purposes that were made for an address."""
    own = (AccountLink.email_key == fold(email), AccountLink.purpose.in_(purposes))
    session.execute(delete(AccountLink).where(*own))


def may_mail(session: TenantSession, email: str) -> bool:
    """True unless so many links were mailed to the address within an hour that one more would be a nuisance."""
    since = system_now() - dt.timedelta(hours=1)
    recent = select(func.count()).where(
        AccountLink.email_key == fold(email), AccountLink.purpose != "staff", AccountLink.created_at > since
    )
    return (session.scalar(recent) or 0) < MOST_AN_HOUR


def describe(lifetime: dt.timedelta) -> str:
    """Return a lifetime in words: `24 hours`, `1 hour`."""
    hours = lifetime // dt.timedelta(hours=1)
    return "1 hour" if hours == 1 else f"{hours} hours"


def forget_ended_links(database: Database, settings: Settings) -> None:
    """Delete the links whose time is over."""
    table: Table = AccountLink.__table__  # type: ignore[assignment]
    delete_in_steps(database, table, table.c.expires_at <= system_now())


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
