"""PostgreSQL gone, full, restarting, or ending connections: 503 with Retry-After, never a 500 (attack 28)."""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

import sandbox
from portal.api import idempotency
from portal.app import create_app
from portal.core import jobs
from portal.core.config import load_settings
from portal.core.jobs import Job, run_due_jobs
from portal.core.mail import queue_mail
from tests.conftest import SECRET, Integration, runtime_of
from tests.outages.calls import answered, faults
from tests.outages.conftest import Stack
from tests.outages.proxy import losing_confirmations
from tests.portal.people import new_email


def test_every_request_without_its_database_is_told_to_come_back(stack: Stack) -> None:
    stack.postgresql.stop()
    assert faults(stack.caller) == []


def test_every_operation_of_the_api_needs_its_database(stack: Stack) -> None:
    stack.postgresql.stop()
    statuses = {name: status for name, status in answered(stack.caller).items() if " /api/" in name}
    assert Counter(statuses.values()) == {503: len(statuses)}


def test_every_request_to_a_full_database_server_is_told_to_come_back(stack: Stack) -> None:
    runtime = stack.app.extensions["slipway"]
    runtime.database.close()
    with stack.postgresql.fill():
        assert faults(stack.caller) == []
        assert stack.alice.get("/api/v2/customers").status_code == 503
    assert stack.alice.get("/api/v2/customers").status_code == 200


def test_a_database_that_comes_back_is_used_again_without_an_error(stack: Stack) -> None:
    before = [stack.alice.get("/api/v2/customers").status_code for _ in range(3)]
    stack.postgresql.stop()
    during = [stack.alice.get("/api/v2/customers").status_code for _ in range(3)]
    stack.postgresql.start()
    after = [stack.alice.get("/api/v2/customers").status_code for _ in range(3)]
    assert (before, during, after) == ([200] * 3, [503] * 3, [200] * 3)


