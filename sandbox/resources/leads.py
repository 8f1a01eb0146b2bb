"""Leads: people who asked; sales turns them into customers."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from sqlalchemy import BigInteger, ColumnElement, ForeignKeyConstraint, Index, and_, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from portal.api.events import announce
from portal.api.lists import Filter, equals, query_schema
from portal.api.operation import Call, Done, Operation, Page
from portal.api.paging import ListPlan, Reader
from portal.api.records import refuse_taken
from portal.api.resource import Resource, set_fields
from portal.api.schema import ApiModel, Code, Email, Name, Paragraph, Phone, SurnameIfAny, rule
from portal.core.database import Base
from portal.core.errors import LeadAlreadyConverted
from portal.core.ownership import TenantOwned, table_of
from portal.core.session import TenantSession
from portal.leads.models import Lead, LeadTouch
from portal.leads.schemas import LeadView, Status, TouchedLead, TouchView
from portal.leads.service import refuse_status
from sandbox.resources.customers import Customer, CustomerView, customers

LONGEST_NAME = 120


class LeadConversion(TenantOwned, Base):
    """Which customer a lead became. It goes with either of them; the lead stays Converted."""

    __tablename__ = "lead_conversions"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "lead_id"], ["leads.tenant_id", "leads.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["tenant_id", "customer_id"], ["customers.tenant_id", "customers.id"], ondelete="CASCADE"),
        Index("uq_lead_conversions_lead_id", "tenant_id", "lead_id", unique=True),
        Index(None, "tenant_id", "customer_id"),
    )
    is_audited = False

    lead_id: Mapped[int] = mapped_column(BigInteger)
    customer_id: Mapped[int] = mapped_column(BigInteger)


class LeadBody(ApiModel):
    """What a caller may say of a lead."""

    read_only = ApiModel.read_only | {"customer_id", "phone_e164", "touched_at"}

    first_name: Name
    last_name: SurnameIfAny = Field("", description="Empty for a person of one name")
    email: Email
    company: Name | None = None
    phone: Phone | None = None
    source: Code | None = None
    message: Paragraph | None = None
    status: Status = Field("New", json_schema_extra=rule("Converted by its conversion only"))


def enter_lead(session: TenantSession, data: LeadBody) -> Lead:
    """Write down a lead somebody found. Raises ValidationFailed for one said to be converted."""
    refuse_status(None, data.status)
    lead = Lead(**data.model_dump())
    session.add(lead)
    return lead


def change_lead(session: TenantSession, lead: Lead, fields: dict[str, Any]) -> None:
    """Change a lead. Raises ValidationFailed where it is said to be converted, Conflict where it is no longer to be."""
    if "status" in fields:
        refuse_status(lead, fields["status"])
    set_fields(lead, fields)


def convert_lead(session: TenantSession, lead: Lead) -> Customer:
    """Make the lead a customer, once: its company, or else the person, with e-mail and telephone.

    Raises LeadAlreadyConverted, and Duplicate where a customer with this e-mail exists.
    """
    if lead.status == "Converted":
        became = leads.present(session, lead)["customer_id"]
        raise LeadAlreadyConverted(**({"customer_id": became} if became else {}))
    refuse_taken(session, customers.unique, {"email": lead.email})
    account = lead.company or f"{lead.first_name} {lead.last_name}".strip()[:LONGEST_NAME].strip()
    customer = Customer(account=account, email=lead.email, phone=lead.phone)
    session.add(customer)
    session.flush()
    session.add(LeadConversion(lead_id=lead.id, customer_id=customer.id))
    lead.status = "Converted"
    session.flush()
    return customer


def add_customers(session: TenantSession, rows: list[dict[str, Any]]) -> None:
    """Put on each lead's row the customer it became, with one query for the page."""
    links = select(LeadConversion.lead_id, LeadConversion.customer_id)
    wanted = links.where(LeadConversion.lead_id.in_([row["id"] for row in rows]))
    known = {link.lead_id: link.customer_id for link in session.execute(wanted)}
    for row in rows:
        row["customer_id"] = known.get(row["id"])


