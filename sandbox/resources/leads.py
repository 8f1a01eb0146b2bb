"""Leads: people who asked; sales turns them into customers."""

from __future__ import annotations

from portal.api.lists import equals
from portal.api.resource import Resource
from portal.api.schema import ApiModel, Code, Email, Instant, Name, Paragraph, Phone
from portal.leads.models import Lead
from portal.leads.service import Status


class LeadBody(ApiModel):
    """What a caller may say of a lead."""

    first_name: Name
    last_name: Name
    email: Email
    company: Name | None = None
    phone: Phone | None = None
    source: Code | None = None
    message: Paragraph | None = None
    status: Status = "New"


class LeadView(ApiModel):
    """A lead as the API shows it. Who gave one name only has an empty `last_name`."""

    id: int
    public_id: str
    first_name: str
    last_name: str
    email: Email
    company: str | None
    phone: str | None
    source: str | None
    message: str | None
    status: Status
    created_at: Instant
    updated_at: Instant
    version: int


leads = Resource(
    name="leads",
    singular="lead",
    module="crm",
    description="People who asked. Inquiries of the public website arrive here as leads with the status New.",
    model=Lead,
    shows=LeadView,
    accepts=LeadBody,
    filters={"status": equals(Lead.status, Status), "source": equals(Lead.source, Code)},
    sorts=("id", "last_name", "email", "status", "created_at", "updated_at"),
    searches=(Lead.first_name, Lead.last_name, Lead.email, Lead.company),
    announces={
        "lead.created": "A lead was created, by a call or by an inquiry",
        "lead.updated": "A lead was changed",
        "lead.deleted": "A lead was deleted",
    },
    sample={
        "first_name": "Jane",
        "last_name": "Smith",
        "email": "jane@example.com",
        "company": "Example Trading",
        "phone": "9876543210",
        "source": "Referral",
        "message": "Asked for a demo for four people.",
        "status": "New",
    },
)
