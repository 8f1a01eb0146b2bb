"""Events as others see them: a closed catalogue, payloads with public ids only (contract sections 4 and 7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Table, select

from portal.api.schema import ApiModel
from portal.core.events import Event, record_event
from portal.core.ownership import TenantOwned, TenantRecord, table_of, tenant_models
from portal.core.prepared import Lookup
from portal.core.session import TenantSession

Known = dict[tuple[type[TenantOwned], int], str]


@dataclass(frozen=True)
class EventType:
    """One kind of event: its name, what happened in a sentence, the schema of what it carries, and an example of it."""

    name: str
    text: str
    payload: type[ApiModel]
    example: Mapping[str, Any] | None = None


def announce(session: TenantSession, type_: str, data: dict[str, Any]) -> Event:
    """Record an event about an answer's `data`, in the session's transaction."""
    return record_event(session, type_, data["public_id"], public_payload(session, data))


def public_payload(session: TenantSession, data: dict[str, Any]) -> dict[str, Any]:
    """An answer's data as an event may carry it: every reference by its public id, no `id`.

    One query for each kind of record referred to, however many there are.
    """
    wanted: dict[type[TenantOwned], set[int]] = {}
    for model, id_ in _references_in(data):
        wanted.setdefault(model, set()).add(id_)
    known: Known = {}
    with session.fetching() as fetch:
        for model, ids in wanted.items():
            known |= {(model, id_): public_id for id_, public_id in _public_ids(table_of(model)).rows(fetch, ids)}
    return {name: _published(known, name, value) for name, value in data.items() if name != "id"}


def _references_in(data: dict[str, Any]) -> Iterator[tuple[type[TenantOwned], int]]:
    for name, value in data.items():
        if isinstance(value, int) and name in _referred_models():
            yield _referred_models()[name], value
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                yield from _references_in(item)


@cache
def _public_ids(table: Table) -> Lookup:
    return Lookup(select(table.c.id, table.c.public_id), table.c.id)


def _published(known: Known, name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _published(known, key, item) for key, item in value.items() if key != "id"}
    if isinstance(value, list):
        return [_published(known, name, item) for item in value]
    if isinstance(value, int) and name in _referred_models():
        return known.get((_referred_models()[name], value))
    return value


@cache
def _referred_models() -> dict[str, type[TenantOwned]]:
    """Each column that refers to a record, such as `customer_id`, and the model it refers to."""
    return dict(_references())


def _references() -> Iterator[tuple[str, type[TenantOwned]]]:
    records = {table_of(model).name: model for model in tenant_models() if issubclass(model, TenantRecord)}
    for model in tenant_models():
        for key in table_of(model).foreign_key_constraints:
            target = records.get(key.referred_table.name)
            if target is not None:
                names = {item.parent.name for item in key.elements} - {"tenant_id", "id"}
                yield from ((name, target) for name in names)
