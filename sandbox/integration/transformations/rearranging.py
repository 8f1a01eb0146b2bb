"""What the editor's buttons do to the rows before anything is saved: add, remove, move up or down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.integration.transformations.typed import Kinds, Typed, blank_item

MOST_OF_A_KIND = 60


@dataclass(frozen=True)
class Additions:
    """What may be added: an empty row, and items of a group such as `transformations`: the text that names the kind
    chosen, and what each kind takes.
    """

    row: Callable[[], Typed]
    items: dict[str, tuple[str, Kinds]]


def rearrange(rows: list[Typed], act: str, additions: Additions) -> str:
    """Do what a button says, such as `remove rows.2.checks.0`, to the rows. Gives the place to look at afterwards.

    What does not fit the rows, since they changed meanwhile or nobody's button says it, changes nothing.
    """
    verb, _, place = act.partition(" ")
    holder, last = _find({"rows": rows}, place.split("."))
    if verb == "add" and isinstance(holder, dict) and isinstance(holder.get(last), list):
        return _add(holder, last, place, additions)
    if not isinstance(holder, list) or not _is_place(last, holder):
        return ""
    at, above = int(last), place.rpartition(".")[0]
    if verb == "remove":
        del holder[at]
        return above
    to = at + {"up": -1, "down": 1}.get(verb, 0)
    if not 0 <= to < len(holder):
        return place
    holder[at], holder[to] = holder[to], holder[at]
    return f"{above}.{to}"


def _add(holder: Typed, name: str, place: str, additions: Additions) -> str:
    items: list[Typed] = holder[name]
    if len(items) >= MOST_OF_A_KIND:
        return place
    if name == "rows":
        items.append(additions.row())
        return f"{place}.{len(items) - 1}"
    if name not in additions.items:
        return place
    chosen, kinds = additions.items[name]
    if holder[chosen] not in kinds:
        return place
    items.append(blank_item(holder[chosen], kinds))
    holder[chosen] = ""
    return f"{place}.{len(items) - 1}"


def _find(value: Any, parts: list[str]) -> tuple[Any, str]:
    """What holds the last part, and that part."""
    for part in parts[:-1]:
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and _is_place(part, value):
            value = value[int(part)]
        else:
            return None, ""
    return value, parts[-1]


def _is_place(text: str, items: list[Any]) -> bool:
    """True for the plain number of one of these items."""
    return text.isascii() and text.isdecimal() and len(text) < 5 and int(text) < len(items)
