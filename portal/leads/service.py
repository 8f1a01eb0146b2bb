"""Inquiries: received from anybody, joined to leads, kept apart where they look like spam."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from sqlalchemy import select

from portal.admin.service import News, notify_staff, withdraw_notice
from portal.api.events import announce
from portal.core.counters import take_number
from portal.core.errors import Conflict, NotFound, ValidationFailed
from portal.core.ids import PUBLIC_ID
from portal.core.remedies import Remedy
from portal.core.session import TenantSession
from portal.core.text import fold
from portal.leads.listing import count_new_leads as count_new_leads
from portal.leads.listing import count_quarantine as count_quarantine
from portal.leads.listing import list_leads as list_leads
from portal.leads.listing import list_quarantine as list_quarantine
from portal.leads.listing import list_spam as list_spam
from portal.leads.models import Lead
from portal.leads.models import LeadTouch as LeadTouch
from portal.leads.schemas import OPEN_STATUSES, SAID, Inquiry, LeadView, TouchView
from portal.leads.schemas import SETTABLE_STATUSES as SETTABLE_STATUSES
from portal.leads.suspicion import REASONS as REASONS
from portal.leads.suspicion import REPEATED, find_suspicions

ECHO_TIME = dt.timedelta(minutes=10)


def receive_inquiry(
    session: TenantSession, inquiry: Inquiry, *, suspicions: Iterable[str] = (), tell: str = ""
) -> LeadTouch:
    """Keep an inquiry and give its receipt.

    It joins the open lead of the same e-mail, or begins one. With suspicions, the caller's or our own, it goes to
    quarantine instead. The same inquiry within ten minutes is a double click: it gets the first receipt again.
    `tell` is the address to which mail about it goes; what is in quarantine can wait for others to share the mail.
    """
    touch = _write_down(inquiry)
    # Taking the number locks the tenant's counter until the transaction ends, so that of two first
    # inquiries at once the second finds the lead of the first.
    touch.id = take_number(session, LeadTouch.__tablename__)
    echo = _find_echo(session, touch)
    if echo is not None:
        return echo
    touch.reasons = [*dict.fromkeys([*suspicions, *find_suspicions(session, touch)])]
    touch.state = "quarantined" if touch.reasons else "accepted"
    session.add(touch)
    session.flush()
    if touch.state == "accepted":
        accept_touch(session, touch)
    if tell:
        _tell_sales(session, touch, tell)
    return touch


def accept_touch(session: TenantSession, touch: LeadTouch) -> Lead:
    """Join an inquiry to the open lead of its e-mail, or begin one with it."""
    lead = _find_open_lead(session, touch.email)
    is_new = lead is None
    lead = lead or _begin_lead(session, touch)
    touch.lead_id, touch.state = lead.id, "accepted"
    session.flush()
    if is_new:
        announce(session, "lead.created", describe_lead(lead))
    else:
        _show_latest(session, lead, touch)
        announce(session, "lead.touched", describe_lead(lead) | {"touch": describe_touch(touch)})
    return lead


def release_touch(session: TenantSession, touch: LeadTouch) -> Lead:
    """Make a quarantined inquiry, or one marked as spam, part of a lead. Raises Conflict for an accepted one."""
    if touch.state == "accepted":
        raise Conflict("This inquiry is no longer in quarantine.")
    touch.released_at = session.clock.now()
    withdraw_notice(session, touch.public_id)
    return accept_touch(session, touch)


def list_alike(session: TenantSession, touch: LeadTouch) -> list[LeadTouch]:
    """List the inquiries that are in quarantine for nothing but their text, which is that of `touch`, oldest first."""
    same = (LeadTouch.state == "quarantined", LeadTouch.message == touch.message)
    found = session.scalars(select(LeadTouch).where(*same).order_by(LeadTouch.id))
    return [other for other in found if other.reasons == [REPEATED]]


def release_alike(session: TenantSession, touch: LeadTouch) -> int:
    """Release everything that `list_alike` gives. Returns how many there were."""
    found = list_alike(session, touch)
    for other in found:
        release_touch(session, other)
    return len(found)


def mark_as_spam(session: TenantSession, touch: LeadTouch) -> None:
    """Move an inquiry from quarantine to the spam list. Raises Conflict if it is not in quarantine."""
    if touch.state != "quarantined":
        raise Conflict("This inquiry is no longer in quarantine.")
    touch.state = "spam"
    withdraw_notice(session, touch.public_id)


def restore_touch(session: TenantSession, touch: LeadTouch) -> None:
    """Move an inquiry from the spam list back to quarantine. Raises Conflict if it is not on the spam list."""
    if touch.state != "spam":
        raise Conflict("This inquiry is not on the spam list.")
    touch.state = "quarantined"


def refuse_status(lead: Lead | None, status: str) -> None:
    """Converting a lead is the one way to Converted, and there is none back. None stands for a new lead.

    Raises ValidationFailed where a lead is said to be Converted, Conflict where a converted one is said to be
    anything else.
    """
    is_converted = lead is not None and lead.status == "Converted"
    if status == "Converted" and not is_converted:
        raise ValidationFailed({"status": "Status becomes Converted by POST /api/v2/leads/{id}/convert only"})
    if status != "Converted" and is_converted:
        message = "This lead has become a customer; its status stays Converted."
        raise Conflict(message, remedy=Remedy("field", "status", "Converted"))


def change_status(session: TenantSession, lead: Lead, status: str) -> None:
    """Move a lead to another of STATUSES. Raises what `refuse_status` raises."""
    refuse_status(lead, status)
    if lead.status == status:
        return
    lead.status = status
    session.flush()
    announce(session, "lead.updated", describe_lead(lead))


def describe_lead(lead: Lead) -> dict[str, Any]:
    """A lead as LeadView shows it, one that is no customer here."""
    return {name: getattr(lead, name, None) for name in LeadView.model_fields}


def describe_touch(touch: LeadTouch) -> dict[str, Any]:
    """Return an inquiry as TouchView shows it."""
    return {name: getattr(touch, name) for name in TouchView.model_fields}


def find_lead(session: TenantSession, public_id: str) -> Lead:
    """The lead with this public id. Raises NotFound."""
    known = PUBLIC_ID.fullmatch(public_id)
    lead = session.scalar(select(Lead).where(Lead.public_id == public_id)) if known else None
    if lead is None:
        raise NotFound
    return lead


def find_touch(session: TenantSession, receipt: str, *, lock: bool = False) -> LeadTouch:
    """Find the inquiry with this receipt; with `lock` it stays as it is read. Raises NotFound."""
    wanted = select(LeadTouch).where(LeadTouch.public_id == receipt)
    if lock:
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    touch = session.scalar(wanted) if PUBLIC_ID.fullmatch(receipt) else None
    if touch is None:
        raise NotFound
    return touch


def find_lead_of(session: TenantSession, touch: LeadTouch) -> Lead | None:
    """The lead an inquiry belongs to, if it was accepted."""
    return None if touch.lead_id is None else session.scalar(select(Lead).where(Lead.id == touch.lead_id))


def list_touches(session: TenantSession, lead: Lead) -> list[LeadTouch]:
    """The inquiries of one lead, oldest first."""
    return list(session.scalars(select(LeadTouch).where(LeadTouch.lead_id == lead.id).order_by(LeadTouch.id)))


def _write_down(inquiry: Inquiry) -> LeadTouch:
    said = {name: getattr(inquiry, name) for name in SAID}
    return LeadTouch(
        **said
        | {
            "name": " ".join(inquiry.name.split()),
            "email": inquiry.email.lower(),
            "source": " ".join(inquiry.source.split()) if inquiry.source else None,
            "message": inquiry.message.replace("\r\n", "\n") if inquiry.message else None,
        }
    )


def _find_echo(session: TenantSession, touch: LeadTouch) -> LeadTouch | None:
    """Find the inquiry of the last ECHO_TIME that said the very same in every field."""
    same = [getattr(LeadTouch, name).is_not_distinct_from(getattr(touch, name)) for name in SAID]
    recent = LeadTouch.created_at > session.clock.now() - ECHO_TIME
    earlier = select(LeadTouch).where(LeadTouch.email_key == touch.email_key, *same, recent)
    return session.scalar(earlier.order_by(LeadTouch.id).limit(1))


def _find_open_lead(session: TenantSession, email: str) -> Lead | None:
    """Held until the transaction ends, so that nobody converts or closes it meanwhile."""
    same = (Lead.email_key == fold(email), Lead.status.in_(OPEN_STATUSES))
    latest = select(Lead).where(*same).order_by(Lead.id.desc()).limit(1)
    return session.scalar(latest.with_for_update().execution_options(populate_existing=True))


def _begin_lead(session: TenantSession, touch: LeadTouch) -> Lead:
    first, _, last = touch.name.rpartition(" ")
    lead = Lead(
        public_id=touch.public_id,
        first_name=first or last,
        last_name=last if first else "",
        email=touch.email,
        company=touch.company,
        phone=touch.phone,
        source=touch.source,
        message=touch.message,
        status="New",
        touched_at=touch.created_at,
    )
    session.add(lead)
    session.flush()
    return lead


def _show_latest(session: TenantSession, lead: Lead, touch: LeadTouch) -> None:
    """Put the latest number and time on the lead. An inquiry released late overrides nothing that came after it."""
    later = select(LeadTouch.phone).where(LeadTouch.lead_id == lead.id, LeadTouch.id > touch.id)
    has_later_number = session.scalar(later.where(LeadTouch.phone.is_not(None)).limit(1)) is not None
    if touch.phone and not has_later_number:
        lead.phone = touch.phone
    lead.company = lead.company or touch.company
    lead.touched_at = max(touch.created_at, lead.touched_at or touch.created_at)
    session.flush()


def _tell_sales(session: TenantSession, touch: LeadTouch, address: str) -> None:
    is_held = touch.state == "quarantined"
    words = (
        f"Telephone: {touch.phone or '-'}\nCompany: {touch.company or '-'}\nSource: {touch.source or '-'}\n"
        f"Receipt: {touch.public_id}\n\n{touch.message or ''}\n"
    )
    title = f"In quarantine: inquiry from {touch.name}" if is_held else f"Inquiry from {touch.name}"
    path = f"/staff/leads/{touch.public_id}"
    notify_staff(session, address, News(touch.public_id, title, words, path, touch.email), can_wait=is_held)
