"""Finding a value in an answer's JSON by a path such as `data.items[0].id`."""

from __future__ import annotations

import json
import re
from typing import Any

from portal.core.masking import storable

_NAME, _PLACE = "[A-Za-z0-9_@:-]+", r"\[[0-9]{1,4}\]"
PATH_PATTERN = rf"^(\$\.?)?({_NAME}|{_PLACE})(\.{_NAME}|{_PLACE})*$"
"""Names joined by dots, each with places of lists in brackets; `$.` may stand in front."""
_STEP = re.compile(rf"({_NAME})|\[([0-9]{{1,4}})\]")


def read_answer(body: bytes) -> Any:
    """An answer's JSON, numbers as they were written; None for anything else, and for what was cut."""
    try:
        return json.loads(body, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        return None


def value_at(document: Any, path: str) -> str | None:
    """The text, number or truth value at `path`, as text; None where none is."""
    node = document
    for name, place in _STEP.findall(path):
        if name and isinstance(node, dict):
            node = node.get(name)
        elif place and isinstance(node, list) and int(place) < len(node):
            node = node[int(place)]
        else:
            return None
    if isinstance(node, bool):
        return "true" if node else "false"
    return storable(node) if isinstance(node, str) else None
