"""A resource is a declaration: it says what the resource is, and plain functions beside it say how it behaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import InstrumentedAttribute

from portal.api.events import EventType
from portal.api.lists import Filter
from portal.api.operation import Call, Operation
from portal.api.records import Unique, find_record
from portal.api.schema import ApiModel
from portal.core.errors import NotFound
from portal.core.ownership import TenantOwned
from portal.core.session import TenantSession

Create = Callable[[TenantSession, Any], Any]
Change = Callable[[TenantSession, Any, dict[str, Any]], None]
Fill = Callable[[TenantSession, dict[str, Any]], dict[str, Any]]
Remove = Callable[[TenantSession, Any], None]
Enrich = Callable[[TenantSession, list[dict[str, Any]]], None]
ALL_VERBS = ("list", "create", "read", "replace", "update", "delete")


@dataclass(frozen=True)
class Resource:
    """One resource of the Business API.

    `shows` is the schema of an answer, `accepts` of a body. `computed` names fields of `shows` that are
    not columns: `enrich` adds them to the rows of one page at once. `unique` names what no two records may share.
    `create`, `change` and `remove` take the place of plain storing, assigning and deleting; each may refuse.
    `fill` adds what a PUT or PATCH leaves to other records, before it is compared with what is stored.
    `sample` is a body that works on a fresh sandbox, where record `sample_id` may be read and changed, and record
    `removed_id`, which nothing else needs, deleted. `replacement` takes the place of `sample` where one beside the
    other would not do.
    `announces` maps the events of the record's life to what happened; those of actions are among them. `payloads`
    are the schemas of those that carry more than the record.
    """

    name: str
    singular: str
    module: str
    model: type[TenantOwned]
    shows: type[ApiModel]
    description: str
    accepts: type[ApiModel] | None = None
    path: str = ""
    verbs: tuple[str, ...] = ALL_VERBS
    filters: dict[str, Filter] = field(default_factory=dict)
    sorts: tuple[str, ...] = ("id", "created_at", "updated_at")
    searches: tuple[InstrumentedAttribute[Any], ...] = ()
    computed: tuple[str, ...] = ()
    unique: tuple[Unique, ...] = ()
    create: Create | None = None
    change: Change | None = None
    fill: Fill | None = None
    remove: Remove | None = None
    enrich: Enrich | None = None
    sample: Mapping[str, Any] | None = None
    sample_id: int = 1
    removed_id: int = 2
    replacement: Mapping[str, Any] | None = None
    codes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    announces: Mapping[str, str] = field(default_factory=dict)
    payloads: Mapping[str, type[ApiModel]] = field(default_factory=dict)
    actions: tuple[Operation, ...] = ()

    @property
    def title(self) -> str:
        return self.name.replace("_", " ").capitalize()

    @property
    def base_path(self) -> str:
        return self.path or f"/api/v2/{self.name}"

    @property
    def columns(self) -> tuple[InstrumentedAttribute[Any], ...]:
        """The columns an answer shows, in the schema's order."""
        return tuple(getattr(self.model, name) for name in self.shows.model_fields if name not in self.computed)

    @property
    def event_types(self) -> list[EventType]:
        """The events this resource announces, each with its payload: the record, if nothing else is said."""
        return [
            EventType(name, text, self.payloads.get(name, Deleted if name.endswith(".deleted") else self.shows))
            for name, text in self.announces.items()
        ]

    def find(self, call: Call) -> TenantOwned:
        """The record named in the path; a writing call holds it until it ends. Raises NotFound."""
        return find_record(call.session, self.model, call.path["id"], lock=call.operation.writes)

    def present(self, session: TenantSession, record: Any) -> dict[str, Any]:
        """One record as an answer shows it. Raises NotFound when another call has just deleted it."""
        rows = self.complete(session, [{column.key: getattr(record, column.key) for column in self.columns}])
        if not rows:
            raise NotFound
        return rows[0]

    def complete(self, session: TenantSession, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows of one page with their computed fields, in the schema's order, less those just deleted."""
        if self.enrich is None or not rows:
            return rows
        self.enrich(session, rows)
        order = tuple(self.shows.model_fields)
        return [{name: row[name] for name in order} for row in rows]


class Deleted(ApiModel):
    """What is left of a deleted record."""

    id: int
    public_id: str


def set_fields(record: Any, fields: dict[str, Any]) -> None:
    """Assign each field of `fields` to the record."""
    for name, value in fields.items():
        setattr(record, name, value)
