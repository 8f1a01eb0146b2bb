"""Reading a page as a careful visitor: parsing it, and refusing what no page of ours may have."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
from werkzeug.test import TestResponse

LABELLED = {"input", "select", "textarea"}
UNLABELLED_TYPES = {"hidden", "submit", "button"}


@dataclass(frozen=True)
class Page:
    """A page that was found sound."""

    path: str
    response: TestResponse
    root: Element

    @property
    def text(self) -> str:
        """All words of the page, white space folded."""
        return " ".join(" ".join(self.root.itertext()).split())

    @property
    def html(self) -> str:
        return self.response.get_data(as_text=True)

    @property
    def links(self) -> list[str]:
        return [link.get("href", "") for link in self.root.iter("a")]

    def find_all(self, tag: str, **attributes: str) -> list[Element]:
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [node for node in self.root.iter(tag) if all(node.get(key) == value for key, value in wanted.items())]

    def field(self, name: str) -> str:
        """The value of a form field, such as the CSRF token."""
        for node in self.root.iter("input"):
            if node.get("name") == name:
                return node.get("value", "")
        raise AssertionError(f"{self.path} has no field {name}")


def read_page(path: str, response: TestResponse) -> Page:
    """Parse and check a page."""
    assert response.mimetype == "text/html", f"{path} is {response.mimetype}"
    parser = html5lib.HTMLParser(strict=False, namespaceHTMLElements=False)
    root = parser.parse(response.get_data(as_text=True))
    page = Page(path, response, root)
    faults = [f"{code} {details}" for _, code, details in parser.errors] + _faults(page)
    assert not faults, f"{path}: {faults}"
    return page


def _faults(page: Page) -> list[str]:
    nodes = list(page.root.iter())
    ids = Counter(node.get("id") for node in nodes if node.get("id"))
    faults = [f"id {name} stands {count} times" for name, count in ids.items() if count > 1]
    if len(page.find_all("h1")) != 1:
        faults.append("a page has exactly one h1")
    titles = page.find_all("title")
    if not titles or not (titles[0].text or "").strip():
        faults.append("a page has a title")
    faults += [f"<{node.tag}> has an inline style" for node in nodes if node.get("style") is not None]
    faults += [f"inline handler on <{node.tag}>" for node in nodes if any(key.startswith("on") for key in _names(node))]
    faults += ["inline script" for node in page.find_all("script") if not node.get("src")]
    faults += ["inline style sheet" for _ in page.find_all("style")]
    faults += [f"form without action near {node.attrib}" for node in page.find_all("form") if not node.get("action")]
    faults += [
        f"post form without CSRF token: {node.get('action')}" for node in page.find_all("form") if _lacks_token(node)
    ]
    return faults + _unlabelled(page) + _dangling(nodes, set(ids))


def _names(node: Any) -> list[str]:
    return [key for key in node.attrib if isinstance(key, str)]


def _lacks_token(form: Element) -> bool:
    posts = (form.get("method") or "get").lower() == "post"
    return posts and not any(node.get("name") == "csrf_token" for node in form.iter("input"))


def _unlabelled(page: Page) -> list[str]:
    labelled = {label.get("for") for label in page.find_all("label")}
    wrapped = {id(node) for label in page.find_all("label") for node in label.iter()}
    return [
        f"<{node.tag} name={node.get('name')}> has no label"
        for tag in LABELLED
        for node in page.find_all(tag)
        if node.get("type") not in UNLABELLED_TYPES
        and not (
            node.get("id") in labelled or id(node) in wrapped or node.get("aria-label") or node.get("aria-labelledby")
        )
    ]


def _dangling(nodes: list[Element], ids: set[str | None]) -> list[str]:
    faults = []
    for node in nodes:
        for attribute in ("aria-describedby", "aria-labelledby", "aria-controls", "for"):
            faults += [
                f"{attribute}={name} leads nowhere" for name in (node.get(attribute) or "").split() if name not in ids
            ]
    return faults
