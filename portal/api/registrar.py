"""The registrar: turns the declaration of a resource into its operations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from pydantic import Field, create_model

from portal.api.events import announce
from portal.api.lists import query_schema
from portal.api.operation import Call, Done, Handler, Operation, Page
from portal.api.paging import ListPlan, Reader
from portal.api.records import refuse_referred, refuse_taken
from portal.api.resource import Deleted, Resource, set_fields
from portal.api.schema import ApiModel
from portal.api.unchanged import says_the_same
from portal.core.ownership import TenantRecord
from portal.core.session import TenantSession


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
    actions = [_with_condition(resource, action) for action in resource.actions]
    return [makers[verb](resource) for verb in resource.verbs] + actions


def _with_condition(resource: Resource, action: Operation) -> Operation:
    """The action, which minds `If-Match` where it is about one record."""
    if action.writes and action.path.startswith(f"{resource.base_path}/{{id}}/"):
        return replace(action, represent=represents(resource))
    return action


def represents(resource: Resource) -> Handler:
    """The record at hand as its resource shows it."""
    return lambda call: resource.present(call.session, call.record)


def _operation(resource: Resource, verb: str, method: str, **details: Any) -> Operation:
    has_id = verb not in {"list", "create"}
    return Operation(
        id=f"{resource.name}.{verb}",
        method=method,
        path=resource.base_path + ("/{id}" if has_id else ""),
        permission=f"{resource.module}:{'read' if method == 'GET' else 'write'}",
        find=resource.find if has_id else None,
        represent=represents(resource) if has_id and method != "GET" else None,
        shows_record=verb not in {"list", "delete"},
        sample_path={"id": resource.removed_id if verb == "delete" else resource.sample_id} if has_id else {},
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
    query = query_schema(
        name,
        resource.filters,
        resource.sorts,
        searches=bool(resource.searches),
        keeps_deletions=plan.keeps_deletions,
    )

    def handle(call: Call) -> Page:
        page = Reader(call.session, plan, call.query, call.signer("cursor")).read()
        return replace(page, items=resource.complete(call.session, page.items))

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
        is_kept=issubclass(resource.model, TenantRecord),
    )


def create_record(resource: Resource, session: TenantSession, body: ApiModel) -> dict[str, Any]:
    """Store a record and announce it. Returns it as an answer shows it; raises what the resource refuses with."""
    refuse_taken(session, resource.unique, body.model_dump())
    record = resource.create(session, body) if resource.create else _add(resource, session, body)
    session.flush()
    data = resource.present(session, record)
    _tell(resource, session, "created", data)
    return data


def change_record(resource: Resource, session: TenantSession, record: Any, fields: dict[str, Any]) -> dict[str, Any]:
    """Change what `fields` names and announce it. Returns as `create_record`, raises what the resource refuses with.

    A record that already is as `fields` say is neither written nor announced, whatever its state.
    """
    shown, version = resource.present(session, record), record.version
    fields = resource.fill(session, fields) if resource.fill else fields
    if says_the_same(session, fields, shown):
        return shown
    refuse_taken(session, resource.unique, fields, but=record)
    if resource.change:
        resource.change(session, record, fields)
    else:
        set_fields(record, fields)
    session.flush()
    data = resource.present(session, record)
    if record.version != version:
        _tell(resource, session, "updated", data)
    return data


def _create(resource: Resource) -> Operation:
    def handle(call: Call) -> Done:
        data = create_record(resource, call.session, call.body)
        return Done(data, {"Location": f"{resource.base_path}/{data['id']}"})

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
        handle=represents(resource),
        returns=resource.shows,
    )


def _replace(resource: Resource) -> Operation:
    return _operation(
        resource,
        "replace",
        "PUT",
        summary=f"Replace {_article(resource)}",
        outcome=f"{_sentence(resource)} saved",
        description=_about_replacing(resource),
        handle=lambda call: _apply(resource, call, _replacement(resource, call.body)),
        body=_replacing(resource),
        returns=resource.shows,
        sample=resource.replacement or resource.sample,
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
        handle=lambda call: _apply(resource, call, named_fields(call.body)),
        body=all_optional(resource.accepts),
        returns=resource.shows,
        sample=sample,
    )


def _delete(resource: Resource) -> Operation:
    def handle(call: Call) -> Done:
        data = {"id": call.record.id, "public_id": call.record.public_id}
        if resource.remove:
            resource.remove(call.session, call.record)
        refuse_referred(call.session, call.record)
        call.session.delete(call.record)
        _tell(resource, call.session, "deleted", data)
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


def _about_replacing(resource: Resource) -> str:
    names = " and ".join(f"`{name}`" for name in sorted(_never_shown(resource)))
    kept = f" Only {names}, which no response shows, stays as it is." if names else ""
    return f"Fields that the body leaves out go back to their defaults.{kept}"


def _never_shown(resource: Resource) -> set[str]:
    assert resource.accepts is not None
    return set(resource.accepts.model_fields) - set(resource.shows.model_fields)


def _replacing(resource: Resource) -> type[ApiModel]:
    """The schema of a PUT: what was read can be sent back, so what is never shown may be left out."""
    assert resource.accepts is not None
    hidden = _never_shown(resource)
    if not hidden:
        return resource.accepts
    known = resource.accepts.model_fields
    fields: dict[str, Any] = {
        name: (info.rebuild_annotation(), _optional(info) if name in hidden else info) for name, info in known.items()
    }
    name = f"{resource.accepts.__name__}Replacement"
    replacing = cast(type[ApiModel], create_model(name, __base__=ApiModel, **fields))
    replacing.read_only = resource.accepts.read_only
    return replacing


def _replacement(resource: Resource, body: ApiModel) -> dict[str, Any]:
    return body.model_dump(exclude=_never_shown(resource) - body.model_fields_set)


def named_fields(body: ApiModel) -> dict[str, Any]:
    """Return the fields that a PATCH names; the lines of a list are whole, with the defaults of what they leave out."""
    return {name: value for name, value in body.model_dump().items() if name in body.model_fields_set}


def all_optional(model: type[ApiModel]) -> type[ApiModel]:
    """The schema of a PATCH: every field may be left out, none loosens its type, what is read-only stays so."""
    fields: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        annotation = info.rebuild_annotation()
        fields[name] = (annotation, _optional(info))
    change = cast(type[ApiModel], create_model(f"{model.__name__}Change", __base__=ApiModel, **fields))
    change.read_only = model.read_only
    return change


def _optional(info: Any) -> Any:
    extra = info.json_schema_extra
    return Field(default=None, description=info.description, examples=info.examples, json_schema_extra=extra)


def _add(resource: Resource, session: TenantSession, body: ApiModel) -> Any:
    record = resource.model(**body.model_dump())
    session.add(record)
    return record


def _apply(resource: Resource, call: Call, fields: dict[str, Any]) -> Done:
    version = call.record.version
    data = change_record(resource, call.session, call.record, fields)
    call.has_changed = call.record.version != version
    return Done(data)


def _tell(resource: Resource, session: TenantSession, verb: str, data: dict[str, Any]) -> None:
    name = f"{resource.singular.replace(' ', '_')}.{verb}"
    if name in resource.announces:
        announce(session, name, data)


def _sentence(resource: Resource) -> str:
    return resource.singular.capitalize()


def _article(resource: Resource) -> str:
    return f"{'an' if resource.singular[0] in 'aeio' else 'a'} {resource.singular}"
