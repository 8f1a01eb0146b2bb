"""The pages people read: home, guides, reference, error catalogue, changelog, search."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from portal.docs import machine
from portal.docs.announced import SECRET
from portal.docs.guides import navigation, neighbours
from portal.docs.prose import describe, highlight
from portal.docs.published import published
from portal.docs.reference import Group, Operation
from portal.docs.samples import samples_of
from portal.docs.search import KINDS
from portal.docs.service import current_docs

blueprint = Blueprint("docs", __name__, template_folder="templates")
blueprint.add_app_template_filter(describe, "describe")
blueprint.add_app_template_filter(highlight, "highlight")
machine.add_routes(blueprint)


def page(template: str, twin: str, **words: Any) -> Response:
    """A rendered page that tells programs where its Markdown is."""
    response = make_response(render_template(template, docs=current_docs(), twin=twin, **words))
    response.headers["Link"] = f'<{twin}>; rel="alternate"; type="text/markdown"'
    return response


def find_operation_or_404(group: str, slug: str) -> Operation:
    return current_docs().reference.operation(group, slug) or abort(404)


def find_group_or_404(slug: str) -> Group:
    return current_docs().reference.group(slug) or abort(404)


@blueprint.get("/")
@published
def show_home() -> Response:
    return page("docs/show_home.html", "/index.md")


@blueprint.get("/docs/")
@published
def list_guides() -> Response:
    return page("docs/list_guides.html", "/docs.md", sections=navigation(current_docs().library.guides))


@blueprint.get("/docs/<slug>")
@published
def show_guide(slug: str) -> AnyResponse:
    library, reference = current_docs().library, current_docs().reference
    if renamed := library.renamed_guide(slug):
        return redirect(renamed.url, 301)
    guide = library.guide(slug) or abort(404)
    before, after = neighbours(library.guides, guide)
    return page(
        "docs/show_guide.html",
        f"{guide.url}.md",
        guide=guide,
        before=before,
        after=after,
        sections=navigation(library.guides),
        operations=[reference.by_id[name] for name in guide.see if name in reference.by_id],
    )


@blueprint.get("/reference")
@published
def list_operations() -> Response:
    return page("docs/list_operations.html", "/reference.md")


@blueprint.get("/reference/<group>")
@published
def show_group(group: str) -> Response:
    found = find_group_or_404(group)
    return page("docs/show_group.html", f"{found.url}.md", group=found)


@blueprint.get("/reference/<group>/<operation>")
@published
def show_operation(group: str, operation: str) -> Response:
    found = find_operation_or_404(group, operation)
    members = find_group_or_404(group).operations
    place = members.index(found)
    return page(
        "docs/show_operation.html",
        f"{found.url}.md",
        operation=found,
        group=find_group_or_404(group),
        before=members[place - 1] if place else None,
        after=members[place + 1] if place + 1 < len(members) else None,
        samples=samples_of(found.call),
    )


@blueprint.get("/errors")
@published
def list_errors() -> Response:
    return page("docs/list_errors.html", "/errors.md")


@blueprint.get("/errors/<code>")
@published
def show_error(code: str) -> Response:
    docs = current_docs()
    error = docs.library.error(code) or abort(404)
    causing = [operation for operation in docs.reference.operations if code in operation.errors]
    return page("docs/show_error.html", f"{error.url}.md", error=error, operations=causing)


@blueprint.get("/events")
@published
def list_events() -> Response:
    return page("docs/list_events.html", "/events.md")


@blueprint.get("/events/<name>")
@published
def show_event(name: str) -> Response:
    docs = current_docs()
    event = docs.event(name) or abort(404)
    words = {"entry": docs.library.events.get(name), "operations": docs.causes_of(event), "secret": SECRET}
    return page("docs/show_event.html", f"{event.url}.md", event=event, **words)


@blueprint.get("/changelog")
@published
def show_changelog() -> Response:
    return page("docs/show_changelog.html", "/changelog.md")


@blueprint.get("/search")
def search() -> str:
    """Results for `q`, grouped by kind, best group first. Nothing in `q` is syntax."""
    docs = current_docs()
    results = docs.index.search(request.args.get("q", ""))
    kinds = list(dict.fromkeys([*(hit.kind for hit in results.hits), *KINDS]))
    return render_template("docs/search.html", docs=docs, results=results, kinds=kinds)
