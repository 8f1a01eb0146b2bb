"""A definition as the editor's form holds it: texts under dotted names, such as `rows.3.checks.0.pattern`.

Whatever was typed stays as it was typed, however wrong, until it reads as a definition.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from sandbox.integration.incoming.definition import CheckKind, Definition, ItemRow
from sandbox.integration.transformations.rearranging import Additions
from sandbox.integration.transformations.typed import (
    STEPS,
    Document,
    Typed,
    entries_of,
    item_document,
    read_item,
    show_item,
    text_of,
)

CHECKS: dict[str, tuple[str, ...]] = {
    "not_empty": (),
    "pattern": ("pattern",),
    "email": (),
    "phone": (),
    "date": ("format",),
    "range": ("min", "max"),
    "unique": (),
    "master": ("master",),
}
"""What each kind of check takes besides its code and message."""
assert set(CHECKS) == set(get_args(CheckKind))
ROW_TEXTS = ("source", "field", "type", "required", "code", "message", "new_step", "new_check")


def read_rows(value: Any) -> list[Typed]:
    """The rows of a nested form, each with every text, its steps, checks and inner rows."""
    return [_read_row(row) for row in entries_of(value)]


def blank_row(**texts: str) -> Typed:
    """A row in which nothing was typed but `texts`."""
    return _read_row({"type": "string", **texts})


def show_definition(definition: Definition) -> list[Typed]:
    """A definition's rows as a form shows them."""
    return [_show_row(row) for row in definition.rows]


def document_of(rows: Sequence[Typed]) -> tuple[list[Document], dict[str, str]]:
    """The rows as a definition's document, and what of the texts cannot be read, by its dotted name."""
    faults: dict[str, str] = {}
    return [_row_document(row, f"rows.{number}", faults) for number, row in enumerate(rows)], faults


def _read_row(row: Typed) -> Typed:
    return {
        **{name: text_of(row.get(name)) for name in ROW_TEXTS},
        "transformations": [read_item(step, STEPS) for step in entries_of(row.get("transformations"))],
        "checks": [read_item(check, CHECKS, ("code", "message")) for check in entries_of(row.get("checks"))],
        "rows": read_rows(row.get("rows")),
    }


def _row_document(row: Typed, place: str, faults: dict[str, str]) -> Document:
    document: Document = {name: row[name].strip() for name in ("source", "code", "message") if row[name].strip()}
    document |= {"field": row["field"].strip(), "type": row["type"], "required": bool(row["required"])}
    for group in ("transformations", "checks"):
        items = enumerate(row[group])
        document[group] = [item_document(item, f"{place}.{group}.{number}", faults) for number, item in items]
    if row["rows"]:
        inner = enumerate(row["rows"])
        document["rows"] = [_row_document(line, f"{place}.rows.{number}", faults) for number, line in inner]
        for line in document["rows"]:
            line.pop("rows", None)
    return document


def _show_row(row: ItemRow) -> Typed:
    said = row.model_dump(exclude_none=True)
    return _read_row(
        {
            **{name: said.get(name, "") for name in ("source", "field", "type", "code", "message")},
            "required": "yes" if row.required else "",
            "transformations": [show_item(step) for step in said["transformations"]],
            "checks": [show_item(check) for check in said["checks"]],
            "rows": [_show_row(line) for line in getattr(row, "rows", ())],
        }
    )


ADDITIONS = Additions(blank_row, {"transformations": ("new_step", STEPS), "checks": ("new_check", CHECKS)})
"""What the editor's buttons may add."""