def _is_of_person(column: Any, lead_id: Any) -> ColumnElement[bool]:
    """Select what joined the lead, and what the same email address said of other leads."""
    leads_table, touches = table_of(Lead), table_of(LeadTouch)
    same = (leads_table.c.tenant_id == touches.c.tenant_id, leads_table.c.id == lead_id)
    email = select(leads_table.c.email_key).where(*same).correlate(touches).scalar_subquery()
    return or_(column == lead_id, and_(touches.c.state == "accepted", touches.c.email_key == email))


TouchQuery = query_schema("TouchQuery", {}, ("id",), searches=False, keeps_deletions=False)
_TOUCHES = ListPlan(
    LeadTouch,
    tuple(getattr(LeadTouch, name) for name in TouchView.model_fields),
    {"lead_id": Filter(int, LeadTouch.lead_id, _is_of_person)},
    (),
)


def list_inquiries(call: Call) -> Page:
    """Return one page of the inquiries of the call's lead and of the same person's other leads, oldest first."""
    query = call.query.model_copy(update={"lead_id": call.record.id})
    return Reader(call.session, _TOUCHES, query, call.signer(f"cursor {call.record.id}")).read()


def _convert(call: Call) -> Done:
    customer = convert_lead(call.session, call.record)
    data = customers.present(call.session, customer)
    announce(call.session, "customer.created", data)
    announce(call.session, "lead.converted", leads.present(call.session, call.record))
    return Done(data, {"Location": f"{customers.base_path}/{customer.id}"})


convert = Operation(
    id="leads.convert",
    method="POST",
    path="/api/v2/leads/{id}/convert",
    summary="Convert a lead to a customer",
    outcome="Customer created",
    description=(
        "Creates a customer with the lead's company, or else the person's name, with e-mail and telephone, and "
        "answers with it. The lead becomes Converted and names the customer; it stays so. Where a customer with this "
        "e-mail exists already, none is created: `existing_id` names it."
    ),
    permission="crm:write",
    find=lambda call: leads.find(call),
    handle=_convert,
    returns=CustomerView,
    status=201,
    codes=("duplicate", "lead_already_converted"),
    sample_path={"id": 39},
)

touches = Operation(
    id="leads.list_touches",
    method="GET",
    path="/api/v2/leads/{id}/touches",
    summary="List the inquiries of a lead",
    outcome="One page of the person's inquiries",
    description=(
        "Every inquiry of the person, oldest first, with everything each one said. Inquiries that joined another lead "
        "of the same email address are among them: `lead_id` tells which. An inquiry in quarantine is listed once a "
        "person has released it."
    ),
    permission="crm:read",
    find=lambda call: leads.find(call),
    handle=list_inquiries,
    query=TouchQuery,
    returns=TouchView,
    is_list=True,
    sample_path={"id": 37},
)

leads: Resource = Resource(
    name="leads",
    singular="lead",
    module="crm",
    description=(
        "People who asked. Inquiries of the public website arrive here as leads with the status New. A lead becomes "
        "Converted by converting it to a customer, in no other way, and stays so."
    ),
    model=Lead,
    shows=LeadView,
    accepts=LeadBody,
    filters={"status": equals(Lead.status, Status), "source": equals(Lead.source, Code)},
    sorts=("id", "last_name", "email", "status", "created_at", "updated_at"),
    searches=(Lead.first_name, Lead.last_name, Lead.email, Lead.company),
    computed=("customer_id",),
    create=enter_lead,
    change=change_lead,
    enrich=add_customers,
    codes={"replace": ("conflict",), "update": ("conflict",)},
    actions=(convert, touches),
    announces={
        "lead.created": "A lead was created, by a call or by an inquiry",
        "lead.touched": "A further inquiry joined an open lead; `touch` carries it",
        "lead.updated": "A lead was changed",
        "lead.deleted": "A lead was deleted",
        "lead.converted": "A lead became a customer",
    },
    payloads={"lead.touched": TouchedLead},
    sample_id=40,
    sample={
        "first_name": "Jane",
        "last_name": "Smith",
        "email": "jane@example.com",
        "company": "Example Trading",
        "phone": "9876543210",
        "source": "Referral",
        "status": "New",
        "message": "Asked for a demo for four people.",
    },
    removed_id=38,
)
