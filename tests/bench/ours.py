"""Our own server, and stores of the bench's own with tenants, keys and customers in them."""

from __future__ import annotations

import datetime as dt
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import insert, make_url

import sandbox
from portal.commands import prepare_database
from portal.core.config import Settings, load_settings
from portal.core.counters import take_block
from portal.core.database import Database
from portal.core.ids import new_public_id
from portal.core.ownership import table_of
from portal.core.session import TenantSession
from portal.core.types import EncryptedText
from portal.serving.processes import server_command
from portal.tenancy.keys import issue_key
from portal.tenancy.models import Tenant
from sandbox.resources.customers import Customer
from sandbox.tenants import create_sandbox
from tests.bench import customers
from tests.bench.load import PROCESSES, THREADS, free_port, running
from tests.bench.scripts import Ask
from tests.bench.targets import LEVELS, OURS, Keys, Target, keys_for

REPORT = "/api/v2/reports/financial?year=2024&month=1"
ASKS = {
    "page": Ask(["/docs/quickstart"]),
    "list": Ask(["/api/v2/customers"]),
    "list afresh": Ask(["/api/v2/customers?sort=id&limit=20&page=1"], afresh=True),
    "get": Ask([f"/api/v2/customers/{number}" for number in range(1, 100)]),
    "create": Ask(["/api/v2/customers"], creates=True),
    "report": Ask([REPORT]),
}
READING = ("list", "list afresh", "get", "report")
SECRET = "b" * 40


@dataclass(frozen=True)
class Store:
    """A database of the bench's own and the environment of a server on it."""

    database: Database
    settings: Settings
    environ: dict[str, str]


@contextmanager
def new_store(folder: Path, name: str, server_url: str = "") -> Iterator[Store]:
    """A store with tables and seed: a file in `folder`, or a new database on the PostgreSQL server of `server_url`."""
    home = folder / name
    home.mkdir()
    with _database_on(server_url) as url:
        wanted = {"INSTANCE_PATH": str(home), "SECRET_KEY": SECRET, "BASE_URL": "http://localhost", "DATABASE_URL": url}
        settings = load_settings(wanted)
        EncryptedText.use_secret(settings.secret_key)
        database = Database(settings.database_url)
        try:
            prepare_database(database, settings, sandbox.extension.preparations)
            yield Store(database, settings, {**os.environ, **wanted, "REDIS_URL": ""})
        finally:
            database.close()


@contextmanager
def _database_on(server_url: str) -> Iterator[str]:
    if not server_url:
        yield ""
        return
    server = make_url(server_url.replace("postgres://", "postgresql://")).set(drivername="postgresql")
    name = f"slipway_bench_{uuid.uuid4().hex[:8]}"
    plain = server.render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield server.set(database=name).render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def serve_store(store: Store) -> Iterator[str]:
    """Run the product's server as `flask serve` does, without a worker; yields its origin."""
    port = free_port()
    counts = {"WORKERS": str(PROCESSES), "THREADS": str(THREADS)}
    environ = {**store.environ, **counts, "PORT": str(port), "LOG_LEVEL": "error"}
    command = server_command()
    with running(command, environ, f"http://127.0.0.1:{port}", "/healthz") as origin:
        yield origin


def add_tenant(store: Store, name: str, *, keys: int, count: int = 0) -> list[str]:
    """A sandbox with the seed, brought to `count` customers where that is more; returns its keys."""
    with store.database.transaction() as session:
        tenant = create_sandbox(session, store.settings, name=name).tenant
        add_customers(session, count - 100)
        return add_keys(session, store, tenant, keys)


def add_keys(session: TenantSession, store: Store, tenant: Tenant, count: int) -> list[str]:
    """Administrator's keys of the tenant the session is bound to."""
    secret = store.settings.secret_key
    issued = [issue_key(session, secret, tenant, name=f"k{n}", role="administrator") for n in range(count)]
    return [key.secret for key in issued]


def add_customers(session: TenantSession, count: int) -> None:
    """So many more customers of the session's tenant."""
    if count <= 0:
        return
    session.flush()
    numbers = take_block(session, "customers", count)
    moment = dt.datetime.fromisoformat(customers.MOMENT)
    rows: list[dict[str, Any]] = []
    for number in numbers:
        own = {"tenant_id": session.owner_id, "id": number, "public_id": new_public_id("cus")}
        stamps = {"created_at": moment, "updated_at": moment, "version": 1}
        rows.append({**own, **customers.typed_fields(number), **stamps})
    session.connection().execute(insert(table_of(Customer)), rows)


@contextmanager
def our_server(folder: Path, server_url: str, *, rounds: int, seconds: int) -> Iterator[Target]:
    """Our server on a store with a tenant to read, one to write to and one for batches."""
    with new_store(folder, "ours", server_url) as store:
        runs = keys_for(seconds) * len(LEVELS) * rounds
        needed = runs * len(READING) + keys_for(1) + 1
        reading = Keys(add_tenant(store, "Read", keys=needed, count=customers.COUNT))
        writing = {name: Keys(add_tenant(store, name, keys=runs + 1)) for name in ("create", "batch")}
        store.database.close()
        with serve_store(store) as origin:
            keys = {**dict.fromkeys(READING, reading), **writing}
            yield Target(OURS, origin, "/healthz", ASKS, keys, batch="/api/v2/batch/customers")
