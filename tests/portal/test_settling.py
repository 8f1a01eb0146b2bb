"""How a call ends: its write, charge and log are one; entries that share a transaction do not share their faults."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select, text

from portal.api.exchanges import Exchange
from portal.core.database import Database
from portal.core.errors import ServiceUnavailable
from portal.core.prepared import Direct, Prepared
from portal.core.shared_writes import SharedWrites
from portal.limits import API_KEY
from portal.tenancy.audit import AuditRow
from sandbox.resources.customers import Customer
from sandbox.tenants import NewSandbox
from tests.conftest import Integration

BODY = {"account": "Last", "phone": "9876543210", "city": "Mumbai"}


def spend(integration: Integration, database: Database, used: int) -> None:
    key_id = integration.get("/api/v2/customers").request.headers["Authorization"].split("_")[2]
    statement = text("UPDATE rate_limits SET used = :used WHERE key LIKE :key")
    with database.writer.begin() as connection:
        connection.execute(statement, {"used": used, "key": f"{API_KEY.name}:%{key_id}%"})


@pytest.mark.one_store
def test_of_many_writes_at_once_only_what_the_limit_allows_is_kept(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    spend(alice, database, API_KEY.count - 3)
    answers: list[int] = []

    def create(number: int) -> None:
        client = alice.client.application.test_client()
        answer = Integration(client, alice.key, alice.tenant).post(
            "/api/v2/customers", {**BODY, "email": f"last{number}@buyers.example"}
        )
        answers.append(answer.status_code)

    threads = [threading.Thread(target=create, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [201] * 3 + [429] * 5
    with database.transaction(write=False) as session:
        session.bind_tenant(alices_sandbox.tenant.id)
        assert len(list(session.scalars(select(Customer).where(Customer.account == "Last")))) == 3
        assert len(list(session.scalars(select(AuditRow).where(AuditRow.action == "customers.create")))) == 3
        logged = session.scalars(select(Exchange.status).where(Exchange.operation == "customers.create"))
        assert sorted(logged) == [201] * 3 + [429] * 5


def test_each_call_is_in_the_log_once_its_answer_is_there(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    missing: list[str] = []

    def call(number: int) -> None:
        own = Integration(alice.client.application.test_client(), alice.key, alice.tenant)
        for turn in range(4):
            if (number + turn) % 2:
                answer = own.get("/api/v2/customers")
            else:
                answer = own.post("/api/v2/customers", {**BODY, "email": f"log{number}x{turn}@buyers.example"})
            with database.transaction(write=False) as session:
                session.bind_tenant(alices_sandbox.tenant.id)
                wanted = answer.headers["X-Request-Id"]
                row = session.scalar(select(Exchange).where(Exchange.request_id == wanted))
                if row is None or row.status != answer.status_code:
                    missing.append(wanted)

    threads = [threading.Thread(target=call, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not missing


INSERT = Prepared(text("INSERT INTO rate_limits (key, used, expires_at) VALUES (:key, 1, 1)"))


def test_one_faulty_entry_does_not_spoil_those_it_shares_a_transaction_with(database: Database) -> None:
    shared = SharedWrites(database.engine)
    names = ["settling-a", "settling-b", "settling-b", "settling-c"]
    outcomes: dict[int, object] = {}

    def write(place: int) -> None:
        def work(connection: Direct) -> str:
            connection.run(INSERT, {"key": names[place]})
            return names[place]

        try:
            outcomes[place] = shared.write(work)
        except Exception as error:
            outcomes[place] = type(error).__name__

    threads = [threading.Thread(target=write, args=[place]) for place in range(len(names))]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {outcomes[0], outcomes[3]} == {"settling-a", "settling-c"}
        failed = "IntegrityError" if database.is_sqlite else "UniqueViolation"
        assert {outcomes[1], outcomes[2]} == {"settling-b", failed}
    finally:
        with database.writer.begin() as connection:
            connection.execute(text("DELETE FROM rate_limits WHERE key LIKE 'settling-%'"))


@pytest.mark.one_store
def test_a_store_that_does_not_answer_is_told_to_all_who_wait(database: Database) -> None:
    shared = SharedWrites(database.engine)

    def fail(connection: Direct) -> None:
        connection.run(Prepared(text("SELECT * FROM no_such_table")), {})

    with pytest.raises(ServiceUnavailable):
        shared.write(fail)


@pytest.mark.parametrize("leaving", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_a_work_that_ends_its_thread_leaves_no_other_work_unrun_or_unreported(
    database: Database, leaving: type[BaseException]
) -> None:
    """The first holds the turn until the others have come, so that one of them writes for all three."""
    shared = SharedWrites(database.engine)
    names = ["leaving-a", "leaving-b", "leaving-c"]
    have_begun, may_end = threading.Event(), threading.Event()
    outcomes: dict[str, object] = {}

    def first(connection: Direct) -> None:
        have_begun.set()
        may_end.wait(timeout=60)

    def write(name: str) -> None:
        def work(connection: Direct) -> str:
            if name == "leaving-b":
                raise leaving
            connection.run(INSERT, {"key": name})
            return name

        try:
            outcomes[name] = shared.write(work)
        except BaseException as error:
            outcomes[name] = type(error)

    threads = [threading.Thread(target=shared.write, args=[first])]
    threads += [threading.Thread(target=write, args=[name]) for name in names]
    try:
        threads[0].start()
        have_begun.wait(timeout=60)
        for thread in threads[1:]:
            thread.start()
        while database.is_sqlite and shared.waiting < len(names):
            threading.Event().wait(0.001)
        may_end.set()
        for thread in threads:
            thread.join(timeout=60)
        assert outcomes == {"leaving-a": "leaving-a", "leaving-b": leaving, "leaving-c": "leaving-c"}
        with database.transaction(write=False) as session:
            kept = session.connection().execute(text("SELECT key FROM rate_limits WHERE key LIKE 'leaving-%'"))
            assert sorted(kept.scalars()) == ["leaving-a", "leaving-c"]
    finally:
        with database.writer.begin() as connection:
            connection.execute(text("DELETE FROM rate_limits WHERE key LIKE 'leaving-%'"))
