"""The checklist: anybody may read and tick it; saving makes a guest of a visitor."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from flask import Blueprint, Response, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_limiter import RateLimitExceeded

from portal.accounts.guards import current_developer, ensure_developer
from portal.accounts.service import Developer, when_guest_joins
from portal.api.errors import as_domain_error
from portal.checklist.forms import ChecklistForm
from portal.checklist.service import Checklist, load_checklist, move_ticks, read_ticks, save_ticks
from portal.core.errors import DomainError
from portal.core.runtime import current_session, runtime
from portal.core.session import TenantSession
from portal.limits import TICKS_BY_ADDRESS
from portal.web.csrf import FormRefused, takes_sealed_form

blueprint = Blueprint("checklist", __name__, template_folder="templates", url_prefix="/checklist")
_kept = lru_cache(maxsize=4)(load_checklist)


@when_guest_joins
def bring_ticks_along(session: TenantSession, guest: Developer, member: Developer) -> None:
    """Who signs in keeps what was ticked before."""
    if guest.id != member.id:
        move_ticks(session, guest.id, member.id)


@blueprint.get("")
def show_checklist() -> ResponseReturnValue:
    developer = current_developer()
    return _render(read_ticks(current_session(), developer.id) if developer else set())


@blueprint.post("")
@takes_sealed_form
@TICKS_BY_ADDRESS  # type: ignore[untyped-decorator]
def save_checklist() -> ResponseReturnValue:
    """Keep exactly the boxes that came ticked."""
    if not ChecklistForm(meta=_sealed()).validate():
        raise FormRefused
    developer = ensure_developer(current_session())
    save_ticks(current_session(), current_checklist(), developer.id, request.form.getlist("done"))
    flash("Your ticks are saved.", "success")
    return redirect(url_for("checklist.show_checklist"), 303)


@blueprint.errorhandler(RateLimitExceeded)
def keep_what_was_ticked(error: RateLimitExceeded) -> Response:
    """Show the boxes as they came, when to try again, and another way."""
    limit = as_domain_error(error)
    response = make_response(_render(set(request.form.getlist("done")), limit), limit.status)
    response.headers.update(limit.headers)
    return response


def _render(done: set[str], limit: DomainError | None = None) -> str:
    return render_template(
        "checklist/show_checklist.html",
        checklist=current_checklist(),
        done=done & current_checklist().keys,
        developer=current_developer(),
        limit=limit,
        form=ChecklistForm(formdata=None, meta=_sealed()),
    )


def current_checklist() -> Checklist:
    """The checklist of the content folder, read afresh where writers work."""
    folder: Path = runtime().settings.content_path
    return load_checklist(folder) if current_app.debug else _kept(folder)


def _sealed() -> dict[str, str]:
    """A form shown to one developer is no good for another."""
    developer = current_developer()
    return {"holder": developer.public_id if developer else ""}
