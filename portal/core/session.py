"""The tenant-bound session: scopes every ORM statement, stamps every new row, tells what changed.

It refuses to touch a tenant's tables before it is bound, and to be bound twice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event, inspect
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction, with_loader_criteria

from portal.core.calendars import Calendar
from portal.core.clock import Clock
from portal.core.counters import draw_revision, take_number
from portal.core.derived import is_key
from portal.core.ids import new_log_id, new_public_id
from portal.core.ownership import TenantLog, TenantOwned
from portal.core.prepared import OWNER, Direct, Prepared, direct, telling_of_failures
from portal.core.types import EncryptedText

HIDDEN = "••••"
Fetch = Callable[[Prepared, dict[str, Any]], list[list[Any]]]


class TenantNotBound(RuntimeError):
    """A statement touched a tenant's table before the session knew its tenant."""


class ForeignTenant(RuntimeError):
    """A row of one tenant was about to be written in a session of another."""


@dataclass(frozen=True)
class Change:
    """One row a transaction created, changed or removed; `fields` maps a name to (before, after)."""

    table: str
    public_id: str | None
    verb: str
    fields: dict[str, tuple[Any, Any]]


class TenantSession(Session):
    """A SQLAlchemy session that knows one tenant at most.

    `author` names who writes, for records that say so; `trace` the request or job, for what it leads to. `day` is the
    tenant's day, if somebody asked what day it is.
    """

    tenant_id: int | None
    author: str
    trace: str
    changes: list[Change]
    has_told_time: bool
    day: dt.date | None

    def __init__(self, bind: Any) -> None:
        super().__init__(bind, expire_on_commit=False, autoflush=False)
        self.tenant_id = None
        self.author = ""
        self.trace = ""
        self.changes = []
        self.has_told_time = False
        self.day = None
        self._clock = Clock()
        self._revised: SessionTransaction | None = None

    def bind_tenant(self, tenant_id: int, clock: Clock | None = None) -> None:
        """Say whose data this transaction is about. Raises ForeignTenant when it is another's already."""
        if self.tenant_id not in (None, tenant_id):
            raise ForeignTenant("the session is bound to another tenant")
        self.tenant_id = tenant_id
        self._clock, self.day = clock or self._clock, None

    @property
    def clock(self) -> Clock:
        """The tenant's own time. What was read with it may be different a moment later."""
        self.has_told_time = True
        return self._clock

    def current_day(self) -> dt.date:
        """Return the tenant's day, for what a record shows. It is the same one as long as this session lasts."""
        self.day = self.day or self._clock.today()
        return self.day

    @property
    def calendar(self) -> Calendar:
        """Return the calendar of the tenant's time zone. It is the same a moment later, unlike the time."""
        return self._clock.calendar

    def revise(self) -> None:
        """Draw the tenant's new revision, once in a transaction that may write."""
        transaction = self.get_transaction()
        if self.tenant_id is None or self._revised is transaction or not self.may_write:
            return
        with self.directly() as inside:
            draw_revision(inside, self.tenant_id)
        self._revised = transaction

    @contextmanager
    def beside(self) -> Iterator[TenantSession]:
        """A session of its own in this one's transaction, not bound yet: for an act that concerns two tenants.

        Each of the two still sees one tenant only. It is flushed at the end; this one commits or rolls back both.
        """
        self.flush()
        with closing(TenantSession(self.connection())) as other:
            other.connection()
            yield other
            other.flush()
            other.revise()

    @property
    def owner_id(self) -> int:
        """The tenant's key. Raises TenantNotBound."""
        if self.tenant_id is None:
            raise TenantNotBound("bind_tenant was not called")
        return self.tenant_id

    @contextmanager
    def fetching(self) -> Iterator[Fetch]:
        """Read scoped statements for this session's tenant: inside its transaction if one has begun.

        Yields a function that takes a statement and its values and gives the rows.
        """
        owner = {OWNER: self.owner_id}
        if not self.in_transaction():
            with direct(self.get_bind().engine, write=False) as reader:
                yield lambda prepared, values: reader.rows(prepared, values | owner)
            return
        with self.directly() as inside:
            yield lambda prepared, values: inside.rows(prepared, values | owner)

    @property
    def may_write(self) -> bool:
        """True for a session that was opened to write."""
        return bool(self.get_bind().get_execution_options().get("takes_write_lock"))

    @contextmanager
    def directly(self) -> Iterator[Direct]:
        """This session's transaction, for prepared statements. Raises ServiceUnavailable when the store fails."""
        with telling_of_failures():
            connection = self.connection()
            with closing(connection.connection.cursor()) as cursor:
                yield Direct(cursor, connection.dialect)


