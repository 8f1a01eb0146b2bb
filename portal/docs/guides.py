"""Guides: Markdown files with front matter, and the navigation derived from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from portal.docs.prose import Prose, render

SECTIONS = ("Start here", "Concepts", "Using the API", "By module", "Integration", "Public flows", "Sandbox")

Fill = Callable[[str], str]


class BrokenContent(ValueError):
    """A content file lacks what its page needs; the message names file and field."""


@dataclass(frozen=True, eq=False)
class Guide:
    """One guide. `see` lists the operations it is about, by operationId; `source` is its Markdown.

    `drawing` names a drawing of the portal's chrome that opens the page. `was` lists the slugs it had before.
    """

    slug: str
    title: str
    summary: str
    section: str
    order: int
    see: tuple[str, ...]
    source: str
    prose: Prose
    drawing: str = ""
    was: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return f"/docs/{self.slug}"


def read_front_matter(path: Path, fill: Fill) -> tuple[dict[str, Any], str]:
    """The fields between the `---` lines at the top of a file, and the text below them."""
    text = fill(path.read_text(encoding="utf-8"))
    if not text.startswith("---\n"):
        return {}, text
    head, _, body = text[4:].partition("\n---\n")
    fields = yaml.safe_load(head)
    if not isinstance(fields, dict):
        raise BrokenContent(f"{path.name}: the front matter is not a list of fields")
    return fields, body.strip() + "\n"


def need(fields: dict[str, Any], name: str, path: Path) -> Any:
    """A field of the front matter that may not be missing. Raises BrokenContent."""
    if fields.get(name) in (None, ""):
        raise BrokenContent(f"{path.name}: {name} is missing")
    return fields[name]


def load_guides(folder: Path, fill: Fill) -> tuple[Guide, ...]:
    """Every guide of a folder in reading order: by section, then `order`, then title."""
    guides = [_read_guide(path, fill) for path in folder.glob("*.md")]
    _require_distinct_slugs(guides)
    return tuple(sorted(guides, key=lambda guide: (_place(guide.section), guide.order, guide.title)))


def navigation(guides: tuple[Guide, ...]) -> list[tuple[str, list[Guide]]]:
    """The guides grouped by section."""
    sections: dict[str, list[Guide]] = {}
    for guide in guides:
        sections.setdefault(guide.section, []).append(guide)
    return list(sections.items())


def neighbours(guides: tuple[Guide, ...], guide: Guide) -> tuple[Guide | None, Guide | None]:
    """The guides before and after one."""
    place = guides.index(guide)
    before = guides[place - 1] if place else None
    return before, guides[place + 1] if place + 1 < len(guides) else None


def _read_guide(path: Path, fill: Fill) -> Guide:
    fields, source = read_front_matter(path, fill)
    return Guide(
        slug=path.stem,
        title=str(need(fields, "title", path)),
        summary=str(need(fields, "summary", path)),
        section=str(need(fields, "section", path)),
        order=int(need(fields, "order", path)),
        see=tuple(fields.get("see") or ()),
        source=source,
        prose=render(source),
        drawing=str(fields.get("drawing") or ""),
        was=tuple(str(slug) for slug in fields.get("was") or ()),
    )


def _require_distinct_slugs(guides: list[Guide]) -> None:
    """Raise BrokenContent if an earlier slug belongs to another guide, now or before."""
    owners = {guide.slug: guide.slug for guide in guides}
    for guide in guides:
        for slug in guide.was:
            if owners.setdefault(slug, guide.slug) != guide.slug or slug == guide.slug:
                raise BrokenContent(f"{guide.slug}.md: was names {slug}, which is the slug of {owners[slug]}.md")


def _place(section: str) -> int:
    return SECTIONS.index(section) if section in SECTIONS else len(SECTIONS)
