"""Developers: guests, sign-up, sign-in, passwords, one-time links for staff."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import AfterValidator
from sqlalchemy import Table, select

from portal.accounts.models import Developer as Developer
from portal.accounts.session_store import end_sessions
from portal.api.schema import ApiModel, Email, Name, refuse
from portal.core.clock import system_now
from portal.core.config import Settings
from portal.core.database import Database
from portal.core.errors import NotFound, Unauthorized, ValidationFailed
from portal.core.ids import new_public_id
from portal.core.retention import delete_in_steps
from portal.core.secrets import keyed_hash
from portal.core.session import TenantSession
from portal.core.text import fold
from portal.tenancy.service import GUEST_LIFETIME

LINK_LIFETIME = timedelta(hours=24)
LINK_PURPOSE = "staff-link"
SHORTEST, LONGEST = 10, 200
StaffRole = Literal["agent", "owner"]
Joining = Callable[[TenantSession, Developer, Developer], None]

_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)  # OWASP Password Storage Cheat Sheet
_nobodys_hash = _hasher.hash(secrets.token_hex())
_joinings: list[Joining] = []


def _check_password(value: str) -> str:
    if not SHORTEST <= len(value) <= LONGEST:
        raise refuse(f"Use {SHORTEST} to {LONGEST} characters")
    return unicodedata.normalize("NFKC", value)


Password = Annotated[str, AfterValidator(_check_password)]


class SignUp(ApiModel):
    """What it takes to become a member."""

    name: Name
    email: Email
    password: Password


class SignIn(ApiModel):
    """What it takes to be recognised."""

    email: Email
    password: str


class PasswordChange(ApiModel):
    """The password held so far and the one to come."""

    current_password: str = ""
    new_password: Password


def hash_password(password: str) -> str:
    """What is kept of a password: argon2id of its normalised text."""
    return _hasher.hash(unicodedata.normalize("NFKC", password))


def when_guest_joins(act: Joining) -> Joining:
    """Register what is to move along when a guest becomes, or turns out to be, a member.

    `act(session, guest, member)` is called in the transaction of the sign-up, where both are one and the same
    developer, or of the sign-in, where they are two and the guest is about to be forgotten.
    """
    _joinings.append(act)
    return act


def create_guest(session: TenantSession) -> Developer:
    """A developer nobody has met before."""
    guest = Developer(
        public_id=new_public_id("dev"),
        role="developer",
        created_at=system_now(),
        expires_at=system_now() + GUEST_LIFETIME,
    )
    session.add(guest)
    session.flush()
    return guest


def keep_guest(guest: Developer) -> None:
    """Begin a guest's 24 hours anew, so that no sandbox outlives its developer."""
    if not guest.is_member:
        guest.expires_at = system_now() + GUEST_LIFETIME


def find_developer(session: TenantSession, public_id: str) -> Developer | None:
    """Return the developer with this public id."""
    return session.scalar(select(Developer).where(Developer.public_id == public_id))


def sign_up(session: TenantSession, data: SignUp, guest: Developer | None) -> Developer:
    """Make the guest a member, in place, or a new member of nobody. Earlier sessions of the guest end.

    Raises ValidationFailed for an e-mail that has an account.
    """
    email = data.email.lower()
    if _find_member(session, email) is not None:
        raise ValidationFailed({"email": "There is an account with this e-mail address. Sign in instead."})
    member = guest if guest is not None and not guest.is_member else create_guest(session)
    member.email, member.name = email, " ".join(data.name.split())
    member.password_hash = hash_password(data.password)
    member.expires_at = None
    end_sessions(session, member)
    session.flush()
    for act in _joinings:
        act(session, member, member)
    return member


def sign_in(session: TenantSession, data: SignIn, guest: Developer | None) -> Developer:
    """The member with this e-mail and password; what the guest had made becomes theirs.

    Raises Unauthorized in the same words and the same time for an unknown e-mail as for a wrong password.
    """
    member = _find_member(session, data.email.lower())
    if not _is_password(member, data.password) or member is None:
        raise Unauthorized("The e-mail address or the password is wrong.")
    _join(session, guest, member)
    return member


def change_password(session: TenantSession, developer: Developer, data: PasswordChange) -> None:
    """Set a new password and end every session. Who never had one need not name it.

    Raises ValidationFailed when the password held so far is not the one given.
    """
    if developer.password_hash is not None and not _is_password(developer, data.current_password):
        raise ValidationFailed({"current_password": "This is not your password"})
    developer.password_hash = hash_password(data.new_password)
    end_sessions(session, developer)


def issue_staff_link(session: TenantSession, secret_key: str, email: str, role: StaffRole) -> str:
    """Make the holder of an e-mail staff, new or not, and give the token of a link that signs them in once.

    Anybody may have signed up under the address, so whoever did is locked out: only the link opens the account.
    """
    staff = _find_member(session, email.lower())
    if staff is None:
        staff = create_guest(session)
        staff.email, staff.name, staff.expires_at = email.lower(), email.partition("@")[0], None
    elif not staff.is_staff:
        _take_back(session, staff)
    token = secrets.token_urlsafe(32)
    staff.role = role
    staff.link_hash = keyed_hash(secret_key, LINK_PURPOSE, token)
    staff.link_expires_at = system_now() + LINK_LIFETIME
    session.flush()
    return token


def use_staff_link(session: TenantSession, secret_key: str, token: str) -> Developer:
    """The staff member a link belongs to; the link ends. Raises NotFound for one unknown, used or too old."""
    hashed = keyed_hash(secret_key, LINK_PURPOSE, token[:100])
    staff = session.scalar(select(Developer).where(Developer.link_hash == hashed).with_for_update())
    if staff is None or staff.link_expires_at is None or staff.link_expires_at <= system_now():
        raise NotFound("This sign-in link was used already, or is older than 24 hours.")
    staff.link_hash = staff.link_expires_at = None
    return staff


def forget_guests(database: Database, settings: Settings) -> None:
    """Delete guests whose time is over, with what was theirs."""
    table: Table = Developer.__table__  # type: ignore[assignment]
    delete_in_steps(database, table, table.c.email.is_(None), table.c.expires_at <= system_now())


def _find_member(session: TenantSession, email: str) -> Developer | None:
    return session.scalar(select(Developer).where(Developer.email_key == fold(email)))


def _is_password(developer: Developer | None, password: str) -> bool:
    """Compare by hashing, once, whoever it is about."""
    known = developer.password_hash if developer else None
    try:
        return _hasher.verify(known or _nobodys_hash, unicodedata.normalize("NFKC", password[: LONGEST + 1]))
    except (VerificationError, InvalidHashError):
        return False


def _take_back(session: TenantSession, developer: Developer) -> None:
    developer.password_hash = None
    end_sessions(session, developer)


def _join(session: TenantSession, guest: Developer | None, member: Developer) -> None:
    if guest is None or guest.is_member:
        return
    for act in _joinings:
        act(session, guest, member)
    session.delete(guest)
