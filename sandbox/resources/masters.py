"""Masters: the lists a form offers to choose from, by name. Read by integrations, kept by the ERP's administrators."""

from __future__ import annotations

import re
from typing import Any

from pydantic import Field
from sqlalchemy import JSON, BigInteger, ForeignKeyConstraint, Index, String, bindparam, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from portal.api.lists import Filter, query_schema
from portal.api.operation import Call, Operation, Page
from portal.api.paging import ListPlan, Reader
from portal.api.records import find_record
from portal.api.resource import Resource
from portal.api.schema import ApiModel, Identity, Stamps
from portal.core.database import Base
from portal.core.errors import NotFound
from portal.core.ownership import TenantRecord, table_of
from portal.core.prepared import scoped
from portal.core.session import TenantSession
from portal.core.types import lowered

_NAME = re.compile(r"[a-z_]{1,40}", re.ASCII)
_PLACE = {"path:name": "The master's name, as in `cities`"}


class Master(TenantRecord, Base):
    """A named list. `name` is unique within a tenant."""

    __tablename__ = "masters"
    __table_args__ = (Index("uq_masters_name", "tenant_id", "name", unique=True),)
    public_prefix = "mst"

    name: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(80))


class MasterEntry(TenantRecord, Base):
    """One thing to choose. `code` is unique within its master; `extra` is what else the list tells of it."""

    __tablename__ = "master_entries"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "master_id"], ["masters.tenant_id", "masters.id"]),
        Index("uq_master_entries_code", "tenant_id", "master_id", "code", unique=True),
    )
    public_prefix = "mse"

    master_id: Mapped[int] = mapped_column(BigInteger)
    code: Mapped[str] = mapped_column(String(40))
    label: Mapped[str] = mapped_column(String(80))
    extra: Mapped[dict[str, str]] = mapped_column(JSON)


_LISTS, _LISTED = table_of(Master).c, table_of(MasterEntry).c
_wanted = lowered(bindparam("value", type_=String()))
_ENTRY = scoped(
    select(_LISTED.id)
    .where(
        _LISTS.name == bindparam("name", type_=String()),
        _LISTED.master_id == _LISTS.id,
        or_(lowered(_LISTED.code) == _wanted, lowered(_LISTED.label) == _wanted),
    )
    .limit(1)
)


class MasterBody(ApiModel):
    """A master's own fields."""

    name: str = Field(description="Stands in the path of its entries")
    title: str


class MasterView(Stamps, MasterBody, Identity):
    """A master as the API shows it."""


class EntryBody(ApiModel):
    """An entry's own fields."""

    code: str
    label: str
    extra: dict[str, str] = Field(description="What else is known: a city's state and country")


class EntryView(Stamps, EntryBody, Identity):
    """An entry as the API shows it."""


def exists_in_master(session: TenantSession, name: str, value: str) -> bool:
    """True where the master `name` has an entry with this code or label, in capitals or not."""
    with session.fetching() as fetch:
        return bool(fetch(_ENTRY, {"name": name, "value": value}))


def _find_master(call: Call) -> Master:
    name = call.path["name"]
    master = call.session.scalar(select(Master).where(Master.name == name)) if _NAME.fullmatch(name) else None
    if master is None:
        raise NotFound
    return master


def _find_entry(call: Call) -> MasterEntry:
    master, entry = _find_master(call), find_record(call.session, MasterEntry, call.path["id"])
    if entry.master_id != master.id:
        raise NotFound
    return entry


def _list_entries(call: Call) -> Page:
    query = call.query.model_copy(update={"master_id": call.record.id})
    return Reader(call.session, _PLAN, query, call.signer(f"cursor {call.record.id}")).read()


def _show_entry(call: Call) -> dict[str, Any]:
    return {name: getattr(call.record, name) for name in EntryView.model_fields}


_COLUMNS = tuple(getattr(MasterEntry, name) for name in EntryView.model_fields)
_SEARCHES = (MasterEntry.code, MasterEntry.label)
_PLAN = ListPlan(MasterEntry, _COLUMNS, {"master_id": Filter(int, MasterEntry.master_id)}, _SEARCHES)
_SORTS = ("id", "code", "label", "created_at", "updated_at")

_entries = Operation(
    id="masters.entries",
    method="GET",
    path="/api/v2/masters/{name}",
    summary="List the entries of a master",
    outcome="One page of entries",
    description="What a form offers: each entry with a code to send and a label to show. A name the tenant has no "
    "master for is not found.",
    permission="catalog:read",
    find=_find_master,
    handle=_list_entries,
    query=query_schema("EntryQuery", {}, _SORTS, searches=True, keeps_deletions=True),
    returns=EntryView,
    is_list=True,
    sample_path={"name": "cities"},
    headers=_PLACE,
)
_entry = Operation(
    id="masters.entry",
    method="GET",
    path="/api/v2/masters/{name}/{id}",
    summary="Read an entry of a master",
    outcome="The entry",
    permission="catalog:read",
    find=_find_entry,
    handle=_show_entry,
    returns=EntryView,
    shows_record=True,
    sample_path={"name": "cities", "id": 1},
    headers=_PLACE,
)

masters = Resource(
    name="masters",
    singular="master",
    module="catalog",
    description="The lists a form offers to choose from: cities, countries, lead sources, payment methods, units.",
    model=Master,
    shows=MasterView,
    verbs=("list",),
    sorts=("id", "name", "created_at", "updated_at"),
    actions=(_entries, _entry),
)
