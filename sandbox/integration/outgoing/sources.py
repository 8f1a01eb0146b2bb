"""What can be sent: each source a kind of record with its fields, and those of the records it refers to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from sqlalchemy import select

from portal.api.resource import Resource
from portal.api.schema import ApiModel
from portal.core.ownership import TenantOwned
from portal.core.session import TenantSession
from sandbox.resources.attendance import attendance
from sandbox.resources.customers import customers
from sandbox.resources.employees import employees
from sandbox.resources.invoices import invoices
from sandbox.resources.leads import leads
from sandbox.resources.products import products
from sandbox.resources.quotes import quotes
from sandbox.resources.receipts import receipts
from sandbox.resources.vendors import vendors

Kind = Literal["text", "number", "date", "instant", "flag"]
Facts = dict[str, Any]
_KINDS: dict[Any, Kind] = {
    str: "text",
    int: "number",
    Decimal: "number",
    dt.date: "date",
    dt.datetime: "instant",
    bool: "flag",
}
_INTERNAL = frozenset({"id", "version"})
POSITION = "position"
"""The field of a list's entry that counts them from 1."""


@dataclass(frozen=True)
class Derived:
    """A field that is worked out from the record as the API shows it."""

    name: str
    kind: Kind
    read: Callable[[Facts], Any]


@dataclass(frozen=True)
class Related:
    """A record that the source refers to: its fields are named `customer.email`. `key` is the column that refers."""

    name: str
    resource: Resource
    key: str


@dataclass(frozen=True)
class Source:
    """A kind of record that mappings may send. `entries` is what the entries of its lists refer to."""

    name: str
    resource: Resource
    related: tuple[Related, ...] = ()
    derived: tuple[Derived, ...] = ()
    entries: tuple[Related, ...] = ()

    @property
    def singular(self) -> str:
        return self.resource.singular

    @cached_property
    def fields(self) -> dict[str, Kind]:
        """Every field that can be sent, and its kind. Numbers that only the ERP itself understands are none."""
        found = dict(fields_of(self.resource.shows))
        found |= {item.name: item.kind for item in self.derived}
        for item in self.related:
            own = fields_of(item.resource.shows)
            found |= {f"{item.name}.{name}": own[name] for name in own if name not in item.resource.computed}
        return found

    @cached_property
    def lists(self) -> dict[str, dict[str, Kind]]:
        """Every list that can be sent, such as an invoice's `items`, with the fields of its entries."""
        found = {}
        for name, model in lists_of(self.resource.shows).items():
            fields: dict[str, Kind] = {POSITION: "number", **fields_of(model)}
            for item in self.entries:
                own = fields_of(item.resource.shows)
                fields |= {f"{item.name}.{each}": own[each] for each in own if each not in item.resource.computed}
            found[name] = fields
        return found

    @property
    def events(self) -> list[str]:
        """The events after which there is such a record to send."""
        return [name for name in self.resource.announces if not name.endswith(".deleted")]

    def read(self, session: TenantSession, records: Sequence[Any], lists: Collection[str] = ()) -> dict[int, Facts]:
        """The fields of some records, by their id: one query for each kind of record, however many there are.

        Of their lists those named in `lists` are among them, each with the facts of its entries.
        """
        columns = self.resource.columns
        rows = [{column.key: getattr(record, column.key) for column in columns} for record in records]
        shown = {row["id"]: row for row in self.resource.complete(session, rows)}
        facts = {id_: {name: row[name] for name in row if name in self.fields} for id_, row in shown.items()}
        for id_, row in shown.items():
            facts[id_] |= {item.name: item.read(row) for item in self.derived}
        for item in self.related:
            self._add_related(session, item, records, facts)
        for name in lists:
            for id_, found in self._entries_of(session, name, shown).items():
                facts[id_][name] = found
        return facts

    def _entries_of(self, session: TenantSession, name: str, shown: dict[int, Facts]) -> dict[int, list[Facts]]:
        """The facts of the entries of a list, by the record's id."""
        known: dict[str, dict[Any, Any]] = {}
        for item in self.entries:
            ids = {entry[item.key] for row in shown.values() for entry in row[name]} - {None}
            model: type[TenantOwned] = item.resource.model
            wanted = select(model).where(model.id.in_(ids))
            known[item.name] = {record.id: record for record in session.scalars(wanted)} if ids else {}
        keys = {item.name: item.key for item in self.entries}

        def read(position: int, entry: Facts, field: str) -> Any:
            holder, _, own = field.partition(".")
            if not own:
                return position if field == POSITION else entry[field]
            return getattr(known[holder].get(entry[keys[holder]]), own, None)

        return {
            id_: [
                {field: read(place, entry, field) for field in self.lists[name]}
                for place, entry in enumerate(row[name], 1)
            ]
            for id_, row in shown.items()
        }

    def _add_related(
        self, session: TenantSession, item: Related, records: Sequence[Any], facts: dict[int, Facts]
    ) -> None:
        keys = {record.id: getattr(record, item.key) for record in records if record.id in facts}
        model: type[TenantOwned] = item.resource.model
        wanted = select(model).where(model.id.in_({key for key in keys.values() if key is not None}))
        found = {record.id: record for record in session.scalars(wanted)}
        names = [name.partition(".")[2] for name in self.fields if name.startswith(f"{item.name}.")]
        for id_, key in keys.items():
            other = found.get(key)
            facts[id_] |= {f"{item.name}.{name}": getattr(other, name) if other else None for name in names}


