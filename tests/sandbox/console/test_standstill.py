"""While no worker lives, the pages of whatever waits say so, in plain words, and nobody else's (attack 38)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import delete, select, update

from portal.core.clock import system_now
from portal.core.database import Database
from portal.core.heartbeats import Heartbeat
from portal.core.jobs import Job
from portal.tenancy.models import Tenant
from sandbox.delivery.models import Queued
from tests.sandbox.console.conftest import Visitor

WORDS = "Background processing has stopped"
INTEGRATION = "/sandbox/integration"
PAGES = (
    "/sandbox",
    "/sandbox/requests",
    "/sandbox/inbox",
    INTEGRATION,
    f"{INTEGRATION}/webhooks",
    f"{INTEGRATION}/webhooks/deliveries",
    f"{INTEGRATION}/outgoing",
    f"{INTEGRATION}/outgoing/logs",
    f"{INTEGRATION}/failed",
    f"{INTEGRATION}/incoming",
)
LONG_AGO = dt.timedelta(minutes=5)


@pytest.fixture
def alice(new_visitor: Callable[[], Visitor]) -> Visitor:
    alice = new_visitor()
    alice.open_sandbox()
    hook = {"url": "https://example.com/hooks", "events": ["customer.*"], "active": "y"}
    alice.post(f"{INTEGRATION}/webhooks", hook)
    return alice


@pytest.fixture(autouse=True)
def nothing_works_or_waits(database: Database) -> Iterator[None]:
    with database.transaction() as session:
        session.execute(delete(Heartbeat))
        session.execute(update(Job).where(Job.status == "due").values(status="done"))
    yield
    with database.transaction() as session:
        session.execute(delete(Heartbeat))


def tenant_id(database: Database, visitor: Visitor) -> int:
    with database.transaction(write=False) as session:
        return session.scalars(select(Tenant.id).where(Tenant.public_id == visitor.tenant)).one()


def cause_delivery(visitor: Visitor, database: Database, waits: dt.timedelta) -> None:
    """A delivery of the visitor's that has been due for so long."""
    visitor.send("customers.create", status=200, body='{"account": "Jane"}')
    own = update(Queued).where(Queued.tenant_id == tenant_id(database, visitor))
    with database.transaction() as session:
        assert session.execute(own.values(due_at=system_now() - waits)).rowcount == 1


def beat(database: Database, ago: dt.timedelta = dt.timedelta()) -> None:
    at = system_now() - ago
    with database.transaction() as session:
        place = {"host": "elsewhere", "pid": 7, "started_at": at, "beat_at": at}
        session.add(Heartbeat(process=f"elsewhere/1 7 {at}", kind="worker", **place))


def test_pages_where_deliveries_wait_say_that_nothing_is_lost(alice: Visitor, database: Database) -> None:
    cause_delivery(alice, database, LONG_AGO)
    for path in PAGES:
        text = alice.get(path).text
        assert WORDS in text, path
        assert "Nothing is lost. They continue as soon as processing resumes." in text


def test_the_notice_says_when_a_worker_was_last_heard_of(alice: Visitor, database: Database) -> None:
    cause_delivery(alice, database, LONG_AGO)
    beat(database, LONG_AGO)
    said = f"Processing was last active on {(system_now() - LONG_AGO):%-d %B %Y}, "
    assert said in alice.get("/sandbox").text


def test_with_a_worker_alive_or_nothing_due_no_page_says_anything(alice: Visitor, database: Database) -> None:
    assert WORDS not in alice.get("/sandbox").text
    cause_delivery(alice, database, LONG_AGO)
    beat(database)
    assert WORDS not in alice.get(f"{INTEGRATION}/webhooks/deliveries").text


def test_a_worker_that_is_just_being_started_alarms_nobody(alice: Visitor, database: Database) -> None:
    cause_delivery(alice, database, dt.timedelta())
    assert WORDS not in alice.get("/sandbox").text


def test_mallory_hears_nothing_of_what_waits_for_alice(
    alice: Visitor, database: Database, new_visitor: Callable[[], Visitor]
) -> None:
    cause_delivery(alice, database, LONG_AGO)
    mallory = new_visitor()
    mallory.open_sandbox()
    assert WORDS not in mallory.get("/sandbox").text


def test_a_file_import_that_waits_is_told_of(alice: Visitor, database: Database) -> None:
    links = alice.get(f"{INTEGRATION}/incoming").links
    mapping = next(link for link in links if re.fullmatch(rf"{INTEGRATION}/incoming/[a-z]+_[0-9a-f]{{24}}", link))
    with database.transaction() as session:
        due = system_now() - LONG_AGO
        session.add(Job(tenant_id=tenant_id(database, alice), kind="incoming.import", payload={}, run_at=due))
    assert WORDS in alice.get(f"{mapping}/imports").text
