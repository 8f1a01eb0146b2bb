"""From a write to its arrival: signed, retried, paused, held, ended; never lost."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import select
from standardwebhooks import Webhook as Verifier

from portal.core.clock import system_now
from portal.core.database import Database
from portal.core.outgoing import OutgoingAnswer, OutgoingClient, OutgoingRequest
from sandbox.delivery.models import Attempt, Delivery, Endpoint, Lane, Queued
from sandbox.delivery.queue import claim
from sandbox.delivery.schedule import WAITS
from sandbox.delivery.worker import Courier
from sandbox.tenants import NewSandbox
from sandbox.webhooks.models import Webhook
from sandbox.webhooks.service import change_webhook, remove_webhook
from tests.conftest import Integration
from tests.sandbox.delivery.conftest import CourierMaker, HookMaker, bound, cause
from tests.sandbox.delivery.sink import Sink

pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture
def log(database: Database, alices_sandbox: NewSandbox) -> Callable[[], list[Delivery]]:
    """Alice's deliveries, first to last."""

    def read() -> list[Delivery]:
        with database.transaction(write=False) as session:
            return list(bound(session, alices_sandbox).scalars(select(Delivery).order_by(Delivery.id)))

    return read


def test_an_event_arrives_signed_with_public_ids_only(
    alice: Integration, hook: HookMaker, sink: Sink, courier: CourierMaker, log: Callable[[], list[Delivery]]
) -> None:
    webhook = hook(events=["customer.*"])
    created = alice.post("/api/v2/customers", {"account": "Harbour Supplies"}).json["data"]
    alice.post("/api/v2/products", {"name": "Rope", "price": 3})
    courier().deliver_due()
    (arrival,) = sink.arrivals
    message = Verifier(webhook.secret).verify(arrival.body, arrival.headers)
    assert message["type"] == "customer.created"
    assert message["data"]["public_id"] == created["public_id"]
    assert "id" not in message["data"]
    (delivery,) = log()
    assert (delivery.status, delivery.attempts, delivery.answer_status) == ("delivered", 1, 200)
    assert delivery.message_id == arrival.headers["webhook-id"]


def test_a_refused_write_sends_nothing(alice: Integration, hook: HookMaker, sink: Sink, courier: CourierMaker) -> None:
    hook()
    assert alice.post("/api/v2/customers", {"account": "", "email": "nonsense"}).status_code == 400
    courier().deliver_due()
    assert sink.arrivals == []


def test_a_failure_is_tried_again_on_the_schedule_under_the_same_id(
    alice: Integration,
    hook: HookMaker,
    sink: Sink,
    courier: CourierMaker,
    make_due: Callable[[], None],
    database: Database,
    alices_sandbox: NewSandbox,
) -> None:
    hook()
    sink.decide = lambda arrival: (500, {}) if len(sink.arrivals) < 3 else (200, {})
    cause(alice)
    expected = [5.0, 300.0]
    for wait in expected:
        courier().deliver_due()
        with database.transaction(write=False) as session:
            (queued,) = session.scalars(select(Queued).where(Queued.tenant_id == alices_sandbox.tenant.id))
        ahead = (queued.due_at - system_now()).total_seconds()
        assert wait - 5 < ahead <= wait * 1.1
        make_due()
    courier().deliver_due()
    assert len(sink.ids) == 3
    assert len(set(sink.ids)) == 1
    with database.transaction(write=False) as session:
        numbers = bound(session, alices_sandbox).scalars(select(Attempt.number).order_by(Attempt.number)).all()
    assert list(numbers) == [1, 2, 3]


def test_retry_after_is_honoured(
    alice: Integration,
    hook: HookMaker,
    sink: Sink,
    courier: CourierMaker,
    database: Database,
    alices_sandbox: NewSandbox,
) -> None:
    hook()
    sink.decide = lambda arrival: (503, {"Retry-After": "120"})
    cause(alice)
    courier().deliver_due()
    with database.transaction(write=False) as session:
        (queued,) = session.scalars(select(Queued).where(Queued.tenant_id == alices_sandbox.tenant.id))
    assert 110 < (queued.due_at - system_now()).total_seconds() <= 132


