"""What makes an inquiry look like spam. Each reason has a name that the desk shows with its explanation."""

from __future__ import annotations

import datetime as dt
import re

from sqlalchemy import ColumnElement, and_, func, or_, select

from portal.core.session import TenantSession
from portal.core.text import fold
from portal.leads.models import Lead, LeadTouch
from portal.leads.schemas import WORKED_STATUSES

REPEATED = "repeated_text"
REASONS = {
    "honeypot": "A field that people do not see was filled in",
    "too_fast": "The form was sent within two seconds of being shown",
    "many_links": "The message has more than two links",
    "link_in_name": "The name holds an address of a page",
    "markup": "The message is written in HTML or forum code",
    "busy_address": "More than a hundred inquiries came from one network within an hour",
    "busy_sender": "More inquiries came with this email address within an hour than one person sends",
    REPEATED: "The same message came from many email addresses within a day, and too few of them are known people",
}
LINKS_ALLOWED = 2
SENDERS_ALLOWED = 9
SENDERS_VOUCHED = 10
"""How many further senders of a text each person who is known and sent it too allows."""
TELLING_LENGTH = 20
_OF_PEOPLE = and_(
    LeadTouch.state == "accepted", or_(LeadTouch.released_at.is_not(None), Lead.status.in_(WORKED_STATUSES))
)
"""Holds for an inquiry that a person released, or whose lead sales has worked with."""
_LINK = re.compile(r"https?://|www\.", re.IGNORECASE)
_MARKUP = re.compile(r"<a\s|\[(?:url|link)\b|</?(?:script|iframe|img)\b", re.IGNORECASE)


def find_suspicions(session: TenantSession, touch: LeadTouch) -> list[str]:
    """The reasons, by name, for which a written-down inquiry should be looked at by a person."""
    message = touch.message or ""
    found = {
        "many_links": len(_LINK.findall(message)) > LINKS_ALLOWED,
        "link_in_name": bool(_LINK.search(touch.name)),
        "markup": bool(_MARKUP.search(message)),
        REPEATED: len(message) >= TELLING_LENGTH and _is_repeated(session, touch),
    }
    return [name for name, is_found in found.items() if is_found]


def _is_repeated(session: TenantSession, touch: LeadTouch) -> bool:
    """Tell whether a text has more senders than those who are known to be people account for.

    A page may preset its message, so a text that sales works with, or has released, allows many senders.
    """
    senders = _count_senders(session, touch)
    if senders <= SENDERS_ALLOWED or _is_known(session, touch.email):
        return False
    return senders > SENDERS_ALLOWED + SENDERS_VOUCHED * max(0, _count_vouchers(session, touch))


def _count_senders(session: TenantSession, touch: LeadTouch) -> int:
    day_ago = session.clock.now() - dt.timedelta(days=1)
    others = (
        LeadTouch.message == touch.message,
        LeadTouch.email_key != touch.email_key,
        LeadTouch.created_at > day_ago,
    )
    return session.scalar(select(func.count(LeadTouch.email_key.distinct())).where(*others)) or 0


def _is_known(session: TenantSession, email: str) -> bool:
    return _count(session, _OF_PEOPLE, LeadTouch.email_key == fold(email)) > 0


def _count_vouchers(session: TenantSession, touch: LeadTouch) -> int:
    """Count the known people who sent this text, less those whose inquiry with it was marked as spam."""
    same = LeadTouch.message == touch.message
    return _count(session, _OF_PEOPLE, same) - _count(session, LeadTouch.state == "spam", same)


def _count(session: TenantSession, *conditions: ColumnElement[bool]) -> int:
    joined = and_(Lead.tenant_id == LeadTouch.tenant_id, Lead.id == LeadTouch.lead_id)
    senders = select(func.count(LeadTouch.email_key.distinct())).select_from(LeadTouch).outerjoin(Lead, joined)
    return session.scalar(senders.where(*conditions)) or 0
