"""What the documentation knows, put together once, and what other features may ask it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
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
    """The documentation of one application: the API document, the content, the index."""

    document: Mapping[str, Any]
    site: Site
    reference: Reference
    events: tuple[Event, ...]
    library: Library
    index: Index
    edited_at: float

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


class DocsLoader:
    """Reads the documentation when it is first asked for: a worker, or a command, seldom does.

    In debug mode it is read again after each edit of a writer.
    """

    def __init__(self, describe: Callable[[], Mapping[str, Any]], content: Path, site: Site) -> None:
        self._describe = describe
        self._content = content
        self._site = site
        self._lock = Lock()
        self._docs: Docs | None = None

    def load(self, *, is_edited: bool = False) -> Docs:
        """Return the documentation. Raises BrokenContent if a file lacks what its page needs."""
        with self._lock:
            docs = self._docs
            if docs is None or (is_edited and docs.edited_at != _last_edit(self._content)):
                docs = self._docs = _read(self._describe(), self._content, self._site)
            return docs


def init_docs(app: Flask, describe: Callable[[], Mapping[str, Any]], content: Path, site: Site) -> None:
    """Give `app` its documentation, which is read later.

    `describe` returns any OpenAPI 3.1 document. `content` is the folder that writers edit.
    """
    init_printing(app, Shelf())
    app.extensions["docs"] = DocsLoader(describe, content, site)


def load_docs(app: Flask) -> Docs:
    """Return the documentation of an application, read now if it was not yet. Raises BrokenContent."""
    loader: DocsLoader = app.extensions["docs"]
    return loader.load(is_edited=app.debug)


def current_docs() -> Docs:
    """Return the documentation of the current application, in debug mode with the latest edits."""
    return load_docs(current_app)


def _read(document: Mapping[str, Any], content: Path, site: Site) -> Docs:
    reference, events = read_reference(document), read_events(document)
    library = load_library(content, site.base_url)
    index = Index(_entries(library, reference, events))
    return Docs(document, site, reference, events, library, index, _last_edit(content))


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
