"""Reading lists: a numbered page, or a walk by cursor whose cost does not grow with depth (contract section 4).

Each shape of a list (the sort, the filters given, whether there is a search) is written once and kept.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import BigInteger, ColumnElement, String, Table, bindparam, func, or_, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from portal.api.deletions import count_of_deletions, deletions_after, page_of_deletions, show_deletion
from portal.api.lists import SEARCH, TODAY, UPDATED_SINCE, Filter
from portal.api.operation import Page
from portal.core.derived import find_derived
from portal.core.errors import ValidationFailed
from portal.core.ownership import TenantOwned, TenantRecord, table_of
from portal.core.prepared import Prepared, scoped
from portal.core.session import Fetch, TenantSession
from portal.core.text import fold
from portal.core.types import lowered

Rows = list[dict[str, Any]]
_FOLDED = "search_folded"
_UNNAMED = {_FOLDED, TODAY}
"""Values that no parameter of the list names."""
_BUILDERS: dict[str, Callable[[str], Any]] = {
    "int": int,
    "str": str,
    "Decimal": Decimal,
    "date": dt.date.fromisoformat,
    "datetime": dt.datetime.fromisoformat,
}
_DELETED_PAGE, _DELETED_AFTER, _DELETED_COUNT = page_of_deletions(), deletions_after(), count_of_deletions()


@dataclass(frozen=True)
class Statements:
    """What one shape of a list asks the store: a page, how many rows there are, and what follows a place."""

    rows: Prepared
    count: Prepared
    after: Prepared


@dataclass(frozen=True)
class Place:
    """Where a walk stands: the sort value and id of the last row, and the last deletion told."""

    value: Any = None
    id: int = 0
    deletion: int = 0


@dataclass(frozen=True)
class ListPlan:
    """What a list reads: the columns, where to search, how to filter and sort."""

    model: type[TenantOwned]
    columns: tuple[InstrumentedAttribute[Any], ...]
    filters: dict[str, Filter]
    searches: tuple[InstrumentedAttribute[Any], ...]
    written: dict[tuple[str, ...], Statements] = field(default_factory=dict, compare=False)

    @property
    def keeps_deletions(self) -> bool:
        """True for lists that can tell what was changed or deleted since an instant."""
        return issubclass(self.model, TenantRecord)

    @cached_property
    def names(self) -> list[str]:
        return [column.key for column in self.columns]

    def statements(self, sort: str, given: tuple[str, ...]) -> Statements:
        """The statements of one shape."""
        shape = (sort, *given)
        if shape not in self.written:
            self.written[shape] = self._write(sort, given)
        return self.written[shape]

    def _write(self, sort: str, given: tuple[str, ...]) -> Statements:
        table = table_of(self.model)
        conditions = [self._condition(name) for name in given]
        rows = select(*(table.c[name] for name in self.names)).where(*conditions)
        rows = rows.order_by(*_ordering(table, sort)).limit(bindparam("limit"))
        return Statements(
            rows=scoped(rows.offset(bindparam("offset"))),
            count=scoped(select(func.count()).select_from(table).where(*conditions)),
            after=scoped(rows.where(_is_after(table, sort))),
        )

    def _condition(self, name: str) -> ColumnElement[bool]:
        table = table_of(self.model)
        if name == SEARCH:
            return or_(*(_looks_like(table, column.key) for column in self.searches))
        if name == UPDATED_SINCE:
            since: ColumnElement[bool] = table.c.updated_at >= bindparam(name, type_=table.c.updated_at.type)
            return since
        item = self.filters[name]
        column = _compared(table, item.column.key)[0]
        condition: ColumnElement[bool] = item.compare(column, bindparam(name, type_=column.type))
        return condition


@dataclass(frozen=True)
class Reader:
    """Reads one list for one caller. `signer` keeps cursors to this tenant and this list."""

    session: TenantSession
    plan: ListPlan
    query: Any
    signer: URLSafeSerializer

    def read(self) -> Page:
        """The page or the step of a walk that the query asks for. Raises ValidationFailed."""
        values = _values(self.session, self.plan, self.query)
        statements = self.plan.statements(self.query.sort, tuple(name for name in values if name not in _UNNAMED))
        with self.session.fetching() as fetch:
            if self.query.cursor is None:
                return self._read_page(fetch, statements, values)
            return self._walk(fetch, statements, values)

    def _read_page(self, fetch: Fetch, statements: Statements, values: dict[str, Any]) -> Page:
        limit, number = self.query.limit, self.query.page
        window = {"limit": limit, "offset": (number - 1) * limit}
        items = self._dicts(fetch(statements.rows, {**values, **window}))
        is_whole = number == 1 and len(items) < limit
        total = len(items) if is_whole else fetch(statements.count, values)[0][0]
        if UPDATED_SINCE not in values:
            return Page(items, limit, number, total)
        since = self._since(values)
        deleted = [show_deletion(row) for row in fetch(_DELETED_PAGE, {**since, **window})]
        return Page(items, limit, number, total, deleted, fetch(_DELETED_COUNT, since)[0][0])

    def _walk(self, fetch: Fetch, statements: Statements, values: dict[str, Any]) -> Page:
        if "page" in self.query.model_fields_set:
            raise ValidationFailed({"page": "Page cannot be given together with a cursor"})
        limit, place = self.query.limit, self._place()
        one_more = {"limit": limit + 1}
        if place.id:
            rows = fetch(
                statements.after, {**values, **one_more, "value": self._ordered(place.value), "after_id": place.id}
            )
        else:
            rows = fetch(statements.rows, {**values, **one_more, "offset": 0})
        items, gone = self._dicts(rows), []
        if UPDATED_SINCE in values:
            gone = fetch(_DELETED_AFTER, {**self._since(values), **one_more, "after": place.deletion})
        has_more = len(items) > limit or len(gone) > limit
        items, gone = items[:limit], gone[:limit]
        cursor = self._cursor(items, gone, place) if has_more else None
        deleted = [show_deletion(row) for row in gone] if UPDATED_SINCE in values else None
        return Page(items, limit, deleted=deleted, next_cursor=cursor)

    def _since(self, values: dict[str, Any]) -> dict[str, Any]:
        return {"kind": self.plan.model.__tablename__, "since": values[UPDATED_SINCE]}

    def _dicts(self, rows: list[list[Any]]) -> Rows:
        return [dict(zip(self.plan.names, row, strict=True)) for row in rows]

    def _cursor(self, items: Rows, gone: list[list[Any]], place: Place) -> str:
        deletion = gone[-1][3] if gone else place.deletion
        value, id_ = place.value, place.id
        if items:
            value, id_ = items[-1][_sorted_by(self.query.sort)], items[-1]["id"]
        value = "" if value is None else value
        text, kind = value.isoformat() if isinstance(value, dt.date) else str(value), type(value).__name__
        return str(self.signer.dumps([self.query.sort, kind, text, id_, deletion]))

    def _ordered(self, value: Any) -> Any:
        """What a list is ordered by in place of a value that it shows."""
        derived = find_derived(table_of(self.plan.model), _sorted_by(self.query.sort), "order")
        return derived[1](value) if derived else value

    def _place(self) -> Place:
        if not self.query.cursor:
            return Place()
        try:
            sort, kind, text, id_, deletion = self.signer.loads(self.query.cursor)
        except BadData:
            raise ValidationFailed({"cursor": "Cursor is not one of this list; begin again with cursor="}) from None
        if sort != self.query.sort:
            raise ValidationFailed({"cursor": f"Cursor belongs to the order {sort}; begin again with cursor="})
        return Place(_BUILDERS[kind](text), id_, deletion)


def _values(session: TenantSession, plan: ListPlan, query: Any) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if plan.searches and query.search:
        values[SEARCH] = f"%{_literal(query.search.lower())}%"
        values[_FOLDED] = f"%{_literal(fold(query.search))}%"
    if plan.keeps_deletions and query.updated_since is not None:
        values[UPDATED_SINCE] = query.updated_since
    for name, item in plan.filters.items():
        value = getattr(query, name)
        if value is not None:
            known = item.resolve(session, value) if item.resolve else value
            values[name] = _compared(table_of(plan.model), item.column.key)[1](known)
            if item.is_dated:
                values[TODAY] = session.current_day()
    return values


def _looks_like(table: Table, name: str) -> ColumnElement[bool]:
    """Whether a column holds the text looked for, whatever its case."""
    derived = find_derived(table, name, "comparison")
    if derived:
        return derived[0].like(bindparam(_FOLDED, type_=String()), escape="\\")
    return lowered(table.c[name]).like(bindparam(SEARCH, type_=String()), escape="\\")


def _compared(table: Table, name: str) -> tuple[ColumnElement[Any], Callable[[Any], Any]]:
    """The column with which a filter's value is compared, and the form of the value."""
    return find_derived(table, name, "comparison") or (table.c[name], lambda value: value)


