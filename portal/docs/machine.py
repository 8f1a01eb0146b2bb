"""What programs read: Markdown twins, llms.txt, the API document, robots.txt and the site map."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import yaml
from flask import Blueprint, Response, abort, redirect, render_template
from werkzeug.wrappers import Response as AnyResponse

from portal.docs.announced import SECRET
from portal.docs.exact_json import pretty
from portal.docs.guides import navigation
from portal.docs.published import published
from portal.docs.samples import samples_of
from portal.docs.service import current_docs

MARKDOWN = "text/markdown; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
XML = "application/xml; charset=utf-8"


def written(template: str, media_type: str = MARKDOWN, **words: Any) -> Response:
    """A text rendered from a template, without escaping unless it is XML."""
    return Response(render_template(template, docs=current_docs(), **words), content_type=media_type)


@published
def write_home() -> Response:
    return written("docs/show_home.md")


@published
def write_guides() -> Response:
    return written("docs/list_guides.md", sections=navigation(current_docs().library.guides))


@published
def write_guide(slug: str) -> AnyResponse:
    if renamed := current_docs().library.renamed_guide(slug):
        return redirect(f"{renamed.url}.md", 301)
    guide = current_docs().library.guide(slug) or abort(404)
    return written("docs/show_guide.md", guide=guide)


@published
def write_operations() -> Response:
    return written("docs/list_operations.md")


@published
def write_group(group: str) -> Response:
    found = current_docs().reference.group(group) or abort(404)
    return written("docs/show_group.md", group=found)


@published
def write_operation(group: str, operation: str) -> Response:
    found = current_docs().reference.operation(group, operation) or abort(404)
    return written("docs/show_operation.md", operation=found, samples=samples_of(found.call))


@published
def write_errors() -> Response:
    return written("docs/list_errors.md")


@published
def write_error(code: str) -> Response:
    error = current_docs().library.error(code) or abort(404)
    return written("docs/show_error.md", error=error)


@published
def write_events() -> Response:
    return written("docs/list_events.md")


@published
def write_event(name: str) -> Response:
    docs = current_docs()
    event = docs.event(name) or abort(404)
    entry, operations = docs.library.events.get(name), docs.causes_of(event)
    return written("docs/show_event.md", event=event, entry=entry, operations=operations, secret=SECRET)


@published
def write_changelog() -> Response:
    return written("docs/show_changelog.md")


@published
def write_llms() -> Response:
    """The map of all Markdown pages for language models (llmstxt.org)."""
    return written("docs/llms.txt", TEXT, sections=navigation(current_docs().library.guides))


@published
def write_openapi_json() -> Response:
    return Response(pretty(current_docs().document), content_type="application/json")


@published
def write_openapi_yaml() -> Response:
    return Response(exact_yaml(current_docs().document), content_type="application/yaml")


@published
def write_robots() -> Response:
    return written("docs/robots.txt", TEXT)


@published
def write_sitemap() -> Response:
    return written("docs/sitemap.xml", XML)


ROUTES = (
    ("/index.md", write_home),
    ("/docs.md", write_guides),
    ("/docs/<slug>.md", write_guide),
    ("/reference.md", write_operations),
    ("/reference/<group>.md", write_group),
    ("/reference/<group>/<operation>.md", write_operation),
    ("/errors.md", write_errors),
    ("/errors/<code>.md", write_error),
    ("/events.md", write_events),
    ("/events/<name>.md", write_event),
    ("/changelog.md", write_changelog),
    ("/llms.txt", write_llms),
    ("/openapi.json", write_openapi_json),
    ("/openapi.yaml", write_openapi_yaml),
    ("/robots.txt", write_robots),
    ("/sitemap.xml", write_sitemap),
)


def add_routes(blueprint: Blueprint) -> None:
    """Put every address of this file on the blueprint."""
    for rule, view in ROUTES:
        blueprint.add_url_rule(rule, view_func=view)


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_representer(Decimal, lambda dumper, value: dumper.represent_scalar("tag:yaml.org,2002:float", str(value)))


def exact_yaml(value: Any) -> str:
    """YAML of plain data in the order given, money as exact as in JSON."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
