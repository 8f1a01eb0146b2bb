"""The contact form, and the receipt for what was sent."""

from __future__ import annotations

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_limiter import RateLimitExceeded

from portal.accounts.guards import current_developer
from portal.api.errors import as_domain_error
from portal.api.quotas import noted_reasons
from portal.core.errors import DomainError, RateLimited
from portal.leads.api import sales_address
from portal.leads.forms import TOPICS, ContactForm
from portal.leads.schemas import Inquiry
from portal.leads.service import find_touch, receive_inquiry
from portal.limits import LEADS_BY_ADDRESS, LEADS_BY_EMAIL, LEADS_BY_SENDER, LEADS_WATCHED
from portal.tenancy.audit import record_act
from portal.web.csrf import takes_sealed_form
from portal.web.forms import read_form
from portal.web.house import house_session

blueprint = Blueprint("leads", __name__, template_folder="templates", url_prefix="/contact")


@blueprint.get("")
def show_contact() -> ResponseReturnValue:
    """An empty form. `?topic=` chooses what it is about; a member finds name and e-mail filled in."""
    member = current_developer()
    form = ContactForm(formdata=None, name=member and member.name, email=member and member.email)
    if request.args.get("topic") in TOPICS:
        form.topic.data = request.args["topic"]
    return render_template("leads/show_contact.html", form=form)


@blueprint.post("")
@takes_sealed_form
@LEADS_BY_ADDRESS  # type: ignore[untyped-decorator]
@LEADS_WATCHED
@LEADS_BY_EMAIL
@LEADS_BY_SENDER
def send_inquiry() -> ResponseReturnValue:
    form = ContactForm()
    form.validate()
    inquiry = read_form(form, Inquiry)
    if inquiry is None:
        return render_template("leads/show_contact.html", form=form), 400
    inquiry = inquiry.model_copy(update={"source": f"contact-{form.topic.data}"})
    session = house_session()
    touch = receive_inquiry(session, inquiry, suspicions=[*form.suspicions, *noted_reasons()], tell=sales_address())
    record_act(session, actor="public", action="public-leads.submit", request_id=g.request_id)
    return redirect(url_for("leads.show_receipt", receipt=touch.public_id), 303)


@blueprint.get("/received/<receipt>")
def show_receipt(receipt: str) -> ResponseReturnValue:
    """That an inquiry arrived, and when; nothing of what it says."""
    return render_template("leads/show_receipt.html", touch=find_touch(house_session(), receipt))


@blueprint.errorhandler(RateLimited)
@blueprint.errorhandler(RateLimitExceeded)
def keep_what_was_typed(error: Exception) -> Response:
    """Show the form again with everything in it, when to try again, and another way."""
    limit: DomainError = as_domain_error(error)
    response = make_response(render_template("leads/show_contact.html", form=ContactForm(), limit=limit), limit.status)
    response.headers.update(limit.headers)
    return response