@pytest.mark.parametrize("status", [429, 502, 504])
def test_an_overwhelmed_endpoint_is_left_alone_for_a_while(
    status: int,
    alice: Integration,
    hook: HookMaker,
    sink: Sink,
    courier: CourierMaker,
    database: Database,
    alices_sandbox: NewSandbox,
) -> None:
    webhook = hook(ordered=True)
    sink.decide = lambda arrival: (status, {"Retry-After": "60"})
    cause(alice, 3)
    courier().deliver_due()
    assert len(sink.arrivals) == 1
    with database.transaction(write=False) as session:
        lane = session.get(Lane, (alices_sandbox.tenant.id, webhook.endpoint_id))
    assert lane is not None
    assert lane.paused_until is not None
    assert lane.paused_until > system_now() + dt.timedelta(seconds=50)


def test_410_disables_and_what_comes_is_held_until_it_is_enabled(
    alice: Integration,
    hook: HookMaker,
    sink: Sink,
    courier: CourierMaker,
    database: Database,
    alices_sandbox: NewSandbox,
    log: Callable[[], list[Delivery]],
) -> None:
    webhook = hook()
    sink.decide = lambda arrival: (410, {})
    cause(alice)
    courier().deliver_due()
    cause(alice, 2)
    courier().deliver_due()
    assert len(sink.arrivals) == 1
    assert [delivery.status for delivery in log()] == ["held"] * 3
    sink.decide = lambda arrival: (200, {})
    with database.transaction() as session:
        bound(session, alices_sandbox)
        kept = session.scalars(select(Webhook).where(Webhook.id == webhook.id)).one()
        assert not kept.active
        change_webhook(session, kept, {"active": True})
    courier().deliver_due()
    assert [delivery.status for delivery in log()] == ["delivered"] * 3
    assert len(sink.arrivals) == 4


def test_redirects_are_failures_that_are_not_followed(
    alice: Integration, hook: HookMaker, sink: Sink, courier: CourierMaker, log: Callable[[], list[Delivery]]
) -> None:
    hook()
    sink.decide = lambda arrival: (302, {"Location": sink.url + "/elsewhere"})
    cause(alice)
    courier().deliver_due()
    assert [arrival.path for arrival in sink.arrivals] == ["/hook"]
    assert log()[0].status == "pending"
    assert "redirects are not followed" in (log()[0].reason or "")


def test_an_endpoint_that_took_nothing_all_the_while_is_disabled(
    alice: Integration,
    hook: HookMaker,
    sink: Sink,
    courier: CourierMaker,
    database: Database,
    alices_sandbox: NewSandbox,
    log: Callable[[], list[Delivery]],
) -> None:
    hook()
    sink.decide = lambda arrival: (500, {})
    cause(alice)
    courier(waits=(0, 0)).deliver_due()
    assert len(sink.arrivals) == 3
    assert log()[0].status == "failed"
    with database.transaction(write=False) as session:
        (endpoint,) = bound(session, alices_sandbox).scalars(select(Endpoint).where(Endpoint.kind == "webhook"))
    assert endpoint.closed_as == "failing"
    cause(alice)
    assert [delivery.status for delivery in log()] == ["failed", "held"]


def test_order_is_kept_where_it_is_asked_for(
    alice: Integration, hook: HookMaker, sink: Sink, courier: CourierMaker
) -> None:
    hook(ordered=True)
    refused: set[str] = set()

    def refuse_each_once(arrival: Any) -> tuple[int, dict[str, str]]:
        id_ = arrival.headers["webhook-id"]
        if id_ in refused:
            return 200, {}
        refused.add(id_)
        return 500, {}

    sink.decide = refuse_each_once
    names = cause(alice, 6)
    courier(waits=(0, 0)).deliver_due()
    arrived = [json.loads(arrival.body)["data"]["account"] for arrival in sink.arrivals]
    assert arrived == [name for name in names for _ in range(2)]


def test_an_endpoint_gets_only_so_many_at_once(
    alice: Integration,
    hook: HookMaker,
    sink: Sink,
    courier: CourierMaker,
    database: Database,
    alices_sandbox: NewSandbox,
) -> None:
    webhook = hook()
    with database.transaction() as session:
        lane = session.get(Lane, (alices_sandbox.tenant.id, webhook.endpoint_id))
        assert lane is not None
        lane.at_once = 3
    sink.hold = threading.Event()
    cause(alice, 12)
    courier(threads=12).deliver_due()
    assert len(sink.arrivals) == 12
    assert sink.most_at_once <= 3


