"""Which column of a file feeds which parameter of a mapping, and which are passed over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from portal.core.errors import ValidationFailed
from sandbox.integration.incoming.definition import Definition, Row
from sandbox.integration.incoming.targets.target import Target

ADDED = ("outcome", "record_id", "error_code", "message")
"""What the result file adds to each row."""
_PREFIXED = tuple(f"import_{name}" for name in ADDED)
_MOST_NAMED = 20


@dataclass(frozen=True)
class Column:
    """A column: its place in a row and its heading; the parameter it feeds, and that parameter's ERP fields.

    `is_ours` is true for what an earlier result file added.
    """

    place: int
    heading: str
    parameter: str | None
    fields: tuple[str, ...]
    is_ours: bool


def list_parameters(definition: Definition) -> dict[str, tuple[str, ...]]:
    """The parameters that a column can carry, each with the ERP fields it goes into; joined ones too, lists never."""
    found: dict[str, list[str]] = {}
    for row in definition.rows:
        if row.type == "list":
            continue
        joined = [name for step in row.transformations for name in step.sources or ()]
        for name in ([row.source] if row.source else []) + joined:
            found.setdefault(name, []).append(row.field)
    return {name: tuple(dict.fromkeys(fields)) for name, fields in found.items()}


def list_required(definition: Definition) -> list[str]:
    """The parameters without which every row fails."""
    return [row.source for row in definition.rows if row.required and row.source and not _makes_one(row)]


def find_obstacle(target: Target, definition: Definition) -> str | None:
    """Why no row of a file could be written, where that is so: a row is flat, and a list is required."""
    needed = {field.name for field in target.fields if field.kind == "list" and field.is_required}
    for row in definition.rows:
        if row.type == "list" and (row.required or row.field in needed):
            return f"A CSV row cannot hold the list {row.source or row.field}, so every row would fail"
    return None


def match_columns(heading: Sequence[str], definition: Definition) -> list[Column]:
    """Each named column with what it feeds: headings match whatever their case and surrounding blanks.

    Raises ValidationFailed where two columns name one parameter, or none names any.
    """
    parameters = list_parameters(definition)
    folded = {_fold(name): name for name in reversed(list(parameters))}
    ours = _ours(heading, parameters)
    columns = []
    for place, name in enumerate(heading):
        if not name.strip():
            continue
        known = name if name in parameters else folded.get(_fold(name))
        is_ours = place in ours
        parameter = None if is_ours else known
        columns.append(Column(place, name.strip(), parameter, parameters.get(parameter or "", ()), is_ours))
    _refuse_twins(columns)
    _refuse_strangers(columns, parameters)
    return columns


def name_added(heading: Sequence[str], definition: Definition) -> tuple[str, ...]:
    """What the added columns are called: with a prefix where the file or the mapping has such a name itself."""
    taken = {_fold(name) for name in (*heading, *list_parameters(definition))}
    return _PREFIXED if taken & set(ADDED) else ADDED


def _makes_one(row: Row) -> bool:
    return any(step.kind in {"constant", "default", "join"} for step in row.transformations)


def _fold(name: str) -> str:
    return name.strip().casefold().removeprefix("$.")


def _ours(heading: Sequence[str], parameters: Sequence[str] | dict[str, tuple[str, ...]]) -> set[int]:
    """The places of the columns that a result file of ours had, known by standing there all four."""
    own = {_fold(name) for name in parameters}
    places = {_fold(name): place for place, name in enumerate(heading)}
    found: set[int] = set()
    for names in (ADDED, _PREFIXED):
        if set(names) <= set(places) and not own & set(names):
            found |= {places[name] for name in names}
    return found


def _refuse_twins(columns: Sequence[Column]) -> None:
    fed: dict[str, str] = {}
    for column in columns:
        if column.parameter is None:
            continue
        if column.parameter in fed:
            twins = f"{fed[column.parameter]} and {column.heading}"
            raise ValidationFailed(
                {"file": f"Two columns, {twins}, name the parameter {column.parameter}. Leave one of them"}
            )
        fed[column.parameter] = column.heading


def _refuse_strangers(columns: Sequence[Column], parameters: dict[str, tuple[str, ...]]) -> None:
    if parameters and not any(column.parameter for column in columns):
        headings = [column.heading for column in columns]
        found, wanted = (", ".join(names[:_MOST_NAMED]) for names in (headings, list(parameters)))
        raise ValidationFailed({"file": f"No column is a parameter of the mapping: expected {wanted}; found {found}"})
