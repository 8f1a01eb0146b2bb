"""One tenant against a thousand: the same calls on a small store and on a large one."""

from __future__ import annotations

import random
import statistics
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import Connection, Insert, String, Table, Text, cast, func, insert, literal, select

from portal.core.ownership import TenantOwned, table_of
from portal.tenancy.models import Tenant
from portal.tenancy.service import create_tenant
from sandbox.resources.customers import Customer
from sandbox.resources.invoice_items import InvoiceItem
from sandbox.resources.invoice_records import Invoice
from sandbox.resources.products import Product
from sandbox.resources.reference import Account, Category, Department
from sandbox.resources.sale_records import Sale
from sandbox.resources.transactions import Transaction
from sandbox.tenants import create_sandbox
from tests.bench.choice import Choice
from tests.bench.load import Figures, press, settle
from tests.bench.ours import REPORT, Store, add_keys, add_tenant, new_store, serve_store
from tests.bench.scripts import Ask
from tests.bench.targets import USUAL

TENANTS = 1000
COPIED = (Account, Category, Department, Product, Customer, Invoice, InvoiceItem, Sale, Transaction)
"""What the measured calls read and what that refers to: some 2,700 rows of a seed's."""
ROOMY = "PRAGMA cache_size=-1000000"
"""Kibibytes for the connection that fills the store; those that serve have what the product gives them."""
CALLS = {
    "list": Ask(["/api/v2/customers?sort=id&limit=20&page=1"], afresh=True),
    "filtered list": Ask(["/api/v2/invoices?status=Unpaid&sort=id&limit=20&page=1"], afresh=True),
    "get": Ask([f"/api/v2/customers/{number}" for number in range(1, 100)]),
    "report": Ask([REPORT]),
}
ONE, MANY = "one tenant", "1,000 tenants"


@dataclass
class Scale:
    """The figures of every round by call and store, and the rows of the large store."""

    rows: int = 0
    runs: dict[tuple[str, str], list[Figures]] = field(default_factory=dict)

    def ratio(self, call: str) -> float:
        """How many times as long the slowest of a hundred calls takes among many tenants."""
        return self._p99(call, MANY) / self._p99(call, ONE)

    def _p99(self, call: str, store: str) -> float:
        return statistics.median(run.p99 for run in self.runs[call, store])


def measure(folder: Path, choice: Choice) -> Scale:
    """Both stores are served at once and loaded in turn, each call with a thousand keys in turn."""
    scale = Scale()
    with ExitStack() as stack:
        one = stack.enter_context(new_store(folder, "one", choice.database_url))
        many = stack.enter_context(new_store(folder, "many", choice.database_url))
        keys = {ONE: add_tenant(one, "One", keys=TENANTS), MANY: fill_tenants(many, TENANTS)}
        scale.rows = _count_rows(many)
        _tidy(many)
        for store in (one, many):
            store.database.close()
        origins = {name: stack.enter_context(serve_store(store)) for name, store in ((ONE, one), (MANY, many))}
        _check(origins, keys)
        for _ in range(choice.rounds):
            for call, ask in CALLS.items():
                for name, origin in origins.items():
                    script = ask.script(random.sample(keys[name], TENANTS))
                    figures = press(origin, script, seconds=choice.seconds, connections=USUAL, folder=folder)
                    scale.runs.setdefault((call, name), []).append(figures)
                    settle(f"{origin}/healthz")
    return scale


def fill_tenants(store: Store, count: int) -> list[str]:
    """So many tenants, each with a key and the seed's books; returns the keys."""
    keys = []
    with store.database.transaction() as session:
        source = create_sandbox(session, store.settings, name="Source").tenant
    with store.database.transaction() as session:
        for number in range(count):
            with session.beside() as own:
                tenant = create_tenant(own, name=f"Tenant {number}", mode="sandbox")
                keys += add_keys(own, store, tenant, 1)
    with store.database.transaction() as session:
        if store.database.is_sqlite:
            session.connection().exec_driver_sql(ROOMY)
        for model in COPIED:
            session.connection().execute(_copies(model, source.id))
    return keys


def _copies(model: type[TenantOwned], source_id: int) -> Insert:
    """Writes the source's rows for every later tenant, in the order of the primary key."""
    table, tenants = table_of(model), Tenant.__table__
    assert isinstance(tenants, Table)
    values: dict[str, Any] = {column.name: column for column in table.columns}
    values["tenant_id"] = tenants.c.id
    if "public_id" in values:
        seed = tenants.c.salt + literal(f":{table.name}:") + cast(table.c.id, Text)
        values["public_id"] = literal(f"{model.public_prefix}_") + func.substr(func.md5(seed), 1, 24, type_=String())
    rows = select(*values.values()).select_from(tenants.join(table, table.c.tenant_id == source_id))
    rows = rows.where(tenants.c.id > source_id).order_by(tenants.c.id, table.c.id)
    return insert(table).from_select(list(values), rows)


def _count_rows(store: Store) -> int:
    with store.database.transaction(write=False) as session:
        connection: Connection = session.connection()
        counts = [connection.scalar(select(func.count()).select_from(table_of(model))) for model in COPIED]
    return sum(count or 0 for count in counts)


def _tidy(store: Store) -> None:
    """What a store does for itself in time: write the log of changes back, gather statistics."""
    with store.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        statement = "PRAGMA wal_checkpoint(TRUNCATE)" if store.database.is_sqlite else "ANALYZE"
        connection.exec_driver_sql(statement)


def _check(origins: dict[str, str], keys: dict[str, list[str]]) -> None:
    """Every tenant must hold the same books."""
    for path in ("/api/v2/customers", "/api/v2/invoices?status=Unpaid", REPORT):
        answers = [
            requests.get(origins[name] + path, headers={"x-api-key": key}, timeout=30).json()
            for name, key in ((ONE, keys[ONE][0]), (MANY, keys[MANY][0]), (MANY, keys[MANY][-1]))
        ]
        assert len({_gist(answer) for answer in answers}) == 1, answers


def _gist(answer: dict[str, Any]) -> str:
    return str(answer.get("meta") or answer["data"])
