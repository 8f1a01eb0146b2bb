"""What makes an inquiry look like spam. Each reason has a name that the desk shows with its explanation."""

from __future__ import annotations

import datetime as dt
import re

from sqlalchemy import func, select

from portal.core.session import TenantSession
from portal.leads.models import LeadTouch

REASONS = {
    "honeypot": "A field that people do not see was filled in",
    "too_fast": "The form was sent within two seconds of being shown",
    "many_links": "The message has more than two links",
    "link_in_name": "The name holds an address of a page",
    "markup": "The message is written in HTML or forum code",
    "repeated_text": "The same message came from ten or more e-mail addresses within a day",
}
LINKS_ALLOWED = 2
SENDERS_ALLOWED = 9
TELLING_LENGTH = 20
_LINK = re.compile(r"https?://|www\.", re.IGNORECASE)
_MARKUP = re.compile(r"<a\s|\[(?:url|link)\b|</?(?:script|iframe|img)\b", re.IGNORECASE)


def find_suspicions(session: TenantSession, touch: LeadTouch) -> list[str]:
    """The reasons, by name, for which a written-down inquiry should be looked at by a person."""
    message = touch.message or ""
    found = {
        "many_links": len(_LINK.findall(message)) > LINKS_ALLOWED,
        "link_in_name": bool(_LINK.search(touch.name)),
        "markup": bool(_MARKUP.search(message)),
        "repeated_text": len(message) >= TELLING_LENGTH and _count_senders(session, touch) > SENDERS_ALLOWED,
    }
    return [name for name, is_found in found.items() if is_found]


def _count_senders(session: TenantSession, touch: LeadTouch) -> int:
    day_ago = session.clock.now() - dt.timedelta(days=1)
    others = (LeadTouch.message == touch.message, LeadTouch.email != touch.email, LeadTouch.created_at > day_ago)
    return session.scalar(select(func.count(LeadTouch.email.distinct())).where(*others)) or 0
