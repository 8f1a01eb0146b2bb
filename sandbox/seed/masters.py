"""The masters and their entries, from the reference data."""

from __future__ import annotations

from typing import Any

from sandbox.seed.reference import SET_UP, stamped
from sandbox.seed.words import Row, Words


def master_rows(words: Words) -> list[Row]:
    """The masters in the order of the file."""
    titles = words.reference["masters"]
    return [
        stamped({"id": id_, "name": name, "title": title}, SET_UP)
        for id_, (name, title) in enumerate(titles.items(), 1)
    ]


def entry_rows(words: Words, masters: list[Row]) -> list[Row]:
    """The entries of every master, one master after another."""
    rows = [(master["id"], entry) for master in masters for entry in words.reference[master["name"]]]
    return [stamped({"id": id_, **_entry(master_id, entry)}, SET_UP) for id_, (master_id, entry) in enumerate(rows, 1)]


def _entry(master_id: int, entry: str | dict[str, Any]) -> Row:
    """A bare name, or a name with its code and what else is known of it."""
    known = {"name": entry} if isinstance(entry, str) else dict(entry)
    label = known.pop("name")
    code = known.pop("code", label.lower().replace(" ", "-"))
    return {"master_id": master_id, "code": code, "label": label, "extra": known}
