"""Mail about accounts. It is written by a job, so that a form does the same work for every address.

Only the worker looks an address up: neither the page nor its time tells who has an account.
"""

from __future__ import annotations

import logging
from urllib.parse import quote

from portal.accounts.links import LIFETIMES, describe, make_link, may_mail
from portal.accounts.models import Developer
from portal.accounts.service import find_member
from portal.core.jobs import Task, enqueue, handles
from portal.core.mail import page_url, queue_mail
from portal.core.session import TenantSession

SIGN_UP, RESET, VERIFY = "account.mail_sign_up", "account.mail_reset", "account.mail_verify"
_IGNORE = "If you did not ask for this, you can ignore this message: nothing happens without the link.\n"

log = logging.getLogger("slipway.accounts")


def ask_to_sign_up(session: TenantSession, name: str, email: str, wanted: str) -> None:
    """Have a link mailed that makes the account, or word that there is one. `wanted` is the page to go on with."""
    enqueue(session, SIGN_UP, {"name": name, "email": email, "next": wanted})


def ask_to_reset(session: TenantSession, email: str) -> None:
    """Have a link mailed by which the holder of the account chooses a new password; nothing without an account."""
    enqueue(session, RESET, {"email": email})


def ask_to_verify(session: TenantSession, developer: Developer) -> None:
    """Have a link mailed by which a member proves to read mail at the account's address."""
    enqueue(session, VERIFY, {"email": developer.email})


def tell_of_new_password(session: TenantSession, developer: Developer) -> None:
    """Mail the holder of an account that its password was changed."""
    if developer.email is None:
        return
    text = (
        f"Hello {developer.name},\n\nthe password of your account was changed, and every other session was ended.\n\n"
        f"If it was not you, choose a new password now:\n{page_url('/account/reset')}\n"
    )
    queue_mail(session, developer.email, "Your password was changed", text)


@handles(SIGN_UP, needs_tenant=False)
def mail_sign_up(task: Task) -> None:
    """Write to whoever reads the address: the link that makes the account, or how to get at the one there is."""
    session, name, email = task.session, str(task.payload["name"]), str(task.payload["email"])
    if not _may_mail(session, email):
        return
    member = find_member(session, email)
    if member is not None:
        _mail_known(session, member)
        return
    wanted = task.payload.get("next") or ""
    query = f"?next={quote(wanted)}" if wanted else ""
    link = page_url(f"/account/new/{make_link(session, 'sign-up', email, name=name)}{query}")
    text = (
        f"Hello,\n\nto create your account, open this link and choose a password there. It works once, within "
        f"{describe(LIFETIMES['sign-up'])}:\n{link}\n\n{_IGNORE}"
    )
    queue_mail(session, email, "Create your account", text)


@handles(RESET, needs_tenant=False)
def mail_reset(task: Task) -> None:
    """Write to the holder of the account. An address without one gets no mail: forms write to no strangers."""
    session, email = task.session, str(task.payload["email"])
    member = find_member(session, email)
    if member is None or not _may_mail(session, email):
        return
    text = (
        f"Hello {member.name},\n\nto choose a new password, open this link. It works once, within "
        f"{describe(LIFETIMES['reset'])}:\n{_reset_link(session, member)}\n\n{_IGNORE}"
    )
    queue_mail(session, str(member.email), "Choose a new password", text)


@handles(VERIFY, needs_tenant=False)
def mail_verify(task: Task) -> None:
    """Write to the address of an account that nobody has proven yet."""
    session, email = task.session, str(task.payload["email"])
    member = find_member(session, email)
    if member is None or member.email_verified_at is not None or not _may_mail(session, email):
        return
    link = page_url(f"/account/verify/{make_link(session, 'verify', str(member.email), developer=member)}")
    text = (
        f"Hello {member.name},\n\nto verify that this address is yours, open this link and press the button there. It "
        f"works once, within {describe(LIFETIMES['verify'])}:\n{link}\n\n{_IGNORE}"
    )
    queue_mail(session, str(member.email), "Verify your email address", text)


def _mail_known(session: TenantSession, member: Developer) -> None:
    text = (
        f"Hello {member.name},\n\nsomebody wanted to create an account with this address. You have one already. "
        f"Sign in at\n"
        f"{page_url('/account/sign-in')}\n\nIf you do not know your password, choose a new one. This link works once, "
        f"within {describe(LIFETIMES['reset'])}:\n{_reset_link(session, member)}\n\n{_IGNORE}"
    )
    queue_mail(session, str(member.email), "You have an account already", text)


def _reset_link(session: TenantSession, member: Developer) -> str:
    return page_url(f"/account/reset/{make_link(session, 'reset', str(member.email), developer=member)}")


def _may_mail(session: TenantSession, email: str) -> bool:
    if may_mail(session, email):
        return True
    log.warning("no further link was mailed to an address that got several within the hour")
    return False
