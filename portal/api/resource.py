"""A resource is a declaration; one registrar turns it into operations.

The declaration says what the resource is; plain functions beside it say how it behaves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from pydantic import Field, create_model
from sqlalchemy.orm import InstrumentedAttribute

from portal.api.lists import Filter, ListPlan, query_schema, read_page
from portal.api.operation import Call, Done, Operation, Page
from portal.api.records import Unique, find_record, refuse_referred, refuse_taken
from portal.api.schema import ApiModel
from portal.core.events import record_event
from portal.core.ownership import TenantOwned
from portal.core.session import TenantSession

Create = Callable[[TenantSession, Any], Any]
Change = Callable[[TenantSession, Any, dict[str, Any]], None]
Enrich = Callable[[TenantSession, list[dict[str, Any]]], None]
ALL_VERBS = ("list", "create", "read", "replace", "update", "delete")


@dataclass(frozen=True)
class Resource:
    """One resource of the Business API.

    `shows` is the schema of an answer, `accepts` of a body. `computed` names fields of `shows` that are
    not columns: `enrich` adds them to the rows of one page at once. `unique` names what no two records may share.
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
    enrich: Enrich | None = None
    sample: Mapping[str, Any] | None = None
    codes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
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

    def find(self, call: Call) -> TenantOwned:
        """The record named in the path. Raises NotFound."""
        return find_record(call.session, self.model, call.path["id"])

    def present(self, session: TenantSession, record: Any) -> dict[str, Any]:
        """One record as an answer shows it."""
        row = {column.key: getattr(record, column.key) for column in self.columns}
        return self._complete(session, [row])[0]

    def _complete(self, session: TenantSession, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if self.enrich is None or not rows:
            return rows
        self.enrich(session, rows)
        order = tuple(self.shows.model_fields)
        return [{name: row[name] for name in order} for row in rows]


def declare(resource: Resource) -> list[Operation]:
    """The operations of a resource, in the order of the reference."""
    makers = {
        "list": _list,
        "create": _create,
        "read": _read,
        "replace": _replace,
        "update": _update,
        "delete": _delete,
    }
    return [makers[verb](resource) for verb in resource.verbs] + list(resource.actions)


def _operation(resource: Resource, verb: str, method: str, **details: Any) -> Operation:
    has_id = verb not in {"list", "create"}
    return Operation(
        id=f"{resource.name}.{verb}",
        method=method,
        path=resource.base_path + ("/{id}" if has_id else ""),
        permission=f"{resource.module}:{'read' if method == 'GET' else 'write'}",
        find=resource.find if has_id else None,
        sample_path={"id": 1} if has_id else {},
        codes=_codes(resource, verb),
        **details,
    )


def _codes(resource: Resource, verb: str) -> tuple[str, ...]:
    may_collide = resource.unique and verb in {"create", "replace", "update"}
    usual = ("duplicate",) if may_collide else ("conflict",) if verb == "delete" else ()
    return (*usual, *resource.codes.get(verb, ()))


def _list(resource: Resource) -> Operation:
    plan = ListPlan(resource.model, resource.columns, resource.filters, resource.searches)
    name = f"{resource.singular.title().replace(' ', '')}Query"
    query = query_schema(name, resource.filters, resource.sorts, searches=bool(resource.searches))

    def handle(call: Call) -> Page:
        rows, total = read_page(call.session, plan, call.query)
        return Page(resource._complete(call.session, rows), call.query.page, call.query.limit, total)

    return _operation(
        resource,
        "list",
        "GET",
        summary=f"List {resource.name}",
        outcome=f"One page of {resource.name}",
        description=resource.description,
        handle=handle,
        query=query,
        returns=resource.shows,
        is_list=True,
    )


def _create(resource: Resource) -> Operation:
    def handle(call: Call) -> Done:
        refuse_taken(call.session, resource.unique, call.body.model_dump())
        record = resource.create(call.session, call.body) if resource.create else _add(resource, call)
        call.session.flush()
        data = resource.present(call.session, record)
        _tell(call, f"{resource.singular}.created", data)
        return Done(data, {"Location": f"{resource.base_path}/{record.id}"})

    return _operation(
        resource,
        "create",
        "POST",
        summary=f"Create {_article(resource)}",
        outcome=f"{_sentence(resource)} created",
        handle=handle,
        body=resource.accepts,
        returns=resource.shows,
        status=201,
        sample=resource.sample,
    )


def _read(resource: Resource) -> Operation:
    return _operation(
        resource,
        "read",
        "GET",
        summary=f"Read {_article(resource)}",
        outcome=f"The {resource.singular}",
        handle=lambda call: resource.present(call.session, call.record),
        returns=resource.shows,
    )


def _replace(resource: Resource) -> Operation:
    return _operation(
        resource,
        "replace",
        "PUT",
        summary=f"Replace {_article(resource)}",
        outcome=f"{_sentence(resource)} saved",
        description="Fields that the body leaves out go back to their defaults.",
        handle=lambda call: _apply(resource, call, call.body.model_dump()),
        body=resource.accepts,
        returns=resource.shows,
        sample=resource.sample,
    )


def _update(resource: Resource) -> Operation:
    assert resource.accepts is not None
    sample = dict(list((resource.sample or {}).items())[-1:])
    return _operation(
        resource,
        "update",
        "PATCH",
        summary=f"Change {_article(resource)}",
        outcome=f"{_sentence(resource)} saved",
        description="Only the fields that the body names are changed.",
        handle=lambda call: _apply(resource, call, call.body.model_dump(exclude_unset=True)),
        body=all_optional(resource.accepts),
        returns=resource.shows,
        sample=sample,
    )


def _delete(resource: Resource) -> Operation:
    def handle(call: Call) -> Done:
        data = {"id": call.record.id, "public_id": call.record.public_id}
        refuse_referred(call.session, call.record)
        call.session.delete(call.record)
        _tell(call, f"{resource.singular}.deleted", data)
        return Done(data)

    return _operation(
        resource,
        "delete",
        "DELETE",
        summary=f"Delete {_article(resource)}",
        outcome=f"{_sentence(resource)} deleted",
        handle=handle,
        returns=Deleted,
    )


class Deleted(ApiModel):
    """What is left of a deleted record."""

    id: int
    public_id: str


def all_optional(model: type[ApiModel]) -> type[ApiModel]:
    """The schema of a PATCH: every field may be left out, none loosens its type."""
    fields: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        annotation = info.rebuild_annotation()
        fields[name] = (annotation, _optional(info))
    return cast(type[ApiModel], create_model(f"{model.__name__}Change", __base__=ApiModel, **fields))


def _optional(info: Any) -> Any:
    return Field(default=None, description=info.description, examples=info.examples)


def _add(resource: Resource, call: Call) -> Any:
    record = resource.model(**call.body.model_dump())
    call.session.add(record)
    return record


def _apply(resource: Resource, call: Call, fields: dict[str, Any]) -> Done:
    refuse_taken(call.session, resource.unique, fields, but=call.record)
    if resource.change:
        resource.change(call.session, call.record, fields)
    else:
        set_fields(call.record, fields)
    call.session.flush()
    data = resource.present(call.session, call.record)
    _tell(call, f"{resource.singular}.updated", data)
    return Done(data)


def set_fields(record: Any, fields: dict[str, Any]) -> None:
    """Assign each field of `fields` to the record."""
    for name, value in fields.items():
        setattr(record, name, value)


def _tell(call: Call, type_: str, data: dict[str, Any]) -> None:
    record_event(call.session, type_, data["public_id"], public_payload(data))


def public_payload(data: dict[str, Any]) -> dict[str, Any]:
    """An answer's data as an event may carry it: public ids only, plain JSON (contract section 4)."""
    kept = {name: value for name, value in data.items() if name != "id" and not name.endswith("_id")}
    return {"public_id": data["public_id"]} | {name: _plain(value) for name, value in kept.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items() if name != "id" and not name.endswith("_id")}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | bool | None) else str(value)


def _sentence(resource: Resource) -> str:
    return resource.singular.capitalize()


def _article(resource: Resource) -> str:
    return f"{'an' if resource.singular[0] in 'aeiou' else 'a'} {resource.singular}"
