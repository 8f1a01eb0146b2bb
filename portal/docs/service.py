"""What the documentation knows, put together once, and what other features may ask it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from flask import Flask, current_app

from portal.docs.announced import Event
from portal.docs.library import ErrorEntry, Library, load_library
from portal.docs.openapi import read_events, read_reference
from portal.docs.prose import describe, plain_text
from portal.docs.published import Shelf, init_printing
from portal.docs.reference import Group, Operation, Reference
from portal.docs.search import Entry, Index


class Site(Protocol):
    """The words of the deployment the documentation needs."""

    @property
    def base_url(self) -> str: ...


@dataclass
class Docs:
    """The documentation of one application: the API document, the content, the index, the printed pages."""

    document: Mapping[str, Any]
    content: Path
    site: Site
    reference: Reference
    events: tuple[Event, ...]
    library: Library
    index: Index
    edited_at: float
    shelf: Shelf = field(default_factory=Shelf)

    def groups_of(self, area: Mapping[str, Any]) -> list[Group]:
        """The reference groups of an area of the API map that the document really contains."""
        listed = [self.reference.group(slug) for slug in area.get("groups") or ()]
        tagged = [group for group in self.reference.groups if group.area == area.get("slug")]
        return list(dict.fromkeys([*(group for group in listed if group), *tagged]))

    def event(self, name: str) -> Event | None:
        """An event by its name."""
        return next((event for event in self.events if event.name == name), None)

    def causes_of(self, event: Event) -> list[Operation]:
        """The operations that cause an event, as far as the document has them."""
        entry = self.library.events.get(event.name)
        names = entry.causes if entry else ()
        return [self.reference.by_id[name] for name in names if name in self.reference.by_id]

    def paths(self) -> list[str]:
        """Every documentation page, for the site map and for checks."""
        library, reference = self.library, self.reference
        return [
            *("/", "/docs/", "/reference", "/events", "/errors", "/changelog"),
            *(guide.url for guide in library.guides),
            *(group.url for group in reference.groups),
            *(operation.url for operation in reference.operations),
            *(event.url for event in self.events),
            *(error.url for error in library.errors),
        ]


def init_docs(app: Flask, document: Mapping[str, Any], content: Path, site: Site) -> Docs:
    """Read the API document and the content folder, and hand them to `app`.

    `document` is any OpenAPI 3.1 document, `content` the folder writers edit. Raises BrokenContent when a
    file lacks what its page needs. To be called at boot; a second call replaces everything.
    """
    reference, events = read_reference(document), read_events(document)
    library = load_library(content, site.base_url)
    index = Index(_entries(library, reference, events))
    docs = Docs(document, content, site, reference, events, library, index, _last_edit(content))
    if "docs" not in app.extensions:
        init_printing(app, docs.shelf)
    app.extensions["docs"] = docs
    return docs


def current_docs() -> Docs:
    """The documentation of the current application; in debug mode with the writers' latest edits."""
    docs: Docs = current_app.extensions["docs"]
    if current_app.debug and _last_edit(docs.content) != docs.edited_at:
        return init_docs(current_app, docs.document, docs.content, docs.site)
    return docs


def find_operation(identity: str) -> Operation | None:
    """An operation by its operationId, for features that link to the reference or send its samples."""
    return current_docs().reference.by_id.get(identity)


def _last_edit(content: Path) -> float:
    return max((path.stat().st_mtime for path in content.rglob("*.*")), default=0.0)


def _entries(library: Library, reference: Reference, events: Iterable[Event]) -> Iterator[Entry]:
    for guide in library.guides:
        for section in guide.prose.sections:
            yield Entry(
                kind="guide",
                url=f"{guide.url}#{section.anchor}" if section.anchor else guide.url,
                title=section.title or guide.title,
                context=guide.title if section.title else "",
                body=section.text if section.anchor else f"{guide.summary} {section.text}",
                hidden=section.code,
            )
    for operation in reference.operations:
        yield _operation_entry(operation, reference)
    for event in events:
        yield _event_entry(event, library)
    for error in library.errors:
        yield _error_entry(error)


def _operation_entry(operation: Operation, reference: Reference) -> Entry:
    names = " ".join(dict.fromkeys(row.name for row in operation.telling_rows))
    group = reference.group(operation.group)
    return Entry(
        kind="operation",
        url=operation.url,
        title=operation.title,
        context=f"{operation.method} {operation.path}",
        keywords=f"{group.title if group else ''} {operation.id} {operation.permission or ''}",
        body=plain_text(describe(operation.description)),
        hidden=names,
        label=operation.method,
    )


def _event_entry(event: Event, library: Library) -> Entry:
    entry = library.events.get(event.name)
    rows = (row.name for top in event.body.properties for row in top.walk())
    return Entry(
        kind="event",
        url=event.url,
        title=event.summary,
        context=event.name,
        keywords="webhook event",
        body=" ".join(section.text for section in entry.prose.sections) if entry else "",
        hidden=" ".join(dict.fromkeys(rows)),
        label=event.family,
    )


def _error_entry(error: ErrorEntry) -> Entry:
    sections = error.prose.sections
    return Entry(
        kind="error",
        url=error.url,
        title=error.title,
        context=error.code,
        keywords=str(error.status),
        body=" ".join([error.summary, *(section.text for section in sections)]),
        hidden=" ".join(section.code for section in sections),
        label=str(error.status),
    )