def test_a_restart_in_the_midst_of_writes_gives_no_error_but_503(stack: Stack) -> None:
    statuses: Counter[int] = Counter()
    is_over = threading.Event()

    def write(number: int) -> None:
        count = 0
        while not is_over.is_set():
            count += 1
            answer = stack.alice.post("/api/v2/customers", {"account": f"Restart {number}-{count}"})
            statuses[answer.status_code] += 1

    threads = [threading.Thread(target=write, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        written = statuses[201]
        while statuses[201] < written + 20:
            is_over.wait(0.01)
        stack.postgresql.stop()
        refused = statuses[503]
        while statuses[503] < refused + 8:
            is_over.wait(0.01)
        stack.postgresql.start()
    is_over.set()
    for thread in threads:
        thread.join()
    assert set(statuses) == {201, 503}


def test_connections_that_are_ended_in_the_midst_of_writes_give_no_error_but_503(stack: Stack) -> None:
    statuses: Counter[int] = Counter()
    is_over = threading.Event()

    def write(number: int) -> None:
        count = 0
        while not is_over.is_set():
            count += 1
            answer = stack.alice.post(
                "/api/v2/customers",
                {"account": f"Ended {number}-{count}"},
                headers={"Idempotency-Key": f"{number}-{count}"},
            )
            statuses[answer.status_code] += 1

    threads = [threading.Thread(target=write, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    with stack.postgresql.connect() as connection:
        for _ in range(20):
            written = statuses[201]
            while statuses[201] < written + 4:
                is_over.wait(0.001)
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
    is_over.set()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {201, 503}


def test_a_call_that_waits_for_a_lock_when_its_connection_is_ended_gets_503(stack: Stack) -> None:
    outcome: list[str | int] = []

    def change() -> None:
        answer = stack.alice.patch("/api/v2/customers/1", {"city": "Pune"})
        outcome.append(answer.status_code)

    with stack.postgresql.connect() as holder, holder.transaction():
        holder.execute("LOCK TABLE customers")
        waiting = threading.Thread(target=change)
        waiting.start()
        ended = 0
        while not ended:
            found = holder.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            )
            ended = len(found.fetchall())
        waiting.join()
    assert outcome == [503]


def test_a_call_that_waits_too_long_for_a_lock_gets_503(stack: Stack) -> None:
    with stack.postgresql.hold("customers"):
        answer = stack.alice.patch("/api/v2/customers/1", {"city": "Pune"})
        assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
    assert stack.alice.patch("/api/v2/customers/1", {"city": "Pune"}).status_code == 200


def test_two_transactions_that_lock_each_other_out_give_503(stack: Stack) -> None:
    """Ours holds a customer's row and waits for the tenant's counters; the other way round beside it."""
    with stack.postgresql.connect() as other:
        other.execute("SET deadlock_timeout = '60s'")
        answers = []

        def create() -> None:
            answers.append(stack.alice.post("/api/v2/customers", {"account": "Locked out"}))

        with other.transaction():
            other.execute("LOCK TABLE exchanges")
            creating = threading.Thread(target=create)
            creating.start()
            while not other.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchall():
                pass
            other.execute("SET LOCAL lock_timeout = '60s'")
            other.execute("LOCK TABLE counters")
        creating.join()
    assert [answer.status_code for answer in answers] == [503]


def test_a_read_only_database_gives_503(stack: Stack) -> None:
    database = stack.app.extensions["slipway"].database
    with stack.postgresql.read_only():
        database.close()
        assert faults(stack.caller) == []
        assert stack.alice.post("/api/v2/customers", {"account": "Read-only"}).status_code == 503
    database.close()


def test_a_call_refused_for_its_store_leaves_no_key_in_use(stack: Stack) -> None:
    """A keyed request that got 503 is carried out when it is sent again, however it failed."""
    body, key = {"account": "Sent again"}, {"Idempotency-Key": "sent-again"}
    with stack.postgresql.hold("counters"):
        refused = stack.alice.post("/api/v2/customers", body, headers=key)
    again = stack.alice.post("/api/v2/customers", body, headers=key)
    assert (refused.status_code, again.status_code) == (503, 201)


def test_a_key_in_use_when_the_store_goes_is_free_as_soon_as_it_is_back(stack: Stack) -> None:
    body, key = {"account": "Sent after the crash"}, {"Idempotency-Key": "sent-after-the-crash"}
    refused: list[int] = []

    def create() -> None:
        refused.append(stack.alice.post("/api/v2/customers", body, headers=key).status_code)

    with stack.postgresql.hold("counters") as waiters:
        creating = threading.Thread(target=create)
        creating.start()
        while not waiters():
            pass
        stack.postgresql.stop()
        creating.join()
    stack.postgresql.start()
    again = stack.alice.post("/api/v2/customers", body, headers=key)
    assert (refused, again.status_code) == ([503], 201)
    assert "Idempotent-Replayed" not in again.headers


def test_a_write_whose_commit_was_not_confirmed_is_made_once(stack: Stack, tmp_path: Path) -> None:
    """The store commits and the connection ends before it can say so: 503, and the same key finds what was kept."""
    body, key = {"account": "Confirmed late"}, {"Idempotency-Key": "confirmed-late"}
    with losing_confirmations(stack.postgresql.port, b"Confirmed late") as proxy:
        app = app_behind(proxy.port, stack, tmp_path)
        alice = Integration(app.test_client(), stack.alice.key, stack.alice.tenant)
        refused = alice.post("/api/v2/customers", body, headers=key)
        again = alice.post("/api/v2/customers", body, headers=key)
        app.extensions["slipway"].database.close()
    found = stack.alice.get("/api/v2/customers?search=Confirmed%20late").get_json()["data"]
    assert (proxy.lost, refused.status_code, again.status_code) == (1, 503, 201)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert [customer["id"] for customer in found] == [again.get_json()["data"]["id"]]


def test_a_key_whose_claim_was_not_confirmed_is_free_again(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claim is committed and the connection ends before the store can say so: nobody carries the request out."""
    monkeypatch.setattr(idempotency, "LEASE", dt.timedelta(days=1))
    body, key = {"account": "Claimed unseen"}, {"Idempotency-Key": "claimed-unseen"}
    with losing_confirmations(stack.postgresql.port, b"claimed-unseen") as proxy:
        app = app_behind(proxy.port, stack, tmp_path)
        alice = Integration(app.test_client(), stack.alice.key, stack.alice.tenant)
        refused = alice.post("/api/v2/customers", body, headers=key)
        again = stack.alice.post("/api/v2/customers", body, headers=key)
        for _ in range(600):
            if again.status_code != 409:
                break
            threading.Event().wait(0.1)
            again = stack.alice.post("/api/v2/customers", body, headers=key)
        app.extensions["slipway"].database.close()
    assert (proxy.lost, refused.status_code, again.status_code) == (1, 503, 201)
    assert "Idempotent-Replayed" not in again.headers


def test_a_job_whose_lease_was_not_confirmed_is_done_at_once(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lease is committed and the connection ends before the store can say so: nobody does the job."""
    monkeypatch.setattr(jobs, "LEASE", dt.timedelta(days=1))
    database = runtime_of(stack.app).database
    with database.transaction() as session:
        queue_mail(session, new_email(), "Hello", "Hello")
    with losing_confirmations(stack.postgresql.port, b"UPDATE jobs SET leased_until") as proxy:
        worker = stack.database_at(proxy.port)
        with pytest.raises(OperationalError):
            run_due_jobs(worker)
        while run_due_jobs(worker):
            pass
        worker.close()
    with database.transaction(write=False) as session:
        held = session.scalars(select(Job.kind).where(Job.leased_until.is_not(None))).all()
    assert (proxy.lost, held) == (1, [])


def app_behind(port: int, stack: Stack, folder: Path) -> Flask:
    """A second application on the same stores, whose database is reached at another port."""
    url = stack.postgresql.url.replace(str(stack.postgresql.port), str(port))
    environ = {"DATABASE_URL": url, "REDIS_URL": stack.redis.url, "INSTANCE_PATH": str(folder)}
    return create_app(load_settings({"SECRET_KEY": SECRET, **environ}), sandbox.extension)
