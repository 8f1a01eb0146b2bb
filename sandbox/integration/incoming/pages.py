"""The Incoming Mapping List: every mapping with what it received, a form for one more, and how to send to them."""

from __future__ import annotations

import re

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue

from portal.core.errors import Conflict, ValidationFailed
from portal.core.runtime import current_session
from portal.tenancy.models import Tenant
from portal.tenancy.permissions import roles_with
from sandbox.console.drafts import printable
from sandbox.integration.incoming import import_pages, log_pages, mapping_pages, status_pages, trial_pages
from sandbox.integration.incoming.acting import OUTCOMES, back_to, begin_writing, note, show_calling
from sandbox.integration.incoming.editing import complain, read_names
from sandbox.integration.incoming.service import add_mapping, list_mappings
from sandbox.integration.incoming.starting import start_definition
from sandbox.integration.incoming.tallying import number_versions, tally_messages
from sandbox.integration.incoming.targets import TARGETS
from sandbox.integration.visiting import integrated_sandbox, integration_pages

WRITE = "integration:write"

blueprint = integration_pages("incoming", __name__)
mapping_pages.add_routes(blueprint)
trial_pages.add_routes(blueprint)
status_pages.add_routes(blueprint)
log_pages.add_routes(blueprint)
import_pages.add_routes(blueprint)
blueprint.context_processor(lambda: {"callers": roles_with(WRITE)})


@blueprint.get("/incoming")
def list_incoming() -> str:
    """Every mapping of the sandbox."""
    return _render(integrated_sandbox(), {}, {})


@blueprint.post("/incoming")
def create_mapping() -> ResponseReturnValue:
    """Add a mapping whose draft has a row for each required field."""
    tenant, session = integrated_sandbox(), current_session()
    typed = {name: printable(request.form.get(name, "")) for name in ("name", "slug", "target", "is_default")}
    typed["slug"] = typed["slug"].strip() or slug_of(typed["name"])
    errors: dict[str, str] = {} if typed["target"] in TARGETS else {"target": "Choose a target"}
    begin_writing()
    try:
        names = read_names(session, typed, None)
        if not errors:
            fields = {**names, "target": typed["target"]}
            mapping = add_mapping(session, fields, start_definition(TARGETS[typed["target"]]))
            note("create", mapping)
            flash("Mapping added as a draft", "success")
            return back_to(mapping)
    except ValidationFailed as refused:
        complain(errors, refused.errors)
        if "name" in errors and not typed["slug"]:
            errors.pop("slug", None)
    except Conflict as refused:
        errors["name"] = refused.message
    return _render(tenant, typed, errors), 400


def slug_of(name: str) -> str:
    """A mapping's name as it may stand in an address."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower().lstrip("0123456789 ")).strip("-")[:40]


def _render(tenant: Tenant, typed: dict[str, str], errors: dict[str, str]) -> str:
    session = current_session()
    mappings, numbers = list_mappings(session), number_versions(session)
    live = [mapping for mapping in mappings if "live" in numbers.get(mapping.id, {})]
    shown = next((mapping for mapping in live if mapping.is_default), live[0] if live else None)
    return render_template(
        "incoming/list_incoming.html",
        tenant=tenant,
        mappings=mappings,
        numbers=numbers,
        tallies=tally_messages(session),
        targets=TARGETS,
        outcomes=OUTCOMES,
        shown=shown,
        calling=show_calling(shown) if shown else None,
        choices=[(target.name, target.title) for target in TARGETS.values()],
        typed=typed,
        errors=errors,
    )
