"""What a person at the incoming pages does: fill in the form that stands there, press a button of it."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

from werkzeug.datastructures import MultiDict

from tests.lint import Page
from tests.sandbox.console.conftest import Visitor

ROOT = "/sandbox/integration"


def typed_in(page: Page, action: str) -> MultiDict[str, str]:
    """Everything that the page's form to this address holds, as a browser would send it; fragments aside."""
    forms = page.find_all("form", method="post")
    form = next(node for node in forms if node.get("action", "").partition("#")[0] == action.partition("#")[0])
    typed: MultiDict[str, str] = MultiDict()
    for node in form.iter():
        name = node.get("name")
        if name and name != "do" and (value := _value_of(node)) is not None:
            typed.add(name, value)
    return typed


def _value_of(node: Element) -> str | None:
    if node.tag == "textarea":
        return (node.text or "").removeprefix("\n")
    if node.tag == "select":
        options = list(node.iter("option"))
        chosen = [option for option in options if option.get("selected") is not None] or options[:1]
        return chosen[0].get("value", "") if chosen else None
    if node.tag != "input" or (node.get("type") in {"checkbox", "radio"} and node.get("checked") is None):
        return None
    return node.get("value", "")


def mapping_path(visitor: Visitor, name: str) -> str:
    """The editor of the mapping of this name."""
    page = visitor.get(f"{ROOT}/incoming")
    return next(link.get("href", "") for link in page.find_all("a") if "".join(link.itertext()) == name)


def press(visitor: Visitor, page: Page, path: str, do: str, status: int = 200, **typed: Any) -> Page:
    """Fill in the editor that stands on the page, press a button; dots of names are written as two underscores."""
    data = typed_in(page, path)
    for name, value in typed.items():
        data.setlist(name.replace("__", "."), [value])
    return visitor.post(path, {**data.to_dict(flat=False), "do": do}, status)


def complaints(page: Page) -> dict[str, str]:
    """What stands beside which field, by the field's name."""
    nodes = {node.get("id"): " ".join("".join(node.itertext()).split()) for node in page.root.iter("p")}
    marked = [node for node in page.root.iter() if node.get("aria-invalid") == "true"]
    return {
        node.get("name", ""): nodes[node.get("aria-describedby", "").split()[-1]].removeprefix("Error: ").strip()
        for node in marked
    }
