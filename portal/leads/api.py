"""The public operation that receives inquiries."""

from __future__ import annotations

from flask import current_app, request

from portal.api.operation import Call, Done, Operation
from portal.api.quotas import noted_reasons
from portal.api.schema import ApiModel
from portal.leads.schemas import Inquiry
from portal.leads.service import receive_inquiry
from portal.limits import LEADS_BY_ADDRESS, LEADS_BY_EMAIL, LEADS_BY_SENDER, LEADS_WATCHED


class Receipt(ApiModel):
    """Proof that an inquiry arrived, and nothing more."""

    public_id: str


def submit_inquiry(call: Call) -> Done:
    """Keep the inquiry. The answer is the same whoever asks and whatever becomes of it."""
    touch = receive_inquiry(call.session, call.body, suspicions=noted_reasons(), tell=sales_address())
    return Done({"public_id": touch.public_id})


def sales_address() -> str:
    """Where mail about inquiries goes: the company's address for its own, nowhere for a sandbox's."""
    if request.headers.get("X-Publishable-Key"):
        return ""
    return str(current_app.jinja_env.globals["site"].contact.email)  # type: ignore[attr-defined]


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="public-leads.submit",
        method="POST",
        path="/api/public/leads",
        summary="Submit an inquiry",
        outcome="Inquiry received",
        description=(
            "Receives what a visitor of a website typed. A second inquiry from the same e-mail address joins the "
            "open lead. What looks like spam is kept in quarantine until a person has looked at it. The receipt is "
            "the same in every case. With a publishable key the inquiry goes to that sandbox, without one to the "
            "company's own desk."
        ),
        handle=submit_inquiry,
        family="public",
        body=Inquiry,
        returns=Receipt,
        status=201,
        sample={
            "source": "website",
            "name": "Jane Smith",
            "email": "jane@example.com",
            "phone": "9876543210",
            "message": "We would like a demo for four people.",
        },
        example=Done({"public_id": "led_8e8a81c423ddad4e8265400d"}),
        wraps=(LEADS_BY_SENDER, LEADS_BY_EMAIL, LEADS_WATCHED, LEADS_BY_ADDRESS),
    ),
)
