"""Background work beside the site: what waits for others keeps nobody waiting (attack 28)."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from collections.abc import Iterator

import pytest
from sqlalchemy import select, text, update

from portal.core import jobs, mail
from portal.core.clock import system_now
from portal.core.database import Database
from portal.core.jobs import Job, Task, enqueue, handles, run_due_jobs
from portal.core.mail import Mailer, queue_mail, use_mailer
from portal.core.processes import name_process
from tests.portal.people import new_email


class BusyMailer(Mailer):
    """A mail server that takes forty seconds. Meanwhile the site writes, and another worker looks for work once."""

    def __init__(self, database: Database) -> None:
        super().__init__("", "portal@example.com")
        self.database = database
        self.sent: list[str] = []
        self.elapsed = dt.timedelta()

    def send(self, to: str, subject: str, text: str, **_: str) -> None:
        with self.database.transaction() as session:
            session.execute(update(Job).where(Job.id == -1).values(attempts=1))
        self.sent.append(to)
        self.elapsed += dt.timedelta(seconds=40)
        if len(self.sent) == 2:
            run_due_jobs(self.database, limit=1)


@pytest.fixture
def mailer(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[BusyMailer]:
    """No mail but the test's is due, and nobody waits long for a lock."""
    before = mail._mailer
    with database.transaction() as session:
        session.execute(update(Job).where(Job.status == "due").values(status="done"))
    monkeypatch.setattr(database.watch, "timeout", 0.2)
    busy = BusyMailer(database)
    use_mailer(busy)
    yield busy
    use_mailer(before)
    database.engine.dispose()  # Connections made meanwhile keep the short limit.


def queue(database: Database, *addresses: str) -> None:
    with database.transaction() as session:
        for address in addresses:
            queue_mail(session, address, "Hello", "Hello")


def statuses(database: Database, *addresses: str) -> list[str]:
    with database.transaction(write=False) as session:
        rows = [row for row in session.scalars(select(Job)) if row.payload.get("to") in addresses]
    return [row.status for row in rows]


def test_the_site_writes_on_while_a_mail_is_being_sent(database: Database, mailer: BusyMailer) -> None:
    address = new_email()
    queue(database, address)
    run_due_jobs(database, limit=500)
    assert mailer.sent == [address]
    assert statuses(database, address) == ["done"]


def test_many_mails_are_sent_once_though_each_takes_long(
    database: Database, mailer: BusyMailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lease is for one job: another worker takes the next one, and none twice."""
    addresses = [new_email() for _ in range(3)]
    queue(database, *addresses)
    monkeypatch.setattr(jobs, "system_now", lambda: system_now() + mailer.elapsed)
    run_due_jobs(database, limit=500)
    assert sorted(mailer.sent) == sorted(addresses)


@pytest.mark.one_store
def test_a_job_that_fails_for_good_is_dead_even_where_its_end_cannot_be_told(
    database: Database, mailer: BusyMailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[dict[str, str]] = []

    def fail(task: Task) -> None:
        raise RuntimeError("broken")

    def tell(task: Task) -> None:
        told.append(task.payload)
        raise RuntimeError("broken, too")

    monkeypatch.setattr(jobs, "BACKOFF", (dt.timedelta(),) * 2)
    monkeypatch.setattr(jobs, "HANDLERS", dict(jobs.HANDLERS))
    handles("test.dying", needs_tenant=False, on_death=tell)(fail)
    with database.transaction() as session:
        job = enqueue(session, "test.dying", {"for": "you"})
        session.flush()
    run_due_jobs(database)
    with database.transaction(write=False) as session:
        job = session.get_one(Job, job.id)
    assert (job.status, job.attempts, job.last_error) == ("dead", 3, "RuntimeError: broken")
    assert told == [{"for": "you"}]


@pytest.mark.one_store
@pytest.mark.parametrize("leaving", [SystemExit, GeneratorExit])
def test_a_job_that_would_end_the_worker_fails_and_the_next_is_done(
    database: Database, mailer: BusyMailer, monkeypatch: pytest.MonkeyPatch, leaving: type[BaseException]
) -> None:
    done: list[str] = []

    def leave(task: Task) -> None:
        raise leaving("ended")

    monkeypatch.setattr(jobs, "HANDLERS", dict(jobs.HANDLERS))
    handles("test.leaving", needs_tenant=False)(leave)
    handles("test.staying", needs_tenant=False)(lambda task: done.append("done"))
    with database.transaction() as session:
        left = enqueue(session, "test.leaving", {})
        session.flush()
        enqueue(session, "test.staying", {})
    run_due_jobs(database)
    with database.transaction() as session:
        job = session.get_one(Job, left.id)
        assert (job.status, job.attempts, job.last_error) == ("due", 1, f"{leaving.__name__}: ended")
        session.delete(job)
    assert done == ["done"]


def test_what_a_job_carries_is_encrypted_at_rest(database: Database) -> None:
    with database.transaction() as session:
        queue_mail(session, "ann@example.com", "Resume", "Open https://docs.example/resume/one-time-secret")
        session.flush()
        stored = session.execute(text("SELECT payload FROM jobs ORDER BY id DESC LIMIT 1")).scalar_one()
        assert "one-time-secret" not in str(stored)
        session.expire_all()
        job = session.scalars(select(Job).order_by(Job.id.desc()).limit(1)).one()
        assert "one-time-secret" in job.payload["text"]
        session.delete(job)


def test_a_job_queued_before_payloads_were_encrypted_stays_readable(database: Database) -> None:
    with database.transaction() as session:
        plain = {"kind": "test", "payload": '{"a": 1}', "status": "done", "now": system_now(), "attempts": 0}
        session.execute(
            text(
                "INSERT INTO jobs (kind, payload, status, run_at, attempts)"
                " VALUES (:kind, :payload, :status, :now, :attempts)"
            ),
            plain,
        )
        job = session.scalars(select(Job).where(Job.kind == "test").limit(1)).one()
        assert job.payload == {"a": 1}
        session.delete(job)


@pytest.mark.usefixtures("mailer")
def test_the_job_of_a_worker_that_is_dead_is_done_at_once_and_that_of_a_living_one_is_left(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr(jobs, "HANDLERS", dict(jobs.HANDLERS))
    handles("test.held", needs_tenant=False)(lambda task: done.append(task.payload["by"]))
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        machine, _, _ = name_process().rsplit(" ", 2)
        holders = {"dead": f"{machine} {process.pid} 1", "living": name_process()}
        process.kill()
    with database.transaction() as session:
        for by, holder in holders.items():
            job = enqueue(session, "test.held", {"by": by})
            job.holder, job.leased_until = holder, system_now() + dt.timedelta(days=1)
    run_due_jobs(database)
    assert done == ["dead"]
    with database.transaction() as session:
        session.execute(update(Job).where(Job.kind == "test.held").values(status="done"))
