"""Finding records by id or public id, inside the session's tenant. Outsiders get what the unknown get."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, TypeVar, cast

from sqlalchemy import BindParameter, Column, bindparam, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from portal.api.deletions import find_deletion
from portal.core.derived import find_derived
from portal.core.errors import Conflict, Duplicate, NotFound, ValidationFailed
from portal.core.ids import PUBLIC_ID
from portal.core.ownership import TenantOwned, table_of, tenant_models
from portal.core.prepared import Prepared, scoped
from portal.core.remedies import Remedy
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
        raise _missing(session, model, text)
    return record


def _missing(session: TenantSession, model: type[TenantOwned], reference: str) -> NotFound:
    """What to answer for a record that is not there; of one's own that was deleted, when."""
    deleted_at = find_deletion(session, model.__tablename__, reference)
    if deleted_at is None:
        return NotFound()
    return NotFound("This record was deleted.", remedy=Remedy("state", "deleted"), deleted_at=deleted_at)


def find_reference(
    session: TenantSession, model: type[Record], reference: Any, field: str, *, lock: bool = False
) -> Record:
    """The record a field of a body refers to. Raises ValidationFailed naming the field."""
    try:
        return find_record(session, model, reference, lock=lock)
    except NotFound:
        raise ValidationFailed({field: _nothing_there(field)}) from None


def find_references(
    session: TenantSession,
    wanted: Mapping[str, tuple[type[TenantOwned], Any]],
    faults: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The record that each field refers to, read with one statement for each kind; a field without a value is left out.

    The records cannot be deleted before the transaction ends. Raises ValidationFailed naming every field that
    refers to nothing, together with the `faults` known already.
    """
    found: dict[str, Any] = {}
    errors = dict(faults or {})
    for model in dict.fromkeys(model for model, _ in wanted.values()):
        named = {field: value for field, (kind, value) in wanted.items() if kind is model and value is not None}
        records = _read_all(session, model, set(named.values())) if named else {}
        found |= {field: records[value] for field, value in named.items() if value in records}
        errors |= {field: _nothing_there(field) for field, value in named.items() if value not in records}
    if errors:
        raise ValidationFailed(errors)
    return found


def _read_all(session: TenantSession, model: type[TenantOwned], values: set[int | str]) -> dict[int | str, TenantOwned]:
    """The records with these ids or public ids, by what they were named. Always locked in the same order."""
    ids = [value for value in values if isinstance(value, int)]
    public_ids = [value for value in values if isinstance(value, str)]
    chosen = or_(model.id.in_(ids), model.public_id.in_(public_ids))  # type: ignore[attr-defined]
    statement = select(model).where(chosen).order_by(model.id).with_for_update(read=True, key_share=True)
    records = session.scalars(statement).all()
    named: dict[int | str, TenantOwned] = {record.id: record for record in records}
    return named | {record.public_id: record for record in records}  # type: ignore[attr-defined]


def _nothing_there(field: str) -> str:
    return f"No such {field.rpartition('.')[2].removesuffix('_id').replace('_', ' ')}"


@dataclass(frozen=True)
class Unique:
    """A field whose value one record of a tenant may hold; the database's index is the last word.

    `message` says to the caller what is taken. A column with a comparison key is compared by that.
    """

    column: InstrumentedAttribute[Any]
    message: str

    @cached_property
    def holder(self) -> Prepared:
        """The statement that finds who holds a value."""
        table = table_of(cast(type[TenantOwned], self.column.class_))
        known = self._key[0] if self._key else table.c[self.column.key]
        wanted: BindParameter[str] = bindparam("value", type_=known.type)
        return scoped(select(table.c.id).where(known == wanted))

    @cached_property
    def _key(self) -> tuple[Column[Any], Callable[[Any], Any]] | None:
        return find_derived(table_of(cast(type[TenantOwned], self.column.class_)), self.column.key, "comparison")

    def compared(self, value: Any) -> Any:
        """Return the form in which a value is compared with others."""
        return self._key[1](value) if self._key else value


def refuse_taken(
    session: TenantSession, rules: tuple[Unique, ...], fields: dict[str, Any], but: TenantOwned | None = None
) -> None:
    """Raises Duplicate when another record than `but` holds one of the values in `fields`."""
    for rule in rules:
        value = fields.get(rule.column.key)
        if value is None:
            continue
        with session.fetching() as fetch:
            rows = fetch(rule.holder, {"value": rule.compared(value)})
        if rows and (but is None or rows[0][0] != but.id):
            raise Duplicate({rule.column.key: rule.message}, existing_id=rows[0][0])


def refuse_referred(session: TenantSession, record: TenantOwned) -> None:
    """Raises Conflict, with what and how many, while other records refer to this one."""
    referring = {}
    for name, statement in _referrers(table_of(type(record)).name):
        with session.fetching() as fetch:
            count = fetch(statement, {"id": record.id})[0][0]
        if count:
            referring[name.replace("_", " ")] = count
    if referring:
        reasons = ", ".join(f"{name} ({count})" for name, count in referring.items())
        remedy = Remedy("state", referring, "no record that refers to it")
        raise Conflict(f"Other records refer to this one: {reasons}.", remedy=remedy)


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
