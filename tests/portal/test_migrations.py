"""A database of the first release is brought up to date with all its rows."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    Boolean,
    Connection,
    Date,
    DateTime,
    Integer,
    MetaData,
    Table,
    create_engine,
    func,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.engine import make_url

from portal.api.exchanges import Exchange
from portal.core import migrations
from portal.core.database import Database
from portal.core.ownership import table_of
from tests.stores import Store

FILLED = (
    "tenants",
    "accounts",
    "categories",
    "customers",
    "leads",
    "lead_touches",
    "invoices",
    "transactions",
    "sales",
    "exchanges",
)


@pytest.fixture
def old_database(store: Store, tmp_path: Path) -> Iterator[Database]:
    """A database as the first release left it, with a row in each of FILLED."""
    url = make_url(f"sqlite:///{tmp_path}/old.db")
    name = f"old_{uuid.uuid4().hex[:8]}"
    if not store.database_url.startswith("sqlite"):
        url = make_url(store.database_url).set(database=name)
        administer(store, f"CREATE DATABASE {name}")
    database = Database(url.render_as_string(hide_password=False))
    migrations.upgrade(database, "0001")
    with database.writer.begin() as connection:
        tables = reflect(connection)
        for table in FILLED:
            connection.execute(insert(tables[table]).values(row_for(tables[table])))
    yield database
    database.close()
    if url.get_backend_name() != "sqlite":
        administer(store, f"DROP DATABASE {name} WITH (FORCE)")


def administer(store: Store, command: str) -> None:
    engine = create_engine(store.database_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(command))
    engine.dispose()


def reflect(connection: Connection) -> dict[str, Table]:
    metadata = MetaData()
    metadata.reflect(connection, only=FILLED)
    return dict(metadata.tables)


def row_for(table: Table) -> dict[str, Any]:
    """A row with every column that must be filled; what refers to something refers to the other table's only row."""
    referring = {column.name for key in table.foreign_key_constraints for column in key.columns}
    return {
        column.name: value_for(column)
        for column in table.columns
        if not column.nullable or column.primary_key or column.name in referring & {"lead_id", "invoice_id"}
    }


def value_for(column: Any) -> Any:
    if isinstance(column.type, Boolean):
        return True
    if isinstance(column.type, Integer):
        return 1
    if isinstance(column.type, DateTime):
        return dt.datetime(2024, 1, 15, tzinfo=dt.UTC)
    if isinstance(column.type, Date):
        return dt.date(2024, 1, 15)
    return [] if column.type.__class__.__name__ == "JSON" else "x"


def test_an_upgrade_keeps_every_row(old_database: Database) -> None:
    migrations.upgrade(old_database)
    with old_database.reader.connect() as connection:
        tables = reflect(connection)
        counts = {name: connection.scalar(select(func.count()).select_from(tables[name])) for name in FILLED}
        touch = connection.execute(select(tables["lead_touches"].c.lead_id)).scalar_one()
        bodies = connection.execute(select(table_of(Exchange).c["request_body", "response_body"])).one()
    assert counts == dict.fromkeys(FILLED, 1)
    assert tuple(bodies) == ("x", "x")
    assert touch == 1
    assert migrations.differences(old_database) == []


