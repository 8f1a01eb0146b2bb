"""Tell whether a request leaves a record as it is: then nothing is written or announced (contract section 4)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, bindparam, select

from portal.core.ids import PUBLIC_ID
from portal.core.ownership import table_of, tenant_models
from portal.core.prepared import Prepared, scoped
from portal.core.session import TenantSession

_MISSING = object()


def says_the_same(session: TenantSession, fields: Mapping[str, Any], shown: Mapping[str, Any]) -> bool:
    """Return True if a record already shows every one of `fields`.

    References may be named by public id. A field that is never shown, such as a password, is always a change.
    """
    return all(_is_same(session, value, shown.get(name, _MISSING)) for name, value in fields.items())


def _is_same(session: TenantSession, value: Any, shown: Any) -> bool:
    if isinstance(value, Mapping) and isinstance(shown, Mapping):
        return says_the_same(session, value, shown)
    if isinstance(value, list) and isinstance(shown, list):
        pairs = zip(value, shown, strict=False)
        return len(value) == len(shown) and all(_is_same(session, given, known) for given, known in pairs)
    if isinstance(value, str) and isinstance(shown, int) and PUBLIC_ID.match(value):
        return _find_id(session, value) == shown
    return bool(value == shown)


def _find_id(session: TenantSession, public_id: str) -> int | None:
    statement = _by_public_id(public_id.partition("_")[0])
    if statement is None:
        return None
    with session.fetching() as fetch:
        rows = fetch(statement, {"public_id": public_id})
    return rows[0][0] if rows else None


@cache
def _by_public_id(prefix: str) -> Prepared | None:
    for model in tenant_models():
        table = table_of(model)
        if model.public_prefix == prefix and "public_id" in table.c:
            wanted: BindParameter[str] = bindparam("public_id", type_=table.c.public_id.type)
            return scoped(select(table.c.id).where(table.c.public_id == wanted))
    return None
