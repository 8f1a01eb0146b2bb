"""Developers: guests, members, signing in, passwords, the links of staff and of mails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from sqlalchemy import Table, select

from portal.accounts.links import end_links, find_link, make_link
from portal.accounts.models import Developer as Developer
from portal.accounts.passwords import Password, is_password, refuse_common
from portal.accounts.passwords import hash_password as hash_password
from portal.accounts.session_store import end_sessions
from portal.api.schema import ApiModel, Email, Name
from portal.core.clock import system_now
from portal.core.config import Settings
from portal.core.database import Database
from portal.core.errors import Conflict, NotFound, Unauthorized, ValidationFailed
from portal.core.ids import new_public_id
from portal.core.retention import delete_in_steps
from portal.core.session import TenantSession
from portal.core.text import fold
from portal.tenancy.service import GUEST_LIFETIME

StaffRole = Literal["agent", "owner"]
Joining = Callable[[TenantSession, Developer, Developer], None]
WRONG = (
    "The e-mail address or the password is wrong. If you have just signed up, open the link that we mailed you first."
)

_joinings: list[Joining] = []


class SignUp(ApiModel):
    """What it takes to be sent the link that makes an account."""

    name: Name
    email: Email


class SignIn(ApiModel):
    """What it takes to be recognised."""

    email: Email
    password: str


class ResetRequest(ApiModel):
    """Whose password was lost."""

    email: Email


class NewPassword(ApiModel):
    """A password to come."""

    password: Password


class PasswordChange(ApiModel):
    """The password held so far and the one to come."""

    current_password: str = ""
    new_password: Password


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


def find_member(session: TenantSession, email: str) -> Developer | None:
    """Return the member with this address, in any spelling."""
    return session.scalar(select(Developer).where(Developer.email_key == fold(email)))


def sign_up(session: TenantSession, token: str, password: str, guest: Developer | None) -> Developer:
    """Use a mailed link up and make its address a member: the guest of this browser, in place, or a new developer.

    Earlier sessions of the guest end. Raises NotFound for a link that has ended, ValidationFailed for a common
    password, Conflict if the address got an account meanwhile.
    """
    link = find_link(session, "sign-up", token, lock=True)
    refuse_common("password", password, link.email, link.name)
    if find_member(session, link.email) is not None:
        raise Conflict("There is an account with this e-mail address meanwhile. Sign in instead.")
    member = guest if guest is not None and not guest.is_member else create_guest(session)
    member.email, member.name = link.email.lower(), " ".join((link.name or "").split())
    member.password_hash = hash_password(password)
    member.email_verified_at = system_now()
    member.expires_at = None
    end_links(session, link.email, "sign-up")
    end_sessions(session, member)
    session.flush()
    for act in _joinings:
        act(session, member, member)
    return member


def sign_in(session: TenantSession, data: SignIn, guest: Developer | None) -> Developer:
    """The member with this e-mail and password; what the guest had made becomes theirs.

    Raises Unauthorized in the same words and the same time for an unknown e-mail as for a wrong password.
    """
    member = find_member(session, data.email)
    if not is_password(member.password_hash if member else None, data.password) or member is None:
        raise Unauthorized(WRONG)
    _join(session, guest, member)
    return member


def change_password(session: TenantSession, developer: Developer, data: PasswordChange) -> None:
    """Set a new password and end every session and mailed link. Who never had one need not name it.

    Raises ValidationFailed when the password held so far is not the one given, or the new one is common.
    """
    if developer.password_hash is not None and not is_password(developer.password_hash, data.current_password):
        raise ValidationFailed({"current_password": "This is not your password"})
    refuse_common("new_password", data.new_password, developer.email, developer.name)
    _set_password(session, developer, data.new_password)


def reset_password(session: TenantSession, token: str, password: str, guest: Developer | None) -> Developer:
    """Use a mailed link up and set a new password; every session ends. The link proves the address.

    What the guest had made becomes theirs.

    Raises NotFound for a link that has ended, ValidationFailed for a common password.
    """
    member = find_link_holder(session, "reset", token, lock=True)
    refuse_common("password", password, member.email, member.name)
    _set_password(session, member, password)
    member.email_verified_at = member.email_verified_at or system_now()
    _join(session, guest, member)
    return member


def verify_email(session: TenantSession, token: str) -> Developer:
    """Use a mailed link up: its reader has proven to hold the account's address. Raises NotFound."""
    member = find_link_holder(session, "verify", token, lock=True)
    member.email_verified_at = system_now()
    end_links(session, str(member.email), "verify")
    return member


def issue_staff_link(session: TenantSession, email: str, role: StaffRole) -> str:
    """Make the holder of an e-mail staff, new or not, and give the token of a link that signs them in once.

    Who has signed up under the address before may be anybody, so they are locked out: only the link opens the account.
    """
    staff = find_member(session, email)
    if staff is None:
        staff = create_guest(session)
        staff.email, staff.name, staff.expires_at = email.lower(), email.partition("@")[0], None
    elif not staff.is_staff:
        _take_back(session, staff)
    staff.role = role
    session.flush()
    end_links(session, email, "staff")
    return make_link(session, "staff", email, developer=staff)


def use_staff_link(session: TenantSession, token: str) -> Developer:
    """The staff member a link belongs to; the link ends. Raises NotFound for one unknown, used or too old."""
    staff = find_link_holder(session, "staff", token, lock=True)
    end_links(session, str(staff.email), "staff")
    return staff


def find_link_holder(
    session: TenantSession, purpose: Literal["staff", "reset", "verify"], token: str, *, lock: bool = False
) -> Developer:
    """Return the member to whom an unused link was given, as long as the address is theirs. Raises NotFound."""
    link = find_link(session, purpose, token, lock=lock)
    holder = session.get(Developer, link.developer_id, with_for_update=lock)
    if holder is None or holder.email is None or fold(holder.email) != link.email_key:
        raise NotFound("This link was used already, or its account is gone.")
    return holder


def forget_guests(database: Database, settings: Settings) -> None:
    """Delete guests whose time is over, with what was theirs."""
    table: Table = Developer.__table__  # type: ignore[assignment]
    delete_in_steps(database, table, table.c.email.is_(None), table.c.expires_at <= system_now())


def _set_password(session: TenantSession, developer: Developer, password: str) -> None:
    developer.password_hash = hash_password(password)
    end_sessions(session, developer)
    end_links(session, str(developer.email), "reset", "staff")


def _take_back(session: TenantSession, developer: Developer) -> None:
    developer.password_hash = None
    end_sessions(session, developer)
    end_links(session, str(developer.email), "reset")


def _join(session: TenantSession, guest: Developer | None, member: Developer) -> None:
    if guest is None or guest.is_member:
        return
    for act in _joinings:
        act(session, guest, member)
    session.delete(guest)
