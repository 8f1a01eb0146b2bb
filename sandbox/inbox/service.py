"""Receiving addresses: making them, and telling them how to answer (contract section 8)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, func, select

from portal.core.errors import Conflict, ValidationFailed
from portal.core.remedies import Remedy
from portal.core.session import TenantSession
from portal.tenancy.service import find_own
from sandbox.inbox.models import InboxAddress, InboxAnswer, InboxMessage

PATH = "/inbox/"
DEFAULT_NAME = "Default"
# A rehearsal with several partners, each at an address of its own.
MOST_ADDRESSES = 10
# As for armed scenarios: more than any test plans ahead.
MOST_PLANNED = 100


def add_address(session: TenantSession, name: str) -> InboxAddress:
    """Make a receiving address that nobody can guess. Raises Conflict for too many."""
    find_own(session, lock=True)
    count = session.scalar(select(func.count()).select_from(InboxAddress)) or 0
    if count >= MOST_ADDRESSES:
        remedy = Remedy("state", f"{count} addresses", f"fewer than {MOST_ADDRESSES}")
        raise Conflict(f"A sandbox has {MOST_ADDRESSES} receiving addresses at most. Delete one first.", remedy=remedy)
    address = InboxAddress(token=secrets.token_urlsafe(24), name=name)
    session.add(address)
    session.flush()
    return address


def furnish_inbox(session: TenantSession) -> None:
    """Take back every planned answer, and see that the sandbox has an address."""
    session.execute(delete(InboxAnswer))
    if first_address(session) is None:
        session.add(InboxAddress(token=secrets.token_urlsafe(24), name=DEFAULT_NAME))
        session.flush()


def first_address(session: TenantSession) -> InboxAddress | None:
    """The oldest address."""
    return session.scalar(select(InboxAddress).order_by(InboxAddress.id).limit(1))


def list_addresses(session: TenantSession) -> list[InboxAddress]:
    """Every address, oldest first."""
    return list(session.scalars(select(InboxAddress).order_by(InboxAddress.id)))


def list_planned(session: TenantSession) -> list[InboxAnswer]:
    """Every planned answer, in the order in which those of one address are used."""
    return list(session.scalars(select(InboxAnswer).order_by(InboxAnswer.id)))


def url_of(base_url: str, token: str) -> str:
    """The address as others write it."""
    return f"{base_url}{PATH}{token}"


def plan_answer(session: TenantSession, address: InboxAddress, fields: Mapping[str, Any]) -> InboxAnswer:
    """Say how the next arrivals at an address are answered, once those planned before are used up.

    `fields` are those of InboxAnswer; a `status` of None is 200. Raises ValidationFailed, and Conflict for too many.
    """
    if fields["behaviour"] == "drop":
        given = {name: f"A dropped answer has no {name}" for name in ("status", "headers") if fields[name]}
        if given:
            raise ValidationFailed(given)
    find_own(session, lock=True)
    count = session.scalar(select(func.count()).select_from(InboxAnswer)) or 0
    if count >= MOST_PLANNED:
        remedy = Remedy("state", f"{count} answers", f"fewer than {MOST_PLANNED}")
        raise Conflict(f"{MOST_PLANNED} answers are planned already. Take some back first.", remedy=remedy)
    planned = InboxAnswer(address_id=address.id, used=0, **{**fields, "status": fields["status"] or 200})
    session.add(planned)
    session.flush()
    return planned


def clear_messages(session: TenantSession, address: InboxAddress | None = None) -> int:
    """Forget what arrived, at one address or at all. Returns how many messages there were."""
    wanted = delete(InboxMessage)
    if address is not None:
        wanted = wanted.where(InboxMessage.address_id == address.id)
    result: Any = session.execute(wanted.execution_options(synchronize_session=False))
    return int(result.rowcount)