def test_an_upgrade_keeps_every_index(old_database: Database) -> None:
    def index_names() -> set[str]:
        with old_database.reader.connect() as connection:
            if old_database.is_sqlite:
                return set(connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'index'")).scalars())
            return {str(index["name"]) for table in FILLED for index in inspect(connection).get_indexes(table)}

    before = {name for name in index_names() if not name.startswith("sqlite_")}
    migrations.upgrade(old_database)
    assert before - index_names() <= {"ix_conversations_token_hash", "ix_exchanges_tenant_id_request_id"}


def test_an_upgrade_checks_what_refers_to_what_again(old_database: Database) -> None:
    migrations.upgrade(old_database)
    with old_database.writer.begin() as connection:
        if old_database.is_sqlite:
            assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
        with pytest.raises(Exception, match=r"(?i)foreign key"):
            connection.execute(text("UPDATE transactions SET invoice_id = 99"))


def test_an_upgrade_gives_idempotency_keys_of_credentials_to_their_tenant(old_database: Database) -> None:
    migrations.upgrade(old_database, "0007")
    with old_database.writer.begin() as connection:
        metadata = MetaData()
        metadata.reflect(connection, only=["api_keys", "idempotency_keys"])
        keys, answers = metadata.tables["api_keys"], metadata.tables["idempotency_keys"]
        for number, key_id in enumerate(("first", "second"), 1):
            connection.execute(insert(keys).values(row_for(keys) | {"id": number, "key_id": key_id}))
        used = [("first", "same"), ("second", "same"), ("first", "other"), ("10.0.0.1", "same")]
        for number, (credential, key) in enumerate(used, 1):
            named = {"id": number, "credential": credential, "key": key}
            connection.execute(insert(answers).values(row_for(answers) | named))
    migrations.upgrade(old_database)
    with old_database.reader.connect() as connection:
        found = connection.execute(select(answers.c.id, answers.c.credential).order_by(answers.c.id)).all()
    assert [tuple(row) for row in found] == [(2, "tenant"), (3, "tenant"), (4, "10.0.0.1")]


SPELLINGS = ("straße@x.example", "STRASSE@x.example", "ann@x.example", None)


def test_an_upgrade_gives_every_row_a_key_and_keeps_two_spellings_of_one_address(old_database: Database) -> None:
    with old_database.writer.begin() as connection:
        table = reflect(connection)["customers"]
        first = connection.execute(select(table)).mappings().one()
        rows = [
            {**first, "id": number, "public_id": f"cus_{number}", "email": email, "phone": "+1 212 555 0100"}
            for number, email in enumerate(SPELLINGS, 10)
        ]
        connection.execute(insert(table), rows)
    migrations.upgrade(old_database)
    with old_database.reader.connect() as connection:
        found = connection.execute(text("SELECT email_key, phone_e164 FROM customers WHERE id >= 10 ORDER BY id")).all()
    keys = [row.email_key for row in found]
    assert (keys[0], keys[2], keys[3]) == ("strasse@x.example", "ann@x.example", None)
    assert keys[1].startswith("strasse@x.example")
    assert keys[1] != keys[0]
    assert {row.phone_e164 for row in found} == {"+12125550100"}


def test_an_upgrade_keeps_the_secret_that_a_webhook_replaced(old_database: Database) -> None:
    migrations.upgrade(old_database, "0007")
    with old_database.writer.begin() as connection:
        metadata = MetaData()
        metadata.reflect(connection, only=["endpoints", "webhooks"])
        endpoints, webhooks = metadata.tables["endpoints"], metadata.tables["webhooks"]
        for number in (1, 2):
            connection.execute(insert(endpoints).values(row_for(endpoints) | {"id": number}))
        until = value_for(webhooks.c.old_secret_until)
        replaced = {"id": 2, "endpoint_id": 2, "public_id": "b", "old_secret": "sealed", "old_secret_until": until}
        for fields in ({"id": 1, "endpoint_id": 1, "public_id": "a"}, replaced):
            connection.execute(insert(webhooks).values(row_for(webhooks) | fields))
    migrations.upgrade(old_database)
    with old_database.reader.connect() as connection:
        found = connection.execute(text("SELECT tenant_id, webhook_id, secret FROM webhook_secrets")).all()
        kept = connection.execute(select(webhooks.c.id, webhooks.c.old_secret).order_by(webhooks.c.id)).all()
    assert [tuple(row) for row in found] == [(1, 2, "sealed")]
    assert [tuple(row) for row in kept] == [(1, None), (2, None)]


def test_an_upgrade_splits_issued_amounts_into_subtotal_and_tax(old_database: Database) -> None:
    migrations.upgrade(old_database, "0002")
    metadata = MetaData()
    names = ("products", "quotes", "quote_items", "invoices", "invoice_items", "sales", "sale_items")
    with old_database.writer.begin() as connection:
        metadata.reflect(connection, only=names)
        tables = metadata.tables

        def add(name: str, **fields: Any) -> None:
            connection.execute(insert(tables[name]).values(row_for(tables[name]) | fields))

        add("products", tax_rate=1200)
        add("quotes", amount=17803, invoice_id=None)
        lines = ({"amount": 9999, "qty": 1500, "tax_rate": 1800}, {"amount": 35, "qty": 3000, "tax_rate": 0})
        for number, line in enumerate(lines, 1):
            add("quote_items", id=number, product_id=None, **line)
            add("invoice_items", id=number, product_id=None, **line)
        connection.execute(tables["invoices"].update().values(amount=17803))
        add("sale_items", product_id=1, qty=2000, price=661, amount=1322)
        connection.execute(tables["sales"].update().values(amount=1322))
    migrations.upgrade(old_database)
    with old_database.reader.connect() as connection:

        def read(name: str, columns: str) -> list[tuple[Any, ...]]:
            rows = connection.execute(text(f"SELECT {columns} FROM {name} ORDER BY id")).all()
            return [tuple(row) for row in rows]

        sums = "subtotal, tax, amount"
        assert read("products", "tax_rate") == [(120_000,)]
        for paper, items in (("quotes", "quote_items"), ("invoices", "invoice_items")):
            assert read(items, "tax_rate, subtotal, tax") == [(180_000, 14999, 2699), (0, 105, 0)]
            assert read(paper, sums) == [(15104, 2699, 17803)]
        assert read("sale_items", f"price, tax_rate, {sums}") == [(590, 120_000, 1180, 142, 1322)]
        assert read("sales", sums) == [(1180, 142, 1322)]
