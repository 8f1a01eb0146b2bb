"""Where a value stands in what was sent: a parameter's name, or a path, a small part of JSONPath (RFC 9535).

`$` is the record; then come names and places: `.name`, `['any name']`, `[0]`. The `$.` in front may be left out.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

MISSING = object()
DEEPEST = 20
SUCH_AS = "write it such as order.lines[0].sku"
_STEP = re.compile(r"""\.?([^.\[\]'"$]+)|\[(\d{1,6})\]|\['([^']+)'\]|\["([^"]+)"\]""")

Path = tuple[str | int, ...]


@lru_cache(maxsize=2000)
def parse_source(text: str) -> Path:
    """The steps of a path. Raises ValueError for what is none, telling why."""
    rest = text.removeprefix("$")
    steps: list[str | int] = []
    position = 0
    while position < len(rest):
        found = _STEP.match(rest, position)
        if found is None or (position == 0 and rest[0] == "." and text[0] != "$"):
            raise ValueError(f"cannot be read from {rest[position : position + 20]!r} on; {SUCH_AS}")
        name, place, quoted, doubled = found.groups()
        steps.append(int(place) if place else name or quoted or doubled)
        position = found.end()
    if len(steps) > DEEPEST:
        raise ValueError(f"goes deeper than {DEEPEST} steps")
    return tuple(steps)


def find_value(record: Any, source: str) -> Any:
    """What stands at the source, or MISSING. A parameter of that very name comes before a path."""
    if isinstance(record, dict) and source in record:
        return record[source]
    value = record
    for step in parse_source(source):
        value = _inside(value, step)
    return value


def _inside(value: Any, step: str | int) -> Any:
    if isinstance(step, str):
        return value.get(step, MISSING) if isinstance(value, dict) else MISSING
    return value[step] if isinstance(value, list) and step < len(value) else MISSING