def lists_of(model: type[ApiModel]) -> dict[str, type[ApiModel]]:
    """The fields of an answer that hold lists of objects, and what their entries are."""
    found = {}
    for name, field in model.model_fields.items():
        entry = next(iter(get_args(field.annotation)), None) if get_origin(field.annotation) is list else None
        if isinstance(entry, type) and issubclass(entry, ApiModel):
            found[name] = entry
    return found


def fields_of(model: type[ApiModel]) -> dict[str, Kind]:
    """The fields of an answer that hold one value fit to be sent, and the kind of each."""
    names = [name for name in model.model_fields if name not in _INTERNAL and not name.endswith("_id")]
    names[:0] = ["public_id"] if "public_id" in model.model_fields else []
    kinds = {name: kind_of(model.model_fields[name].annotation) for name in names}
    return {name: kind for name, kind in kinds.items() if kind is not None}


def kind_of(annotation: Any) -> Kind | None:
    """The kind of a field's type; None for lists, objects and references."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return kind_of(get_args(annotation)[0])
    if origin is Literal:
        return "text"
    if origin in {Union, UnionType}:
        options = [option for option in get_args(annotation) if option is not type(None)]
        return kind_of(options[0]) if len(options) == 1 else None
    return _KINDS.get(annotation)


_ITEMS = Derived("items.count", "number", lambda row: len(row["items"]))
_CUSTOMER = Related("customer", customers, "customer_id")
_PRODUCTS = (Related("product", products, "product_id"),)
SOURCES: dict[str, Source] = {
    source.name: source
    for source in (
        Source(
            "invoice",
            invoices,
            related=(_CUSTOMER,),
            entries=_PRODUCTS,
            derived=(
                _ITEMS,
                Derived("items.descriptions", "text", lambda row: "; ".join(i["description"] for i in row["items"])),
            ),
        ),
        Source("quote", quotes, related=(_CUSTOMER,), derived=(_ITEMS,), entries=_PRODUCTS),
        Source("customer", customers),
        Source("lead", leads),
        Source("product", products),
        Source("vendor", vendors),
        Source(
            "goods_receipt",
            receipts,
            related=(Related("vendor", vendors, "vendor_id"),),
            derived=(_ITEMS,),
            entries=_PRODUCTS,
        ),
        Source("employee", employees),
        Source("attendance", attendance, related=(Related("employee", employees, "employee_id"),)),
    )
}
