"""The entrance to the integration pages: what there is, and what each is for."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sandbox.integration.navigation import CHAPTERS, FIRST_STEPS
from sandbox.integration.visiting import integrated_sandbox, integration_pages

blueprint = integration_pages("integration", __name__)


@blueprint.get("")
def show_integration() -> str:
    """Every section with its purpose."""
    words = {"chapters": CHAPTERS, "first_steps": FIRST_STEPS}
    return render_template("integration/show_integration.html", tenant=integrated_sandbox(), **words)


@blueprint.get("/traces")
def find_trace() -> ResponseReturnValue:
    """Where the trace of `request_id` stands."""
    integrated_sandbox()
    wanted = request.args.get("request_id", "").strip()
    if not wanted:
        return redirect(url_for("integration.show_integration"), 303)
    return redirect(url_for("outgoing.show_trace", request_id=wanted), 303)
