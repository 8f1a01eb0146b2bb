"""What a target declares, and what its fields are, told by the schema of the body it writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial
from typing import Any, Literal

from sqlalchemy import bindparam, select

from portal.api.registrar import change_record, create_record
from portal.api.resource import Resource
from portal.api.schema import ApiModel
from portal.core.derived import find_derived
from portal.core.ownership import TenantOwned, table_of
from portal.core.prepared import Prepared, scoped
from portal.core.session import TenantSession
from sandbox.integration.incoming.definition import Action

FieldKind = Literal["string", "number", "date", "date-time", "boolean", "list", "reference"]
Data = dict[str, Any]
Find = Callable[[TenantSession, Any, Sequence[str]], Any]
_UNKNOWN = object()


@dataclass(frozen=True)
class ErpField:
    """A field of the ERP that a row may fill. A `reference` takes a record's id or public id."""

    name: str
    title: str
    kind: FieldKind
    is_required: bool
    description: str = ""
    fields: tuple[ErpField, ...] = ()


@dataclass(frozen=True)
class Target:
    """One thing that a mapping may write.

    `body` is the schema of what is written, `model` the record that comes of it. `create` writes a new record,
    `update` changes the one that `find` gives for the fields a duplicate is known by, named in `known_by`; each
    answers with the record as the API shows it. `outcome` is what `create` comes to. `record_ids` are the members of
    that answer that may be the recordId, the usual one first. `either` names fields one of which has to be given.
    """

    name: str
    title: str
    description: str
    body: type[ApiModel]
    model: type[TenantOwned]
    record_ids: tuple[str, ...]
    known_by: tuple[str, ...]
    create: Callable[[TenantSession, Any], Data]
    find: Find
    show: Callable[[TenantSession, Any], Data]
    update: Callable[[TenantSession, Any, Any], Data] | None = None
    outcome: Literal["created", "updated"] = "created"
    either: tuple[tuple[str, str], ...] = ()

    @cached_property
    def fields(self) -> tuple[ErpField, ...]:
        """What a row may fill."""
        schema = self.body.model_json_schema()
        return tuple(_fields_of(schema, schema.get("$defs", {})))

    @property
    def actions(self) -> tuple[Action, ...]:
        """What may be done with a duplicate."""
        return ("refuse", "skip") if self.update is None else ("refuse", "update", "skip")


def target_of(resource: Resource, details: Mapping[str, Any]) -> Target:
    """A target that writes the records of a resource, found by its columns."""
    assert resource.accepts is not None
    usual: Data = {
        "body": resource.accepts,
        "model": resource.model,
        "create": lambda session, body: create_record(resource, session, body),
        "find": find_by_columns(resource.model),
        "show": resource.present,
        "update": lambda session, record, body: change_differing(
            resource, session, record, body.model_dump(exclude_unset=True)
        ),
    }
    return Target(**{**usual, **details})


def change_differing(resource: Resource, session: TenantSession, record: Any, fields: Data) -> Data:
    """Change only what differs from the record, so that a repeat announces nothing and is never denied.

    Returns the record as an answer shows it. Raises as `change_record` does.
    """
    differing = {name: value for name, value in fields.items() if value != getattr(record, name, _UNKNOWN)}
    return change_record(resource, session, record, differing) if differing else resource.present(session, record)


def find_by_columns(model: type[TenantOwned]) -> Find:
    """Finds the first record whose columns hold what the body says; e-mail addresses whatever their case.

    Nearly every record that comes in is new: whether there is one is asked by a statement that is written once.
    """

    holder = cache(partial(_write_holder, model))

    def find(session: TenantSession, body: Any, names: Sequence[str]) -> Any:
        values = {name: _sought(model, name, getattr(body, name)) for name in names}
        if any(value is None for value in values.values()):
            return None
        with session.fetching() as fetch:
            if not fetch(holder(tuple(names)), values):
                return None
        columns = table_of(model).c
        conditions = [_kept(columns[name]) == value for name, value in values.items()]
        found = select(model).where(*conditions).order_by(model.id).limit(1)
        return session.scalar(found.with_for_update().execution_options(populate_existing=True))

    return find


def _write_holder(model: type[TenantOwned], names: tuple[str, ...]) -> Prepared:
    """The statement that tells whether a record holds values in these columns."""
    columns = table_of(model).c
    wanted = [_kept(columns[name]) == bindparam(name, type_=columns[name].type) for name in names]
    return scoped(select(columns.id).where(*wanted).limit(1))


def _kept(column: Any) -> Any:
    derived = find_derived(column.table, column.key, "comparison")
    return derived[0] if derived else column


def _sought(model: type[TenantOwned], name: str, value: Any) -> Any:
    derived = find_derived(table_of(model), name, "comparison")
    return derived[1](value) if derived and value is not None else value


def _fields_of(schema: Data, parts: Data) -> list[ErpField]:
    required = schema.get("required", ())
    return [_field(name, said, name in required, parts) for name, said in schema["properties"].items()]


def _field(name: str, said: Data, is_required: bool, parts: Data) -> ErpField:
    options = [option for option in said.get("anyOf", [said]) if option != {"type": "null"}]
    shown = options[0] | {key: value for key, value in said.items() if key != "anyOf"}
    title, description = name.replace("_", " ").capitalize(), str(shown.get("description", ""))
    if shown.get("type") == "array":
        inner = parts[shown["items"]["$ref"].rpartition("/")[2]]
        return ErpField(name, title, "list", is_required, description, tuple(_fields_of(inner, parts)))
    return ErpField(name, title, _kind(shown, len(options)), is_required, description)


def _kind(shown: Data, options: int) -> FieldKind:
    if options > 1 or "anyOf" in shown:
        return "reference"
    if shown.get("type") in {"number", "integer"}:
        return "number"
    if shown.get("type") == "boolean":
        return "boolean"
    named: dict[str, FieldKind] = {"date": "date", "date-time": "date-time"}
    return named.get(str(shown.get("format")), "string")
