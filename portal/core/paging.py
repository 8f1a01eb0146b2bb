"""Pages of a list that people read: some rows, and how many there are in all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, func, select

from portal.core.session import TenantSession
from portal.core.types import lowered

Row = TypeVar("Row")
PAGE_SIZE = 50
FURTHEST = 100_000


@dataclass(frozen=True)
class Paged(Generic[Row]):
    """One page of a list, counted from 1, and the number of rows on all pages."""

    rows: list[Row]
    total: int
    page: int = 1

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE_SIZE))

    @property
    def previous(self) -> int | None:
        return min(self.page - 1, self.pages) if self.page > 1 else None

    @property
    def next(self) -> int | None:
        return self.page + 1 if self.page < self.pages else None


def read_page(
    session: TenantSession, model: type[Row], conditions: Sequence[ColumnElement[bool]], order: Sequence[Any], page: int
) -> Paged[Row]:
    """Return a page of the rows that meet `conditions`, in `order`."""
    page = min(max(page, 1), FURTHEST)
    wanted = select(model).where(*conditions).order_by(*order).limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)
    rows = list(session.scalars(wanted))
    return Paged(rows, count_rows(session, model, *conditions), page)


def count_rows(session: TenantSession, model: type[Any], *conditions: ColumnElement[bool]) -> int:
    """Return how many rows meet `conditions`."""
    return session.scalar(select(func.count(model.id)).where(*conditions)) or 0


def holds(column: Any, term: str) -> ColumnElement[bool]:
    """A condition: the text of `column` holds `term`, whatever the case of either."""
    return lowered(column).contains(term.lower(), autoescape=True)
