"""What content and API document promise but do not hold: addresses, anchors, operations, codes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from flask import Flask
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import RequestRedirect

from portal.docs.guides import SECTIONS
from portal.docs.service import Docs, load_docs

_href = re.compile(r'href="(/[^"]*|#[^"]*)"')
_address = re.compile(r'"(?:href|guide)": "(/[^"]*)"')


def missing_links(app: Flask) -> list[str]:
    """A sentence for every broken promise; empty when all hold. Looks at content, not at rendered pages."""
    docs = load_docs(app)
    return [*_broken_addresses(app, docs), *_broken_names(docs)]


def _broken_addresses(app: Flask, docs: Docs) -> Iterator[str]:
    anchors = _anchors(docs)
    for page, targets in _targets(docs):
        for target in targets:
            path, _, anchor = target.partition("#")
            path = path.partition("?")[0] or page
            if not _is_served(app, docs, path):
                yield f"{page} links to {target}, which does not exist"
            elif anchor and path in anchors and anchor not in anchors[path]:
                yield f"{page} links to {target}, but there is no such heading"


def _targets(docs: Docs) -> Iterator[tuple[str, Iterable[str]]]:
    library = docs.library
    for guide in library.guides:
        yield guide.url, _href.findall(guide.prose.markup)
    for entry in library.events.values():
        yield f"/events/{entry.name}", _href.findall(entry.prose.markup)
    for error in library.errors:
        yield error.url, _href.findall(error.prose.markup)
    yield "/changelog", _href.findall(library.changelog.prose.markup)
    yield "/", _address.findall(json.dumps([library.home, library.areas]))


def _anchors(docs: Docs) -> Mapping[str, set[str]]:
    pages = {guide.url: guide.prose for guide in docs.library.guides}
    pages |= {error.url: error.prose for error in docs.library.errors}
    return {url: {heading.anchor for heading in prose.headings} for url, prose in pages.items()}


def _is_served(app: Flask, docs: Docs, path: str) -> bool:
    path = path.removesuffix(".md") if path.endswith(".md") else path
    if path.startswith(("/docs/", "/errors/", "/events/", "/reference/")):
        return path in docs.paths()
    if path in docs.paths() or path == "/index":
        return True
    try:
        app.url_map.bind("localhost").match(path)
    except (MethodNotAllowed, RequestRedirect):
        return True
    except HTTPException:
        return False
    return True


def _broken_names(docs: Docs) -> Iterator[str]:
    for guide in docs.library.guides:
        yield from (
            f"{guide.url} sees the operation {name}, which does not exist"
            for name in guide.see
            if name not in docs.reference.by_id
        )
        if guide.section not in SECTIONS:
            yield f"{guide.url} is in the section {guide.section}, which is not one of {', '.join(SECTIONS)}"
    for entry in docs.library.events.values():
        yield from (
            f"the event {entry.name} is caused by {name}, which does not exist"
            for name in entry.causes
            if name not in docs.reference.by_id
        )
    for operation in docs.reference.operations:
        yield from (
            f"{operation.id} answers {code}, which has no page"
            for code in operation.errors
            if docs.library.error(code) is None
        )
    for area in docs.library.areas.get("areas", ()):
        yield from (
            f"the area {area['slug']} names the group {slug}, which has no operation"
            for slug in area.get("groups") or ()
            if docs.reference.group(slug) is None
        )
