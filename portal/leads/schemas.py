"""Schemas of leads: what a visitor may say, and how a lead and its inquiries are shown."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from portal.api.schema import ApiModel, Code, Email, Identity, Instant, Line, LongLine, Name, Paragraph, Phone, Stamps

Status = Literal["New", "Contacted", "Qualified", "Converted", "Lost"]
STATUSES: tuple[Status, ...] = ("New", "Contacted", "Qualified", "Converted", "Lost")
OPEN_STATUSES = ("New", "Contacted", "Qualified")
WORKED_STATUSES = ("Contacted", "Qualified", "Converted")
SETTABLE_STATUSES = tuple(status for status in STATUSES if status != "Converted")
"""Those that may be set by hand; a lead becomes Converted by its conversion alone."""


class Inquiry(ApiModel):
    """What a visitor may say. The form and the API read it alike."""

    source: Code | None = Field(None, description="Where the inquiry comes from", examples=["website"])
    name: Name = Field(description="First and last name")
    email: Email = Field(description="Where to answer")
    phone: Phone | None = Field(None, description="With the country code, if there is one")
    company: Name | None = Field(None, description="The company the visitor writes for")
    message: Paragraph | None = Field(None, description="What the visitor wrote")
    consent: bool | None = Field(None, description="Whether the visitor agreed to be contacted")
    utm_source: Line | None = Field(None, description="Campaign source, as in the link that was followed")
    utm_medium: Line | None = Field(None, description="Campaign medium")
    utm_campaign: Line | None = Field(None, description="Campaign name")
    utm_term: Line | None = Field(None, description="Campaign keyword")
    utm_content: Line | None = Field(None, description="Campaign variant")
    referrer: LongLine | None = Field(None, description="Address of the page that led to the form")


SAID = tuple(Inquiry.model_fields)


class LeadFacts(ApiModel):
    """A lead's own fields. Who gave one name only has an empty `last_name`."""

    first_name: str
    last_name: str
    email: Email
    company: str | None
    phone: str | None = Field(description="The latest number that an inquiry gave, or the one entered here")
    phone_e164: str | None = Field(None, description="The telephone number in E.164 form, if its country is known")
    source: str | None
    message: str | None = Field(description="The first message. The later ones stand with the touches")
    status: Status
    touched_at: Instant | None = Field(description="Time of the latest inquiry. Null for a lead without any")
    customer_id: int | None = Field(description="The customer it was converted to")


class LeadView(Stamps, LeadFacts, Identity):
    """A lead as the API and its events show it."""


class TouchFacts(ApiModel):
    """One inquiry with everything it said."""

    lead_id: int = Field(description="The lead it joined")
    name: str
    email: Email
    phone: str | None
    company: str | None
    source: str | None
    message: str | None
    consent: bool | None
    utm_source: str | None
    utm_medium: str | None
    utm_campaign: str | None
    utm_term: str | None
    utm_content: str | None
    referrer: str | None
    created_at: Instant


class TouchView(TouchFacts, Identity):
    """One inquiry as the API shows it. `public_id` is its receipt."""


class TouchedLead(LeadView):
    """A lead, and the inquiry that has just joined it."""

    touch: TouchView