@event.listens_for(TenantSession, "do_orm_execute")
def _scope_statement(state: ORMExecuteState) -> None:
    if state.is_column_load or state.is_relationship_load:
        return
    session = state.session
    assert isinstance(session, TenantSession)
    if session.tenant_id is None:
        if any(issubclass(mapper.class_, TenantOwned) for mapper in state.all_mappers):
            raise TenantNotBound(f"{state.statement} needs a tenant")
        return
    tenant_id = session.tenant_id
    state.statement = state.statement.options(
        with_loader_criteria(TenantOwned, lambda model: model.tenant_id == tenant_id, include_aliases=True)
    )


@event.listens_for(TenantSession, "before_commit")
def _revise(session: TenantSession) -> None:
    if not session.in_nested_transaction():
        session.revise()


@event.listens_for(TenantSession, "before_flush")
def _stamp_rows(session: TenantSession, context: Any, instances: Any) -> None:
    for row in session.new:
        if isinstance(row, TenantOwned):
            _stamp_new(session, row)
    for row in session.dirty | session.deleted:
        if isinstance(row, TenantOwned) and row.tenant_id != session.owner_id:
            raise ForeignTenant(f"{row.__tablename__} of another tenant")
    _note_changes(session)


def _stamp_new(session: TenantSession, row: TenantOwned) -> None:
    if row.tenant_id is None:
        row.tenant_id = session.owner_id
    elif row.tenant_id != session.owner_id:
        raise ForeignTenant(f"{row.__tablename__} of another tenant")
    if row.id is None:
        row.id = new_log_id() if isinstance(row, TenantLog) else take_number(session, row.__tablename__)
    if row.public_prefix and getattr(row, "public_id", None) is None:
        row.public_id = new_public_id(row.public_prefix)  # type: ignore[attr-defined]
    now = session.clock.now()
    for name in ("created_at", "updated_at"):
        if hasattr(row, name) and getattr(row, name) is None:
            setattr(row, name, now)


def _note_changes(session: TenantSession) -> None:
    for row in session.new:
        if isinstance(row, TenantOwned) and row.is_audited:
            session.changes.append(Change(row.__tablename__, getattr(row, "public_id", None), "created", {}))
    for row in session.dirty:
        if isinstance(row, TenantOwned) and row.is_audited and session.is_modified(row):
            fields = _changed_fields(row)
            if hasattr(row, "updated_at"):
                row.updated_at = session.clock.now()
            session.changes.append(Change(row.__tablename__, getattr(row, "public_id", None), "changed", fields))
    for row in session.deleted:
        if isinstance(row, TenantOwned) and row.is_audited:
            session.changes.append(Change(row.__tablename__, getattr(row, "public_id", None), "removed", {}))


def _changed_fields(row: TenantOwned) -> dict[str, tuple[Any, Any]]:
    fields = {}
    for attribute in inspect(row).mapper.column_attrs:
        if is_key(attribute.columns[0]):
            continue
        history = inspect(row).attrs[attribute.key].history
        if history.has_changes():
            before, after = history.deleted[0] if history.deleted else None, getattr(row, attribute.key)
            is_secret = isinstance(attribute.columns[0].type, EncryptedText)
            fields[attribute.key] = (HIDDEN, HIDDEN) if is_secret else (before, after)
    return fields
