"""Lists: paging, sorting, searching, filtering, all declared (contract section 4)."""

from __future__ import annotations

import datetime as dt
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, create_model
from pydantic import WithJsonSchema as JsonSchema
from sqlalchemy import ColumnElement, String, Table, bindparam, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from portal.api.schema import ApiModel, refuse, text_type
from portal.core.ownership import TenantOwned, table_of
from portal.core.prepared import Prepared, scoped
from portal.core.session import TenantSession

SEARCH = "search"
_LAST_DAY = dt.date(9999, 12, 30)


def _parse_digits(value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value, re.ASCII):
        return int(value)
    raise refuse("{label} must be a whole number")


def _parse_id(value: Any) -> Any:
    return int(value) if isinstance(value, str) and re.fullmatch(r"[1-9][0-9]{0,14}", value, re.ASCII) else value


WholeNumber = Annotated[int, BeforeValidator(_parse_digits)]
PageNumber = Annotated[WholeNumber, Field(ge=1, le=999_999_999, description="Page, from 1")]
PageSize = Annotated[WholeNumber, Field(ge=1, le=100, description="Records on a page")]
QueryReference = Annotated[
    int | str,
    BeforeValidator(_parse_id),
    JsonSchema({"type": "string", "description": "The record's id or its public id"}),
]


class ListQuery(ApiModel):
    """What every list understands."""

    page: PageNumber = 1
    limit: PageSize = 20


@dataclass(frozen=True)
class Filter:
    """One query parameter: its type, the column it is compared with and how.

    `resolve` turns what the caller wrote into the value compared, and may refuse it.
    """

    type: Any
    column: InstrumentedAttribute[Any]
    compare: Callable[[Any, Any], Any] = operator.eq
    resolve: Callable[[TenantSession, Any], Any] | None = None
    description: str = ""


def equals(column: InstrumentedAttribute[Any], type_: Any, description: str = "") -> Filter:
    """A filter for one exact value."""
    return Filter(type_, column, description=description)


def from_day(column: InstrumentedAttribute[Any], type_: Any) -> Filter:
    """A filter for a first day, included."""
    return Filter(type_, column, operator.ge, description="First day, included")


def to_day(column: InstrumentedAttribute[Any], type_: Any) -> Filter:
    """A filter for a last day, included."""
    return Filter(type_, column, operator.le, description="Last day, included")


def from_day_of(column: InstrumentedAttribute[Any], type_: Any) -> Filter:
    """A filter for a first day, included, of instants."""
    return Filter(type_, column, operator.ge, _midnight, "First day (UTC), included")


def to_day_of(column: InstrumentedAttribute[Any], type_: Any) -> Filter:
    """A filter for a last day, included, of instants."""
    return Filter(type_, column, operator.lt, _next_midnight, "Last day (UTC), included")


def _midnight(session: TenantSession, day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)


def _next_midnight(session: TenantSession, day: dt.date) -> dt.datetime:
    return _midnight(session, min(day, _LAST_DAY)) + dt.timedelta(days=1)


def refers_to(
    column: InstrumentedAttribute[Any], find: Callable[[TenantSession, Any], TenantOwned], description: str = ""
) -> Filter:
    """A filter for a record named by id or public id; `find` raises what an unknown one means."""
    resolve = lambda session, value: find(session, value).id  # noqa: E731 — one expression, named by its use
    return Filter(QueryReference, column, resolve=resolve, description=description)


def query_schema(name: str, filters: dict[str, Filter], sorts: Sequence[str], *, searches: bool) -> type[ApiModel]:
    """The schema of a list's query parameters."""
    allowed: Any = Literal.__getitem__(tuple(f"{sign}{sort}" for sort in sorts for sign in ("", "-")))
    fields: dict[str, Any] = {
        "sort": (allowed, Field(sorts[0], description="Field to sort by; a leading - turns the order round"))
    }
    if searches:
        fields["search"] = (text_type(100) | None, Field(None, description="Text to look for"))
    for key, item in filters.items():
        fields[key] = (item.type | None, Field(None, description=item.description or None))
    return create_model(name, __base__=ListQuery, **fields)


@dataclass(frozen=True)
class Statements:
    """What one shape of a list asks the store: the rows of a page, and how many rows there are."""

    rows: Prepared
    count: Prepared


@dataclass(frozen=True)
class ListPlan:
    """What a list reads: the columns, where to search, how to filter and sort.

    Each shape (the sort, the filters given, whether there is a search) is written once and kept.
    """

    model: type[TenantOwned]
    columns: tuple[InstrumentedAttribute[Any], ...]
    filters: dict[str, Filter]
    searches: tuple[InstrumentedAttribute[Any], ...]
    written: dict[tuple[str, ...], Statements] = field(default_factory=dict, compare=False)

    def statements(self, sort: str, given: tuple[str, ...]) -> Statements:
        """The statements of one shape."""
        shape = (sort, *given)
        if shape not in self.written:
            self.written[shape] = self._write(sort, given)
        return self.written[shape]

    def _write(self, sort: str, given: tuple[str, ...]) -> Statements:
        table = table_of(self.model)
        conditions = [self._condition(name) for name in given]
        rows = select(*(table.c[column.key] for column in self.columns)).where(*conditions)
        rows = rows.order_by(*_ordering(table, sort)).limit(bindparam("limit")).offset(bindparam("offset"))
        return Statements(scoped(rows), scoped(select(func.count()).select_from(table).where(*conditions)))

    def _condition(self, name: str) -> ColumnElement[bool]:
        if name == SEARCH:
            needle = bindparam(SEARCH, type_=String())
            texts = (func.lower(table_of(self.model).c[column.key]) for column in self.searches)
            return or_(*(text.like(needle, escape="\\") for text in texts))
        item = self.filters[name]
        column = table_of(self.model).c[item.column.key]
        condition: ColumnElement[bool] = item.compare(column, bindparam(name, type_=column.type))
        return condition


def read_page(session: TenantSession, plan: ListPlan, query: Any) -> tuple[list[dict[str, Any]], int]:
    """One page of rows as dicts, and the number of rows in all."""
    values = _values(session, plan, query)
    statements = plan.statements(query.sort, tuple(values))
    names = [column.key for column in plan.columns]
    page = {**values, "limit": query.limit, "offset": (query.page - 1) * query.limit}
    with session.fetching() as fetch:
        rows = [dict(zip(names, row, strict=True)) for row in fetch(statements.rows, page)]
        if query.page == 1 and len(rows) < query.limit:
            return rows, len(rows)
        return rows, fetch(statements.count, values)[0][0]


def _values(session: TenantSession, plan: ListPlan, query: Any) -> dict[str, Any]:
    values = {}
    if plan.searches and query.search:
        values[SEARCH] = f"%{_literal(query.search.lower())}%"
    for name, item in plan.filters.items():
        value = getattr(query, name)
        if value is not None:
            values[name] = item.resolve(session, value) if item.resolve else value
    return values


def _literal(text: str) -> str:
    """`text` with LIKE's wildcards escaped."""
    return re.sub(r"([\\%_])", r"\\\1", text)


def _ordering(table: Table, sort: str) -> list[ColumnElement[Any]]:
    name = sort.removeprefix("-")
    columns = [table.c.id] if name == "id" else [table.c[name], table.c.id]
    return [column.desc() if sort.startswith("-") else column.asc() for column in columns]
