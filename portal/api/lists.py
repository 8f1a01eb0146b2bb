"""What a list understands: paging, sorting, searching, filtering, all declared (contract section 4)."""

from __future__ import annotations

import datetime as dt
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, create_model
from pydantic import WithJsonSchema as JsonSchema
from sqlalchemy.orm import InstrumentedAttribute

from portal.api.schema import ApiModel, Moment, refuse, rule, text_type
from portal.core.ids import PUBLIC_ID
from portal.core.ownership import TenantOwned
from portal.core.session import TenantSession

SEARCH = "search"
UPDATED_SINCE = "updated_since"
TODAY = "tenants_today"
"""The parameter of a filter that depends on the tenant's day."""


def _parse_digits(value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value, re.ASCII):
        return int(value)
    raise refuse("{label} must be a whole number")


def _parse_flag(value: Any) -> bool:
    if value in {"true", "false"}:
        return bool(value == "true")
    raise refuse("{label} must be true or false")


def _parse_id(value: Any) -> Any:
    return int(value) if isinstance(value, str) and re.fullmatch(r"[1-9][0-9]{0,14}", value, re.ASCII) else value


ID_PATTERN = f"^([1-9][0-9]{{0,14}}|{PUBLIC_ID.pattern[1:-1]})$"
_OWN = rule("names a record of yours")
WholeNumber = Annotated[int, BeforeValidator(_parse_digits)]
Flag = Annotated[bool, BeforeValidator(_parse_flag), JsonSchema({"type": "boolean"})]
PageNumber = Annotated[WholeNumber, Field(ge=1, le=999_999_999, description="Page, from 1")]
PageSize = Annotated[WholeNumber, Field(ge=1, le=100, description="Records on a page")]
QueryReference = Annotated[
    int | str,
    BeforeValidator(_parse_id),
    JsonSchema({"type": "string", "pattern": ID_PATTERN, "description": "The record's id or its public id", **_OWN}),
]


def _leave_out_default(schema: dict[str, Any]) -> None:
    """Publish no default page: generated clients send defaults, and a page beside a cursor is refused."""
    schema.pop("default", None)
    schema |= {"description": "Page, from 1. Default 1 without a cursor"} | rule("not together with cursor")


class ListQuery(ApiModel):
    """What every list understands."""

    page: PageNumber = Field(1, json_schema_extra=_leave_out_default)
    limit: PageSize = 20
    cursor: str | None = Field(
        None,
        max_length=600,
        description="Walks the list in place of page: empty to begin, then what the answer before gave",
        json_schema_extra=rule("comes from an answer of this list, in this order"),
    )


@dataclass(frozen=True)
class Filter:
    """One query parameter: its type, the column it is compared with and how.

    `resolve` turns what the caller wrote into the value compared, and may refuse it. With `is_dated`, `compare` may use
    the parameter TODAY, the tenant's day.
    """

    type: Any
    column: InstrumentedAttribute[Any]
    compare: Callable[[Any, Any], Any] = operator.eq
    resolve: Callable[[TenantSession, Any], Any] | None = None
    description: str = ""
    is_dated: bool = False


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
    return Filter(type_, column, operator.ge, start_of_day, "First day in the tenant's time zone, included")


def to_day_of(column: InstrumentedAttribute[Any], type_: Any) -> Filter:
    """A filter for a last day, included, of instants."""
    return Filter(type_, column, operator.lt, end_of_day, "Last day in the tenant's time zone, included")


def start_of_day(session: TenantSession, day: dt.date) -> dt.datetime:
    """Return the first second of a day in the tenant's time zone."""
    return session.calendar.start_of(day)


def end_of_day(session: TenantSession, day: dt.date) -> dt.datetime:
    """Return the first second after a day in the tenant's time zone."""
    return session.calendar.end_of(day)


def refers_to(
    column: InstrumentedAttribute[Any], find: Callable[[TenantSession, Any], TenantOwned], description: str = ""
) -> Filter:
    """A filter for a record named by id or public id; `find` raises what an unknown one means."""
    resolve = lambda session, value: find(session, value).id  # noqa: E731 — one expression, named by its use
    return Filter(QueryReference, column, resolve=resolve, description=description)


def query_schema(
    name: str, filters: dict[str, Filter], sorts: Sequence[str], *, searches: bool, keeps_deletions: bool
) -> type[ApiModel]:
    """The schema of a list's query parameters. The first of `sorts` is the usual order."""
    names = [sort.removeprefix("-") for sort in sorts]
    allowed: Any = Literal.__getitem__(tuple(f"{sign}{name}" for name in names for sign in ("", "-")))
    fields: dict[str, Any] = {
        "sort": (allowed, Field(sorts[0], description="Field to sort by; a leading - turns the order round"))
    }
    if searches:
        fields["search"] = (text_type(100) | None, Field(None, description="Text to look for"))
    if keeps_deletions:
        about = "Only what was changed since, together with what was deleted since"
        fields[UPDATED_SINCE] = (Moment | None, Field(None, description=about))
    for key, item in filters.items():
        fields[key] = (item.type | None, Field(None, description=item.description or None))
    return create_model(name, __base__=ListQuery, **fields)
