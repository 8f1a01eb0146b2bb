"""The error page: the same refusals as the API's, in words for a person."""

from __future__ import annotations

from flask import Response, g, make_response, render_template

from portal.core.errors import DomainError

_LINKS = [("Home", "/"), ("Guides", "/docs/introduction"), ("Reference", "/reference"), ("Support", "/support")]


def show_error_page(error: DomainError) -> Response:
    """A page that says what happened and where to go from here."""
    words = {"status": error.status, "title": error.title, "text": error.message, "request_id": g.get("request_id")}
    words["next_step"] = error.next_step
    response = make_response(render_template("web/error.html", links=_LINKS, **words), error.status)
    response.headers.update(error.headers)
    return response
