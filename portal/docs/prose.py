"""Markdown to the parts of a page: markup, and code that the templates put into panels."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from html.parser import HTMLParser
from typing import Any
from xml.etree.ElementTree import Element, SubElement

import nh3
from markdown import Markdown
from markdown.extensions import Extension
from markdown.extensions.tables import TableExtension
from markdown.extensions.toc import TocExtension
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor
from markupsafe import Markup
from pygments import highlight as pygments_highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

LANGUAGES = {
    "bash": "Shell",
    "http": "HTTP",
    "ini": "Settings",
    "javascript": "JavaScript",
    "json": "JSON",
    "python": "Python",
    "sql": "SQL",
    "text": "Text",
    "yaml": "YAML",
}
TABS = {"Shell": "curl", "Python": "python", "JavaScript": "javascript"}
DESCRIPTION_TAGS = {"a", "br", "code", "dd", "dl", "dt", "em", "li", "ol", "p", "strong", "ul"}

_formatter = HtmlFormatter(nowrap=True)
_marker = re.compile(r'<pre data-panel="(\d+)"></pre>')


@dataclass(frozen=True, slots=True)
class Code:
    """A fenced block: what it does (`title`), its language's name, and highlighted markup."""

    title: str
    language: str
    text: str
    markup: Markup


