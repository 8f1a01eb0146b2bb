"""Lists: paging, sorting, searching, filtering, all declared (contract section 4)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, create_model
from pydantic import WithJsonSchema as JsonSchema
from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from portal.api.schema import ApiModel, refuse, text_type
from portal.core.ownership import TenantOwned
from portal.core.session import TenantSession


def _parse_digits(value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value, re.ASCII):
        return int(value)
    raise refuse("{label} must be a whole number")


def _parse_id(value: Any) -> Any:
    return int(value) if isinstance(value, str) and re.fullmatch(r"[1-9][0-9]{0,14}", value, re.ASCII) else value


WholeNumber = Annotated[int, BeforeValidator(_parse_digits)]
PageNumber = Annotated[WholeNumber, Field(ge=1, description="Page, from 1")]
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
    """One query parameter: its type, and the condition it stands for."""

    type: Any
    condition: Callable[[TenantSession, Any], ColumnElement[bool]]
    description: str = ""


def equals(column: InstrumentedAttribute[Any], type_: Any, description: str = "") -> Filter:
    """A filter for one exact value."""
    return Filter(type_, lambda session, value: column == value, description)


def from_day(column: InstrumentedAttribute[Any], type_: Any) -> Filter:
    """A filter for a first day, included."""
    return Filter(type_, lambda session, value: column >= value, "First day, included")


def to_day(column: InstrumentedAttribute[Any], type_: Any) -> Filter:
    """A filter for a last day, included."""
    return Filter(type_, lambda session, value: column <= value, "Last day, included")


def refers_to(
    column: InstrumentedAttribute[Any], find: Callable[[TenantSession, Any], TenantOwned], description: str = ""
) -> Filter:
    """A filter for a record named by id or public id; `find` raises what an unknown one means."""
    return Filter(QueryReference, lambda session, value: column == find(session, value).id, description)


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
class ListPlan:
    """What a list reads: the columns, where to search, how to filter and sort."""

    model: type[TenantOwned]
    columns: tuple[InstrumentedAttribute[Any], ...]
    filters: dict[str, Filter]
    searches: tuple[InstrumentedAttribute[Any], ...]


def read_page(session: TenantSession, plan: ListPlan, query: Any) -> tuple[list[dict[str, Any]], int]:
    """One page of rows as dicts, and the number of rows in all."""
    conditions = _conditions(session, plan, query)
    names = [column.key for column in plan.columns]
    statement = _ordered(select(*plan.columns).where(*conditions), plan.model, query.sort)
    statement = statement.limit(query.limit).offset((query.page - 1) * query.limit)
    rows = [dict(zip(names, row, strict=True)) for row in session.execute(statement)]
    if query.page == 1 and len(rows) < query.limit:
        return rows, len(rows)
    total = session.scalar(select(func.count()).select_from(plan.model).where(*conditions))
    return rows, total or 0


def _conditions(session: TenantSession, plan: ListPlan, query: Any) -> list[ColumnElement[bool]]:
    conditions = []
    if plan.searches and query.search:
        conditions.append(or_(*(column.icontains(query.search, autoescape=True) for column in plan.searches)))
    for key, item in plan.filters.items():
        value = getattr(query, key)
        if value is not None:
            conditions.append(item.condition(session, value))
    return conditions


def _ordered(statement: Select[Any], model: type[TenantOwned], sort: str) -> Select[Any]:
    name = sort.removeprefix("-")
    column = getattr(model, name)
    ordering = [column] if name == "id" else [column, model.id]
    return statement.order_by(*(part.desc() if sort.startswith("-") else part for part in ordering))
