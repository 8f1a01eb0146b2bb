"""Everything writers edit under content/, read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from portal.docs.guides import Fill, Guide, load_guides, need, read_front_matter
from portal.docs.prose import Prose, render

WRITTEN_ADDRESS = "http://localhost:8000"


@dataclass(frozen=True, eq=False)
class ErrorEntry:
    """A page of the error catalogue: one code of the closed list."""

    code: str
    status: int
    title: str
    summary: str
    source: str
    prose: Prose

    @property
    def url(self) -> str:
        return f"/errors/{self.code}"


@dataclass(frozen=True, eq=False)
class EventEntry:
    """What writers say of an event: when it is announced, and the operations that cause it, by operationId."""

    name: str
    causes: tuple[str, ...]
    source: str
    prose: Prose


@dataclass(frozen=True, eq=False)
class Changelog:
    """What changed, newest first."""

    title: str
    summary: str
    source: str
    prose: Prose


@dataclass(frozen=True, eq=False)
class Library:
    """Guides in reading order, errors by status, events by name, the changelog, and the data of the home page."""

    guides: tuple[Guide, ...]
    errors: tuple[ErrorEntry, ...]
    events: Mapping[str, EventEntry]
    changelog: Changelog
    home: Mapping[str, Any]
    areas: Mapping[str, Any]
    checklist: Mapping[str, Any]

    def guide(self, slug: str) -> Guide | None:
        return next((guide for guide in self.guides if guide.slug == slug), None)

    def renamed_guide(self, slug: str) -> Guide | None:
        """Return the guide that had this slug before, so that its old address can redirect."""
        return next((guide for guide in self.guides if slug in guide.was), None)

    def error(self, code: str) -> ErrorEntry | None:
        return next((error for error in self.errors if error.code == code), None)


def load_library(content: Path, address: str) -> Library:
    """Read and render all content. Samples show `address`, where readers will send them.

    Raises BrokenContent when a file lacks a field its page needs.
    """

    def fill(text: str) -> str:
        return text.replace(WRITTEN_ADDRESS, address) if address else text

    return Library(
        guides=load_guides(content / "guides", fill),
        errors=_load_errors(content / "errors", fill),
        events=_load_events(content / "events", fill),
        changelog=_load_changelog(content / "changelog.md", fill),
        home=_load_yaml(content / "home.yaml", fill),
        areas=_load_yaml(content / "areas.yaml", fill),
        checklist=_load_yaml(content / "checklist.yaml", fill),
    )


def _load_errors(folder: Path, fill: Fill) -> tuple[ErrorEntry, ...]:
    return tuple(
        sorted(
            (_read_error(path, fill) for path in folder.glob("*.md")),
            key=lambda error: (error.status, error.code),
        )
    )


def _read_error(path: Path, fill: Fill) -> ErrorEntry:
    fields, source = read_front_matter(path, fill)
    return ErrorEntry(
        code=str(need(fields, "code", path)),
        status=int(need(fields, "status", path)),
        title=str(need(fields, "title", path)),
        summary=str(need(fields, "summary", path)),
        source=source,
        prose=render(source),
    )


def _load_events(folder: Path, fill: Fill) -> dict[str, EventEntry]:
    entries = (_read_event(path, fill) for path in sorted(folder.glob("*.md")))
    return {entry.name: entry for entry in entries}


def _read_event(path: Path, fill: Fill) -> EventEntry:
    fields, source = read_front_matter(path, fill)
    return EventEntry(
        name=str(need(fields, "event", path)),
        causes=tuple(need(fields, "causes", path)),
        source=source,
        prose=render(source),
    )


def _load_changelog(path: Path, fill: Fill) -> Changelog:
    fields, source = read_front_matter(path, fill) if path.exists() else ({}, "")
    return Changelog(
        title=str(fields.get("title", "Changelog")),
        summary=str(fields.get("summary", "")),
        source=source,
        prose=render(source),
    )


def _load_yaml(path: Path, fill: Fill) -> Mapping[str, Any]:
    return yaml.safe_load(fill(path.read_text(encoding="utf-8"))) or {}