@dataclass(frozen=True, slots=True)
class Samples:
    """One request in several languages, under the heading `title`: the name of each tab, its label and its markup."""

    id: str
    title: str
    variants: tuple[tuple[str, str, Markup], ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading a page can point to."""

    level: int
    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """The plain text and the code under a heading, for the search index; the first one has no heading."""

    anchor: str
    title: str
    text: str
    code: str


@dataclass(frozen=True, slots=True)
class Prose:
    """A rendered document. `parts` are markup and code, in order; joined they are the page's text."""

    parts: tuple[Markup | Code, ...]
    headings: tuple[Heading, ...]
    sections: tuple[Section, ...]

    @property
    def blocks(self) -> list[Markup | Code | Samples]:
        """The parts, with code blocks in a row that differ in language alone grouped, as their panels show them."""
        return list(_blocks(self.parts, {heading.anchor: heading.text for heading in self.headings}))

    @property
    def markup(self) -> str:
        """All markup without the panels' frames, for checks."""
        return "".join(part.markup if isinstance(part, Code) else part for part in self.parts)


def render(text: str) -> Prose:
    """Render a document a writer wrote. Raw HTML in it is kept: content is trusted, visitors' text is not."""
    fences = Fences()
    converter = Markdown(
        extensions=[
            "abbr",
            "attr_list",
            "def_list",
            "md_in_html",
            "sane_lists",
            TableExtension(use_align_attribute=True),
            TocExtension(anchorlink=False, toc_depth="2-4"),
            fences,
            Furniture(fences),
        ]
    )
    markup = converter.convert(text)
    headings = tuple(_headings(converter.toc_tokens))  # type: ignore[attr-defined]
    parts = tuple(_parts(markup, fences.found))
    return Prose(parts, headings, tuple(_sections(parts, headings)))


def describe(text: str) -> Markup:
    """A description out of an API document as markup. Anything but plain text marks is taken out."""
    markup = Markdown(extensions=["sane_lists"]).convert(text)
    return Markup(nh3.clean(markup, tags=DESCRIPTION_TAGS, link_rel="noopener"))  # noqa: S704


@lru_cache(maxsize=2048)
def highlight(text: str, language: str) -> Markup:
    """Spans of Pygments classes, escaped. An unknown language is plain text."""
    try:
        lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        lexer = get_lexer_by_name("text", stripnl=False, ensurenl=False)
    return Markup(pygments_highlight(text, lexer, _formatter).rstrip("\n"))  # noqa: S704


def plain_text(markup: str) -> str:
    """The words of some markup, white space folded."""
    reader = _Words()
    reader.feed(markup)
    return " ".join("".join(reader.words).split())


class Fences(Extension, Preprocessor):
    """Fenced code, at any indentation, with an optional `title="…"`."""

    pattern = re.compile(
        r"^(?P<indent> *)(?P<fence>`{3,}|~{3,}) *(?P<language>[\w+-]*)(?P<rest>[^\n`]*)\n"
        r"(?P<text>.*?)^ *(?P=fence) *$",
        re.MULTILINE | re.DOTALL,
    )

    def __init__(self) -> None:
        Extension.__init__(self)
        self.found: list[Code] = []

    def extendMarkdown(self, md: Markdown) -> None:
        self.md = md
        md.preprocessors.register(self, "fences", 28)

    def run(self, lines: list[str]) -> list[str]:
        return self.pattern.sub(self.keep, "\n".join(lines)).split("\n")

    def keep(self, match: re.Match[str]) -> str:
        language = match["language"] or "text"
        text = re.sub(f"^ {{0,{len(match['indent'])}}}", "", match["text"], flags=re.MULTILINE).rstrip("\n")
        title = re.search(r'title="([^"]+)"', match["rest"])
        number = self.add(text, language, title[1] if title else "")
        place = self.md.htmlStash.store(f'<pre data-panel="{number}"></pre>')
        indent = " " * (-(-len(match["indent"]) // 4) * 4)
        return f"\n{indent}{place}\n"

    def add(self, text: str, language: str, title: str = "") -> int:
        """Keep a block; its number is what the marker in the markup says."""
        name = LANGUAGES.get(language, language)
        self.found.append(Code(title or name, name, text, highlight(text, language)))
        return len(self.found) - 1


class Furniture(Extension, Treeprocessor):
    """Headings get a link to themselves, tables a frame that scrolls, indented code a panel."""

    def __init__(self, fences: Fences) -> None:
        Extension.__init__(self)
        self.fences = fences

    def extendMarkdown(self, md: Markdown) -> None:
        self.md = md
        md.treeprocessors.register(self, "furniture", 3)

    def run(self, root: Element) -> None:
        for heading in root.iter():
            if re.fullmatch("h[2-4]", heading.tag or "") and heading.get("id"):
                self.link(heading)
        for block in [block for block in root.iter("pre") if block.find("code") is not None]:
            text = "".join(block.itertext()).rstrip("\n")
            block.clear()
            block.set("data-panel", str(self.fences.add(unescape(text), "text")))
        self.frame(root, [""])

    def link(self, heading: Element) -> None:
        name = "".join(heading.itertext())
        anchor = {"class": "anchor", "href": f"#{heading.get('id')}", "aria-label": f"Link to {name}"}
        if len(heading):
            heading[-1].tail = (heading[-1].tail or "") + " "
        else:
            heading.text = (heading.text or "") + " "
        SubElement(heading, "a", anchor).text = "#"

    def frame(self, parent: Element, titles: list[str]) -> None:
        for place, child in enumerate(list(parent)):
            if re.fullmatch("h[2-4]", child.tag):
                titles.append("".join(child.itertext()).removesuffix("#").strip())
            if child.tag != "table":
                self.frame(child, titles)
                continue
            words = {"class": "table-scroll", "role": "region", "tabindex": "0", "aria-label": titles[-1]}
            parent[place] = frame = Element("div", words)
            frame.tail, child.tail = child.tail, None
            frame.append(child)


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("a", "code", "em", "span", "strong"):
            self.words.append(" ")


def _parts(markup: str, found: list[Code]) -> Iterator[Markup | Code]:
    for number, piece in enumerate(_marker.split(markup)):
        if number % 2:
            yield found[int(piece)]
        elif piece.strip():
            yield Markup(piece)  # noqa: S704


def _blocks(parts: tuple[Markup | Code, ...], names: Mapping[str, str]) -> Iterator[Markup | Code | Samples]:
    title, number, place = "Sample", 0, 0
    while place < len(parts):
        row = _row_of_languages(parts[place:])
        part = parts[place]
        if len(row) > 1:
            number += 1
            variants = tuple((TABS[code.language], code.language, code.markup) for code in row)
            yield Samples(f"sample-{number}", title, variants)
        else:
            if not isinstance(part, Code) and (anchors := re.findall(r'<h[2-4] id="([^"]+)"', part)):
                title = names.get(anchors[-1], title)
            yield part
        place += max(len(row), 1)


def _row_of_languages(parts: tuple[Markup | Code, ...]) -> list[Code]:
    """Return the code blocks at the beginning of `parts` that are written in distinct languages with a tab."""
    row: list[Code] = []
    for part in parts:
        if not isinstance(part, Code) or part.language not in TABS or part.language in {code.language for code in row}:
            break
        row.append(part)
    return row


def _headings(tokens: list[dict[str, Any]]) -> Iterator[Heading]:
    for token in tokens:
        yield Heading(token["level"], token["id"], Markup(token["name"]).unescape())  # noqa: S704
        yield from _headings(token["children"])


def _sections(parts: tuple[Markup | Code, ...], headings: tuple[Heading, ...]) -> Iterator[Section]:
    names = {heading.anchor: heading.text for heading in headings}
    anchor, text, code = "", "", ""
    for part in parts:
        if isinstance(part, Code):
            code += f"{part.text}\n"
            continue
        before, *rest = re.split(r'<h[2-4] id="([^"]+)">.*?</h[2-4]>', part, flags=re.DOTALL)
        text += before
        for name, more in zip(rest[::2], rest[1::2], strict=True):
            yield Section(anchor, names.get(anchor, ""), plain_text(text), code)
            anchor, text, code = name, more, ""
    yield Section(anchor, names.get(anchor, ""), plain_text(text), code)
