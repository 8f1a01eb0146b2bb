"""Finding text from right to left that stands in the direction of the page instead of its own."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

from tests.lint import Page

HEBREW = re.compile(r"[\u0590-\u05ff]")
UNSEEN = {"title", "meta", "script"}
TYPED = {"input", "textarea"}


def misdirected(page: Page) -> list[str]:
    """Every piece of Hebrew in a page without `dir=auto` or `bdi` around it, and every field that holds some."""
    faults: list[str] = []
    _walk(page.root, False, faults)
    return faults


def _walk(node: Element, is_directed: bool, faults: list[str]) -> None:
    if not isinstance(node.tag, str) or node.tag in UNSEEN or node.get("type") == "hidden":
        return
    own = is_directed or node.tag == "bdi" or node.get("dir") == "auto"
    shown = [node.text or "", *((child.tail or "") for child in node), _typed(node)]
    faults += [f"<{node.tag} class={node.get('class')}> {text.strip()[:60]}" for text in shown if _is_wrong(text, own)]
    for child in node:
        _walk(child, own, faults)


def _typed(node: Element) -> str:
    return node.get("value", "") if node.tag in TYPED else ""


def _is_wrong(text: str, is_directed: bool) -> bool:
    return bool(HEBREW.search(text)) and not is_directed
