"""The leads and inquiries of the desk, page by page, found by name, email or text."""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_, select

from portal.core.paging import Paged, count_rows, holds, read_page
from portal.core.session import TenantSession
from portal.leads.models import Lead, LeadTouch


def list_leads(session: TenantSession, *, search: str = "", page: int = 1) -> Paged[Lead]:
    """Return the leads, newest first."""
    return read_page(session, Lead, [_names_lead(search)] if search else [], [Lead.id.desc()], page)


def count_new_leads(session: TenantSession) -> int:
    """Return how many leads nobody has taken up yet."""
    return count_rows(session, Lead, Lead.status == "New")


def list_inquiries(session: TenantSession, state: str, *, search: str = "", page: int = 1) -> Paged[LeadTouch]:
    """Return the inquiries of one state, newest first."""
    conditions = [LeadTouch.state == state, *([_names_touch(search)] if search else [])]
    return read_page(session, LeadTouch, conditions, [LeadTouch.id.desc()], page)


def list_quarantine(session: TenantSession, *, search: str = "", page: int = 1) -> Paged[LeadTouch]:
    """Return the inquiries that a person has to look at, newest first."""
    return list_inquiries(session, "quarantined", search=search, page=page)


def list_spam(session: TenantSession, *, search: str = "", page: int = 1) -> Paged[LeadTouch]:
    """Return the inquiries that were marked as spam, newest first."""
    return list_inquiries(session, "spam", search=search, page=page)


def count_quarantine(session: TenantSession) -> int:
    """Return how many inquiries wait in quarantine."""
    return count_rows(session, LeadTouch, LeadTouch.state == "quarantined")


def _names_lead(search: str) -> ColumnElement[bool]:
    own = LeadTouch.tenant_id == Lead.tenant_id
    said = select(LeadTouch.lead_id).where(own, LeadTouch.lead_id.is_not(None), holds(LeadTouch.message, search))
    columns = (Lead.first_name + " " + Lead.last_name, Lead.email, Lead.company, Lead.message)
    return or_(*(holds(column, search) for column in columns), Lead.id.in_(said))


def _names_touch(search: str) -> ColumnElement[bool]:
    return or_(*(holds(column, search) for column in (LeadTouch.name, LeadTouch.email, LeadTouch.message)))
