"""Columns derived from other columns of their row: keys by which texts are compared, sorted and found.

A derived column follows its sources, whether they are assigned to an object or inserted as a row. It is no field of the
record: the audit trail and the effects of a dry run leave it out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import BigInteger, Column, String, Table, event
from sqlalchemy.orm import Mapper, mapped_column
from sqlalchemy.types import TypeEngine

from portal.core.text import fold

_DERIVED = "derived"
LONGEST_KEY = 800
"""Folding may lengthen a text: some letters become three."""
Purpose = Literal["comparison", "order", "field"]


@dataclass(frozen=True)
class Derivation:
    """How a column follows from others: `derive` takes their values in the order of `sources`.

    `purpose` says whether it stands for the first source in comparisons, in the order of lists, or for itself.
    """

    sources: tuple[str, ...]
    derive: Callable[..., Any]
    purpose: Purpose


def derived_column(
    type_: TypeEngine[Any], sources: tuple[str, ...], derive: Callable[..., Any], purpose: Purpose = "field"
) -> Any:
    """Return a column of a model that is `derive` of the columns named."""

    def default(context: Any) -> Any:
        row = context.get_current_parameters()
        return derive(*(row.get(name) for name in sources))

    derivation = Derivation(sources, derive, purpose)
    return mapped_column(type_, default=default, nullable=True, info={_DERIVED: derivation})


def comparison_key(source: str) -> Any:
    """Return a column by which `source` is compared whatever its case, in every script."""
    derive: Callable[[str | None], str | None] = lambda text: None if text is None else fold(text)  # noqa: E731
    return derived_column(String(LONGEST_KEY), (source,), derive, "comparison")


def order_key(source: str, derive: Callable[[str], int]) -> Any:
    """Return a column by which lists sorted by `source` are ordered: numbers of documents by year and count."""
    return derived_column(BigInteger(), (source,), lambda text: None if text is None else derive(text), "order")


def find_derived(table: Table, source: str, purpose: Purpose) -> tuple[Column[Any], Callable[[Any], Any]] | None:
    """Return the column that stands for `source`, and what derives a value of it; None if there is none."""
    for column in table.columns:
        derivation: Derivation | None = column.info.get(_DERIVED)
        if derivation is not None and derivation.purpose == purpose and derivation.sources[0] == source:
            return column, derivation.derive
    return None


def is_key(column: Column[Any]) -> bool:
    """Return True for a derived column that is a key only, and no field that anybody is shown."""
    derivation: Derivation | None = column.info.get(_DERIVED)
    return derivation is not None and derivation.purpose != "field"


@event.listens_for(Mapper, "mapper_configured")
def _follow_sources(mapper: Mapper[Any], model: type[Any]) -> None:
    for attribute in mapper.column_attrs:
        derivation: Derivation | None = attribute.columns[0].info.get(_DERIVED)
        if derivation is not None:
            for source in derivation.sources:
                event.listen(getattr(model, source), "set", _follower(attribute.key, source, derivation))


def _follower(name: str, source: str, derivation: Derivation) -> Callable[..., None]:
    def follow(row: Any, value: Any, before: Any, initiator: Any) -> None:
        values = (value if each == source else getattr(row, each) for each in derivation.sources)
        setattr(row, name, derivation.derive(*values))

    return follow
