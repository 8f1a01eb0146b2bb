"""The entrance to the integration pages: what there is, and what each is for."""

from __future__ import annotations

from flask import render_template

from sandbox.integration.navigation import CHAPTERS
from sandbox.integration.visiting import integrated_sandbox, integration_pages

blueprint = integration_pages("integration", __name__)


@blueprint.get("")
def show_integration() -> str:
    """Every section with its purpose."""
    return render_template("integration/show_integration.html", tenant=integrated_sandbox(), chapters=CHAPTERS)
