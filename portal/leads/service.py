"""Inquiries: received from anybody, joined to leads, kept apart where they look like spam."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import func, select

from portal.api.events import announce
from portal.api.schema import ApiModel, Code, Email, Identity, Name, Paragraph, Phone, Stamps
from portal.core.counters import take_number
from portal.core.errors import Conflict, NotFound, ValidationFailed
from portal.core.ids import PUBLIC_ID
from portal.core.mail import page_url, queue_mail
from portal.core.remedies import Remedy
from portal.core.session import TenantSession
from portal.leads.listing import count_new_leads as count_new_leads
from portal.leads.listing import count_quarantine as count_quarantine
from portal.leads.listing import list_leads as list_leads
from portal.leads.listing import list_quarantine as list_quarantine
from portal.leads.models import Lead
from portal.leads.models import LeadTouch as LeadTouch
from portal.leads.suspicion import REASONS as REASONS
from portal.leads.suspicion import find_suspicions

Status = Literal["New", "Contacted", "Qualified", "Converted", "Lost"]
STATUSES: tuple[Status, ...] = ("New", "Contacted", "Qualified", "Converted", "Lost")
OPEN_STATUSES = ("New", "Contacted", "Qualified")
ECHO_TIME = dt.timedelta(minutes=10)


class Inquiry(ApiModel):
    """What a visitor may say. The form and the API read it alike."""

    source: Code | None = Field(None, description="Where the inquiry comes from", examples=["website"])
    name: Name = Field(description="First and last name")
    email: Email = Field(description="Where to answer")
    phone: Phone | None = Field(None, description="With the country code, if there is one")
    message: Paragraph | None = Field(None, description="What the visitor wrote")


class LeadFacts(ApiModel):
    """A lead's own fields. Who gave one name only has an empty `last_name`."""

    first_name: str
    last_name: str
    email: Email
    company: str | None
    phone: str | None
    source: str | None
    message: str | None
    status: Status
    customer_id: int | None = Field(description="The customer it was converted to")


class LeadView(Stamps, LeadFacts, Identity):
    """A lead as the API and its events show it."""


def receive_inquiry(
    session: TenantSession, inquiry: Inquiry, *, suspicions: Iterable[str] = (), tell: str = ""
) -> LeadTouch:
    """Keep an inquiry and give its receipt.

    It joins the open lead of the same e-mail, or begins one. With suspicions, the caller's or our own, it goes to
    quarantine instead. The same inquiry within ten minutes is a double click: it gets the first receipt again.
    `tell` is the address to which mail about an accepted inquiry is queued.
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
    if lead is None:
        lead = _begin_lead(session, touch)
        happened = "lead.created"
    else:
        lead.phone = lead.phone or touch.phone
        happened = "lead.touched"
    touch.lead_id, touch.state = lead.id, "accepted"
    session.flush()
    announce(session, happened, describe_lead(lead))
    return lead


def release_touch(session: TenantSession, touch: LeadTouch) -> Lead:
    """Let an inquiry out of quarantine. Raises Conflict when it is not in it."""
    _refuse_settled(touch)
    return accept_touch(session, touch)


def mark_as_spam(session: TenantSession, touch: LeadTouch) -> None:
    """Say that a suspicion was right. The inquiry stays on record. Raises Conflict when it is not in quarantine."""
    _refuse_settled(touch)
    touch.state = "spam"


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
    """Move a lead to one of STATUSES, as the desk sees it; the customers of the company are kept elsewhere."""
    lead.status = status
    session.flush()
    announce(session, "lead.updated", describe_lead(lead))


def describe_lead(lead: Lead) -> dict[str, Any]:
    """A lead as LeadView shows it, one that is no customer here."""
    return {name: getattr(lead, name, None) for name in LeadView.model_fields}


def find_lead(session: TenantSession, public_id: str) -> Lead:
    """The lead with this public id. Raises NotFound."""
    known = PUBLIC_ID.fullmatch(public_id)
    lead = session.scalar(select(Lead).where(Lead.public_id == public_id)) if known else None
    if lead is None:
        raise NotFound
    return lead


def find_touch(session: TenantSession, receipt: str) -> LeadTouch:
    """The inquiry with this receipt. Raises NotFound."""
    known = PUBLIC_ID.fullmatch(receipt)
    touch = session.scalar(select(LeadTouch).where(LeadTouch.public_id == receipt)) if known else None
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
    return LeadTouch(
        name=" ".join(inquiry.name.split()),
        email=inquiry.email.lower(),
        phone=inquiry.phone,
        source=" ".join(inquiry.source.split()) if inquiry.source else None,
        message=inquiry.message.replace("\r\n", "\n") if inquiry.message else None,
    )


def _find_echo(session: TenantSession, touch: LeadTouch) -> LeadTouch | None:
    same = [getattr(LeadTouch, name) == getattr(touch, name) for name in ("email", "name", "message", "source")]
    recent = LeadTouch.created_at > session.clock.now() - ECHO_TIME
    earlier = select(LeadTouch).where(*same, recent)
    return session.scalar(earlier.order_by(LeadTouch.id).limit(1))


def _find_open_lead(session: TenantSession, email: str) -> Lead | None:
    """Held until the transaction ends, so that nobody converts or closes it meanwhile."""
    same = (func.lower(Lead.email) == email, Lead.status.in_(OPEN_STATUSES))
    latest = select(Lead).where(*same).order_by(Lead.id.desc()).limit(1)
    return session.scalar(latest.with_for_update().execution_options(populate_existing=True))


def _begin_lead(session: TenantSession, touch: LeadTouch) -> Lead:
    first, _, last = touch.name.rpartition(" ")
    lead = Lead(
        public_id=touch.public_id,
        first_name=first or last,
        last_name=last if first else "",
        email=touch.email,
        phone=touch.phone,
        source=touch.source,
        message=touch.message,
        status="New",
    )
    session.add(lead)
    session.flush()
    return lead


def _refuse_settled(touch: LeadTouch) -> None:
    if touch.state != "quarantined":
        raise Conflict("This inquiry is no longer in quarantine.")


def _tell_sales(session: TenantSession, touch: LeadTouch, address: str) -> None:
    text = (
        f"Name: {touch.name}\nE-mail: {touch.email}\nTelephone: {touch.phone or '-'}\n"
        f"Source: {touch.source or '-'}\nReceipt: {touch.public_id}\n\n{touch.message or ''}\n\n"
        f"Read the inquiry at the desk: {page_url(f'/staff/leads/{touch.public_id}')}\n"
    )
    queue_mail(session, address, f"Inquiry from {touch.name}", text, reply_to=touch.email)
