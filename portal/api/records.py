"""Finding records by id or public id, inside the session's tenant. Outsiders get what the unknown get."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, TypeVar, cast

from sqlalchemy import BindParameter, bindparam, func, select
from sqlalchemy.orm import InstrumentedAttribute

from portal.core.errors import Conflict, Duplicate, NotFound, ValidationFailed
from portal.core.ids import PUBLIC_ID
from portal.core.ownership import TenantOwned, table_of, tenant_models
from portal.core.prepared import Prepared, scoped
from portal.core.session import TenantSession

Record = TypeVar("Record", bound=TenantOwned)
_ID = re.compile(r"[1-9][0-9]{0,14}", re.ASCII)


def find_record(session: TenantSession, model: type[Record], reference: Any, *, lock: bool = False) -> Record:
    """The record with this id or public id. Raises NotFound for an unknown one, and for another tenant's.

    With `lock` it is read as it now stands and stays so until the transaction ends.
    """
    text = str(reference)
    if _ID.fullmatch(text):
        condition = model.id == int(text)
    elif PUBLIC_ID.match(text) and text.startswith(f"{model.public_prefix}_"):
        condition = model.public_id == text  # type: ignore[attr-defined]
    else:
        raise NotFound
    statement = select(model).where(condition)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    record = session.scalar(statement)
    if record is None:
        raise NotFound
    return record


def find_reference(
    session: TenantSession, model: type[Record], reference: Any, field: str, *, lock: bool = False
) -> Record:
    """The record a field of a body refers to. Raises ValidationFailed naming the field."""
    try:
        return find_record(session, model, reference, lock=lock)
    except NotFound:
        name = field.rpartition(".")[2].removesuffix("_id").replace("_", " ")
        raise ValidationFailed({field: f"No such {name}"}) from None


@dataclass(frozen=True)
class Unique:
    """A field whose value one record of a tenant may hold; the database's index is the last word.

    `message` says to the caller what is taken.
    """

    column: InstrumentedAttribute[Any]
    message: str
    ignoring_case: bool = False

    @cached_property
    def holder(self) -> Prepared:
        """The statement that finds who holds a value."""
        table = table_of(cast(type[TenantOwned], self.column.class_))
        known = table.c[self.column.key]
        wanted: BindParameter[str] = bindparam("value", type_=known.type)
        condition = func.lower(known) == func.lower(wanted) if self.ignoring_case else known == wanted
        return scoped(select(table.c.id).where(condition))


def refuse_taken(
    session: TenantSession, rules: tuple[Unique, ...], fields: dict[str, Any], but: TenantOwned | None = None
) -> None:
    """Raises Duplicate when another record than `but` holds one of the values in `fields`."""
    for rule in rules:
        value = fields.get(rule.column.key)
        if value is None:
            continue
        with session.fetching() as fetch:
            rows = fetch(rule.holder, {"value": value})
        if rows and (but is None or rows[0][0] != but.id):
            raise Duplicate({rule.column.key: rule.message}, existing_id=rows[0][0])


def refuse_referred(session: TenantSession, record: TenantOwned) -> None:
    """Raises Conflict, with what and how many, while other records refer to this one."""
    reasons = []
    for name, statement in _referrers(table_of(type(record)).name):
        with session.fetching() as fetch:
            count = fetch(statement, {"id": record.id})[0][0]
        if count:
            reasons.append(f"{name.replace('_', ' ')} ({count})")
    if reasons:
        raise Conflict(f"Other records refer to this one: {', '.join(reasons)}.")


@cache
def _referrers(target: str) -> tuple[tuple[str, Prepared], ...]:
    """Each table whose foreign keys hold rows of `target`, and the statement that counts those of one id."""
    found = []
    for model in tenant_models():
        table = table_of(model)
        for key in table.foreign_key_constraints:
            if key.referred_table.name == target and key.ondelete is None:
                column = table.c[next(e.parent.name for e in key.elements if e.column.name == "id")]
                wanted: BindParameter[int] = bindparam("id", type_=column.type)
                found.append((table.name, scoped(select(func.count()).select_from(table).where(column == wanted))))
    return tuple(found)