def test_a_killed_worker_loses_nothing(
    alice: Integration, hook: HookMaker, sink: Sink, courier: CourierMaker, database: Database
) -> None:
    hook()
    cause(alice)
    taken = claim(database, "a worker that dies", 100, dt.timedelta(hours=1))
    assert taken
    assert not [one for one in claim(database, "another", 100) if one in taken]
    with database.transaction() as session:
        for row in session.query(Queued).where(Queued.lease == "a worker that dies"):
            row.leased_until = system_now() - dt.timedelta(seconds=1)
    courier().deliver_due()
    assert len(sink.arrivals) == 1


def test_a_lower_plan_stops_deliveries_and_a_higher_one_lets_them_go(
    alice: Integration,
    hook: HookMaker,
    sink: Sink,
    courier: CourierMaker,
    make_due: Callable[[], None],
    log: Callable[[], list[Delivery]],
) -> None:
    hook()
    path = f"/api/tenants/{alice.tenant}/subscription"
    cause(alice)
    assert alice.put(path, {"plan": "starter"}).status_code == 200
    courier().deliver_due()
    assert sink.arrivals == []
    assert {delivery.status for delivery in log()} == {"pending"}
    assert alice.put(path, {"plan": "enterprise"}).status_code == 200
    make_due()
    courier().deliver_due()
    assert {delivery.status for delivery in log()} == {"delivered"}


def test_what_was_deleted_in_flight_is_no_error(
    alice: Integration,
    hook: HookMaker,
    sink: Sink,
    courier: CourierMaker,
    database: Database,
    alices_sandbox: NewSandbox,
    log: Callable[[], list[Delivery]],
) -> None:
    webhook = hook()
    cause(alice)

    def delete_meanwhile(arrival: Any) -> tuple[int, dict[str, str]]:
        with database.transaction() as session:
            bound(session, alices_sandbox)
            remove_webhook(session, session.scalars(select(Webhook).where(Webhook.id == webhook.id)).one())
        return 500, {}

    sink.decide = delete_meanwhile
    courier().deliver_due()
    assert [delivery.status for delivery in log()] == ["discarded"]
    assert len(sink.arrivals) == 1


def test_the_clock_runs_the_whole_schedule_in_order(
    alice: Integration,
    hook: HookMaker,
    sink: Sink,
    courier: CourierMaker,
    database: Database,
    alices_sandbox: NewSandbox,
    log: Callable[[], list[Delivery]],
) -> None:
    webhook = hook()
    sink.decide = lambda arrival: (500, {})
    cause(alice)
    courier().deliver_due()
    moved = alice.post("/api/v2/sandbox/clock", {"to": "next"}).json["data"]
    assert [due["type"] for due in moved["due"]] == ["delivery.due"]
    assert moved["due"][0]["subject"] == log()[0].public_id
    courier().deliver_due()
    assert len(sink.arrivals) == 2

    alice.post("/api/v2/sandbox/clock", {"advance": "P4D"})
    courier().deliver_due()
    assert len(sink.arrivals) == 10
    assert log()[0].status == "failed"
    with database.transaction(write=False) as session:
        made = list(bound(session, alices_sandbox).scalars(select(Attempt.made_at).order_by(Attempt.number)))
    gaps = [(after - before).total_seconds() for before, after in pairwise(made[1:])]
    for gap, wait in zip(gaps, WAITS[1:], strict=True):
        assert wait - 2 <= gap <= wait * 1.1 + 2
    assert not alice.get(f"/api/v2/webhooks/{webhook.public_id}").json["data"]["active"]


@pytest.mark.one_store
def test_a_send_that_ends_its_thread_is_a_failed_attempt_and_its_place_is_free_again(
    database: Database, alice: Integration, hook: HookMaker, log: Callable[[], list[Delivery]]
) -> None:
    class Leaving(OutgoingClient):
        def send(self, request: OutgoingRequest) -> OutgoingAnswer:
            raise SystemExit

    hook()
    cause(alice, 2)
    courier = Courier(database, Leaving(()), threads=1)
    thread = threading.Thread(target=courier.deliver_due, daemon=True)
    thread.start()
    thread.join(timeout=60)
    assert not thread.is_alive()
    assert [(delivery.status, delivery.attempts) for delivery in log()] == [("pending", 1), ("pending", 1)]
