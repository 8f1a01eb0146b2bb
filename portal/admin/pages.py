"""The desk: what visitors left, what waits for an answer, and the pages on which it is dealt with."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.accounts.guards import current_developer
from portal.admin.forms import BareForm, StatusForm
from portal.admin.waiting import describe_wait
from portal.core.errors import NotFound
from portal.core.masking import storable
from portal.core.paging import FURTHEST
from portal.leads.service import (
    REASONS,
    LeadTouch,
    change_status,
    count_new_leads,
    count_quarantine,
    find_lead,
    find_lead_of,
    find_touch,
    list_alike,
    list_leads,
    list_quarantine,
    list_spam,
    list_touches,
    mark_as_spam,
    release_alike,
    release_touch,
    restore_touch,
)
from portal.support.service import count_waiting, list_conversations, read_first_words
from portal.tenancy.audit import record_act
from portal.web.house import house_session

REFRESH_SECONDS = 15
LONGEST_SEARCH = 200
PARAMETERS = frozenset({"q", "chats", "quarantine", "leads"})

blueprint = Blueprint("admin", __name__, template_folder="templates", url_prefix="/staff")
blueprint.add_app_template_filter(describe_wait, "wait")


@blueprint.get("")
def show_desk() -> ResponseReturnValue:
    """What waits, counted in full; each list page by page, and all of them searched at once by `q`."""
    session, search = house_session(), storable(request.args.get("q", "")).strip()[:LONGEST_SEARCH]
    chats = list_conversations(session, search=search, page=_page_of("chats"))
    return render_template(
        "admin/show_desk.html",
        search=search,
        chats=chats,
        first_words=read_first_words(session, chats.rows),
        quarantine=list_quarantine(session, search=search, page=_page_of("quarantine")),
        leads=list_leads(session, search=search, page=_page_of("leads")),
        counts=(count_waiting(session), count_quarantine(session), count_new_leads(session)),
        reasons=REASONS,
        now=session.clock.now(),
        refresh=REFRESH_SECONDS,
        page_url=_page_url,
    )


def _page_of(name: str) -> int:
    return min(max(request.args.get(name, 1, int), 1), FURTHEST)


def _page_url(name: str, page: int) -> str:
    """Return the address of the desk with another page of one list; the search and the other lists stay."""
    kept: dict[str, Any] = {key: value for key, value in request.args.items() if key in PARAMETERS}
    return url_for("admin.show_desk", _anchor=name, **{**kept, name: page})


@blueprint.get("/leads/<public_id>")
def show_lead(public_id: str) -> ResponseReturnValue:
    """A lead with its inquiries. A receipt leads to the lead of its inquiry, or to the inquiry that has none."""
    session = house_session()
    try:
        lead = find_lead(session, public_id)
    except NotFound:
        return _show_inquiry(find_touch(session, public_id))
    form = None if lead.status == "Converted" else StatusForm(formdata=None, status=lead.status)
    return render_template("admin/show_lead.html", lead=lead, touches=list_touches(session, lead), form=form)


@blueprint.post("/leads/<public_id>/status")
def save_status(public_id: str) -> ResponseReturnValue:
    """Save a lead's status. Converted is none that can be chosen: a conversion makes the customer with it."""
    lead, form = find_lead(house_session(), public_id), StatusForm()
    if form.validate():
        change_status(house_session(), lead, form.status.data)
        write_down("leads.update", lead.public_id)
        flash(f"The lead is {lead.status} now.", "success")
    elif form.status.data == "Converted":
        flash("Status becomes Converted by a conversion only. Convert the lead to a customer with the API.", "failure")
    else:
        flash("Choose one of the statuses.", "failure")
    return redirect(url_for("admin.show_lead", public_id=public_id), 303)


@blueprint.get("/spam")
def show_spam() -> ResponseReturnValue:
    """Show what was marked as spam, page by page."""
    rejected = list_spam(house_session(), page=_page_of("page"))
    page_url = lambda name, page: url_for("admin.show_spam", page=page)  # noqa: E731
    return render_template("admin/show_spam.html", rejected=rejected, page_url=page_url, button=BareForm())


@blueprint.post("/inquiries/<receipt>/release")
def release_inquiry(receipt: str) -> ResponseReturnValue:
    lead = release_touch(house_session(), find_touch(house_session(), receipt, lock=True))
    write_down("inquiries.release", receipt)
    flash("The inquiry is part of a lead now.", "success")
    return redirect(url_for("admin.show_lead", public_id=lead.public_id), 303)


@blueprint.post("/inquiries/<receipt>/release-alike")
def release_alike_inquiries(receipt: str) -> ResponseReturnValue:
    count = release_alike(house_session(), find_touch(house_session(), receipt, lock=True))
    write_down("inquiries.release_alike", receipt)
    flash(f"{count} inquiries are out of quarantine.", "success")
    return redirect(url_for("admin.show_desk", _anchor="leads"), 303)


@blueprint.post("/inquiries/<receipt>/spam")
def reject_inquiry(receipt: str) -> ResponseReturnValue:
    mark_as_spam(house_session(), find_touch(house_session(), receipt, lock=True))
    write_down("inquiries.reject", receipt)
    flash("Marked as spam. The spam list can put it back.", "success")
    return redirect(url_for("admin.show_desk", _anchor="quarantine"), 303)


@blueprint.post("/inquiries/<receipt>/restore")
def restore_inquiry(receipt: str) -> ResponseReturnValue:
    restore_touch(house_session(), find_touch(house_session(), receipt, lock=True))
    write_down("inquiries.restore", receipt)
    flash("The inquiry is back in quarantine.", "success")
    return redirect(url_for("admin.show_lead", public_id=receipt), 303)


def _show_inquiry(touch: LeadTouch) -> ResponseReturnValue:
    lead = find_lead_of(house_session(), touch)
    if lead is not None:
        return redirect(url_for("admin.show_lead", public_id=lead.public_id), 303)
    words = {"touch": touch, "alike": len(list_alike(house_session(), touch)), "reasons": REASONS}
    return render_template("admin/show_inquiry.html", button=BareForm(), **words)


def write_down(action: str, subject: str) -> None:
    """Note in the audit trail what a colleague did."""
    colleague = current_developer()
    assert colleague is not None
    record_act(house_session(), actor=colleague.actor, action=action, subject=subject, request_id=g.request_id)
