"""Events as others see them: a closed catalogue, payloads with public ids only (contract sections 4 and 7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from portal.api.schema import ApiModel
from portal.core.events import Event, record_event
from portal.core.ownership import TenantOwned, TenantRecord, table_of, tenant_models
from portal.core.session import TenantSession


@dataclass(frozen=True)
class EventType:
    """One kind of event: its name, what happened in a sentence, and the schema of what it carries."""

    name: str
    text: str
    payload: type[ApiModel]


def announce(session: TenantSession, type_: str, data: dict[str, Any]) -> Event:
    """Record an event about an answer's `data`, in the session's transaction."""
    return record_event(session, type_, data["public_id"], public_payload(session, data))


def public_payload(session: TenantSession, data: dict[str, Any]) -> dict[str, Any]:
    """An answer's data as an event may carry it: every reference by its public id, no `id`."""
    return {name: _public_value(session, name, value) for name, value in data.items() if name != "id"}


def _public_value(session: TenantSession, name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return public_payload(session, value)
    if isinstance(value, list):
        return [_public_value(session, name, item) for item in value]
    if isinstance(value, int) and name in _referred_models():
        record = session.get(_referred_models()[name], (session.owner_id, value))
        return getattr(record, "public_id", None)
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
                yield from ((item.parent.name, target) for item in key.elements if item.parent.name != "tenant_id")