def _literal(text: str) -> str:
    """`text` with LIKE's wildcards escaped."""
    return re.sub(r"([\\%_])", r"\\\1", text)


def _sorted_by(sort: str) -> str:
    return sort.removeprefix("-")


def _sort_key(table: Table, sort: str) -> ColumnElement[Any]:
    """What a list is sorted by. An empty text counts as the smallest, on every store."""
    derived = find_derived(table, _sorted_by(sort), "order")
    if derived:
        return derived[0]
    column = table.c[_sorted_by(sort)]
    if not column.nullable:
        return column
    if not isinstance(column.type, String):
        raise TypeError(f"{column} may be empty and is no text: a list cannot be sorted by it")
    return func.coalesce(column, "")


def _ordering(table: Table, sort: str) -> list[ColumnElement[Any]]:
    columns = [table.c.id] if _sorted_by(sort) == "id" else [_sort_key(table, sort), table.c.id]
    return [column.desc() if sort.startswith("-") else column.asc() for column in columns]


def _is_after(table: Table, sort: str) -> ColumnElement[bool]:
    id_ = bindparam("after_id", type_=BigInteger())
    if _sorted_by(sort) == "id":
        return table.c.id < id_ if sort.startswith("-") else table.c.id > id_
    key = _sort_key(table, sort)
    here, place = tuple_(key, table.c.id), tuple_(bindparam("value", type_=key.type), id_)
    return here < place if sort.startswith("-") else here > place
