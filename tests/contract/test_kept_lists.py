"""Lists answered from memory (portal/api/kept.py) are never stale: not for a writer, nor in another process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import bindparam, insert

import sandbox
from portal.api.kept import Kept, KeptAnswers
from portal.app import create_app
from portal.core.config import Settings
from portal.core.database import Database, ReadOnlySession
from portal.core.ownership import table_of
from portal.core.prepared import Prepared, UnscopedStatement
from sandbox.resources.customers import Customer
from sandbox.tenants import NewSandbox
from tests.conftest import Integration, runtime_of

CUSTOMERS = "/api/v2/customers?limit=100&sort=-id"
BODY = {"account": "Kept", "phone": "9876543210", "city": "Mumbai"}


@pytest.fixture
def another_process(settings: Settings) -> Iterator[Flask]:
    """A second application on the same store, with a memory of its own."""
    app = create_app(settings, sandbox.extension)
    app.testing = True
    yield app
    runtime_of(app).database.close()


def reading_at(integration: Integration, app: Flask) -> Integration:
    return replace(integration, client=app.test_client())


def new_customer(integration: Integration, number: int) -> dict[str, Any]:
    answer = integration.post("/api/v2/customers", {**BODY, "email": f"kept{number}@buyers.example"})
    assert answer.status_code == 201, answer.text
    return answer.json["data"]


def latest(integration: Integration) -> int:
    return integration.get(CUSTOMERS).json["data"][0]["id"]


def test_a_list_asked_for_twice_is_the_same_but_for_its_own_headers(alice: Integration) -> None:
    first, second = alice.get(CUSTOMERS), alice.get(CUSTOMERS)
    assert second.data == first.data
    for name in ("Content-Type", "Link", "ETag", "Cache-Control"):
        assert second.headers.get(name) == first.headers.get(name)
    assert second.headers["X-Request-Id"] != first.headers["X-Request-Id"]
    left = int(first.headers["X-RateLimit-Remaining"])
    assert int(second.headers["X-RateLimit-Remaining"]) == left - 1


def test_each_write_is_seen_by_the_next_list(alice: Integration, another_process: Flask) -> None:
    elsewhere = reading_at(alice, another_process)
    for number in range(3):
        latest(alice), latest(elsewhere)
        made = new_customer(alice if number % 2 else elsewhere, number)
        assert latest(alice) == latest(elsewhere) == made["id"]
        alice.patch(f"/api/v2/customers/{made['id']}", {"account": f"Changed {number}"})
        for reader in (alice, elsewhere):
            assert reader.get(CUSTOMERS).json["data"][0]["account"] == f"Changed {number}"
        assert elsewhere.delete(f"/api/v2/customers/{made['id']}").status_code == 200
        assert latest(alice) == latest(elsewhere) < made["id"]


def test_a_refused_write_changes_no_list(alice: Integration) -> None:
    before = alice.get(CUSTOMERS)
    assert alice.post("/api/v2/customers", {**BODY, "email": "no address"}).status_code == 400
    taken = before.json["data"][0]["email"]
    assert alice.post("/api/v2/customers", {**BODY, "email": taken}).status_code == 409
    assert alice.get(CUSTOMERS).data == before.data


def test_a_reset_is_seen_at_once(alice: Integration, another_process: Flask) -> None:
    elsewhere = reading_at(alice, another_process)
    seeded = elsewhere.get(CUSTOMERS).json
    made = new_customer(alice, 1)
    assert latest(elsewhere) == made["id"]
    assert alice.post("/api/v2/sandbox/reset", {}).status_code == 200
    assert elsewhere.get(CUSTOMERS).json == seeded


def test_a_list_kept_for_one_is_refused_to_who_may_not_see_it(
    alice: Integration, bob: Integration, mallory: Integration
) -> None:
    mine = alice.get(CUSTOMERS)
    assert bob.get(CUSTOMERS).data == mine.data
    assert mallory.get(CUSTOMERS).json["data"][0]["public_id"] != mine.json["data"][0]["public_id"]


def test_a_plan_that_ends_ends_its_kept_lists(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    assert alice.get("/api/v2/invoices").status_code == 200
    with database.transaction() as session:
        tenant = session.merge(alices_sandbox.tenant, load=False)
        tenant.plan = "starter"
    assert alice.get("/api/v2/invoices").status_code == 403


def test_two_writers_and_two_readers_in_a_storm(alice: Integration, another_process: Flask) -> None:
    """Whoever reads after a write was answered sees it, whichever process wrote or reads."""
    here, elsewhere = alice, reading_at(alice, another_process)
    newest, faults, is_over = [0], [], threading.Event()

    def write(by: Integration, first: int) -> None:
        for number in range(first, first + 12):
            made = new_customer(by, number)["id"]
            newest[0] = max(newest[0], made)

    def read(by: Integration) -> None:
        while not is_over.is_set():
            known = newest[0]
            seen = latest(by)
            if seen < known:
                faults.append((seen, known))

    readers = [threading.Thread(target=read, args=[replace(by, client=by.client.application.test_client())])
               for by in (here, elsewhere)]  # fmt: skip
    writers = [threading.Thread(target=write, args=[replace(by, client=by.client.application.test_client()), first])
               for by, first in ((here, 100), (elsewhere, 200))]  # fmt: skip
    for thread in readers + writers:
        thread.start()
    for thread in writers:
        thread.join()
    is_over.set()
    for thread in readers:
        thread.join()
    assert newest[0] and not faults
    assert latest(here) == latest(elsewhere) == newest[0]


def test_a_session_opened_to_read_refuses_to_write(alices_sandbox: NewSandbox, database: Database) -> None:
    with pytest.raises(ReadOnlySession), database.transaction(write=False) as session:
        session.bind_tenant(alices_sandbox.tenant.id)
        session.add(Customer(**BODY, email="sly@buyers.example"))


def test_a_prepared_statement_refuses_records(database: Database) -> None:
    statement = Prepared(insert(table_of(Customer)).values(id=bindparam("id")))
    with pytest.raises(UnscopedStatement):
        statement.on(database.engine.dialect)


def test_memory_is_bounded_and_gives_up_what_was_not_asked_for() -> None:
    answers = KeptAnswers(capacity=4_000)
    keys = [("ten", "customers.list", "/api/v2/customers", b"page=%d" % number) for number in range(4)]
    for key in keys[:3]:
        answers.put(key, Kept(1, b"x" * 700, ()))
        assert answers.get(keys[0], 1)
    answers.put(keys[3], Kept(1, b"x" * 700, ()))
    assert answers.get(keys[0], 1) and answers.get(keys[3], 1)
    assert answers.get(keys[1], 1) is None
    assert answers.get(keys[0], 2) is None
