"""What every page of the integration begins with: the frame, the visitor's sandbox, a plan that includes it."""

from __future__ import annotations

from flask import Blueprint, make_response, render_template, request
from flask.typing import ResponseReturnValue

from portal.core.errors import UpgradeRequired
from portal.tenancy.models import Tenant
from portal.tenancy.plans import is_entitled, smallest_plan
from sandbox.console.visitor import own_sandbox
from sandbox.integration.navigation import CHAPTERS, ROOT, current_section

MODULE = "integration"


def integration_pages(name: str, import_name: str) -> Blueprint:
    """A blueprint for pages below /sandbox/integration, whose templates extend `integration/frame.html`.

    Where the sandbox's plan lacks the module, the frame stands with a notice that says so.
    """
    blueprint = Blueprint(name, import_name, template_folder="templates", url_prefix=ROOT)
    blueprint.register_error_handler(UpgradeRequired, _show_upgrade)
    blueprint.context_processor(_frame_words)
    return blueprint


def integrated_sandbox() -> Tenant:
    """The visitor's sandbox, the session bound to it. Raises NotFound, and UpgradeRequired where its plan is too small.

    Every view of these pages calls it first.
    """
    tenant = own_sandbox()
    if not is_entitled(tenant.plan, MODULE):
        raise UpgradeRequired
    return tenant


def _show_upgrade(error: UpgradeRequired) -> ResponseReturnValue:
    page = render_template("integration/upgrade.html", tenant=own_sandbox(), needed=smallest_plan([MODULE]))
    return make_response(page, error.status)


def _frame_words() -> dict[str, object]:
    section = current_section(request.path)
    groups = [(chapter.title, [(section.label, section.href) for section in chapter.sections]) for chapter in CHAPTERS]
    return {"integration_nav": groups, "section": section, "integration_root": ROOT}
