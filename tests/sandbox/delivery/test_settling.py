"""What an attempt leads to where things pass each other: pauses, acts in mid-flight, messages that cannot be made."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, update

from portal.core.clock import system_now
from portal.core.config import Settings
from portal.core.database import Database
from portal.core.outgoing import OutgoingClient
from portal.core.session import TenantSession
from portal.tenancy.models import Tenant
from sandbox.delivery import outcomes
from sandbox.delivery.duties import forget_old_deliveries
from sandbox.delivery.kinds import KINDS, Parcel
from sandbox.delivery.models import Attempt, Delivery, Endpoint, Lane
from sandbox.delivery.service import discard
from sandbox.delivery.worker import Courier
from sandbox.tenants import NewSandbox
from tests.conftest import Integration
from tests.sandbox.delivery.conftest import CourierMaker, HookMaker, bound, cause
from tests.sandbox.delivery.sink import Sink

Read = Callable[[Any], list[Any]]


@pytest.fixture
def read(database: Database, alices_sandbox: NewSandbox) -> Read:
    """Every row of a model that is alice's, first to last."""

    def rows(model: Any) -> list[Any]:
        with database.transaction(write=False) as session:
            return list(bound(session, alices_sandbox).scalars(select(model).order_by(model.id)))

    return rows


def lane_of(database: Database, new: NewSandbox, endpoint_id: int) -> Lane:
    with database.transaction(write=False) as session:
        lane = session.get(Lane, (new.tenant.id, endpoint_id))
    assert lane is not None
    return lane


def test_a_success_in_flight_does_not_end_the_pause_an_endpoint_asked_for(
    alice: Integration,
    hook: HookMaker,
    sink: Sink,
    courier: CourierMaker,
    database: Database,
    alices_sandbox: NewSandbox,
) -> None:
    webhook = hook(events=["customer.created"])
    sink.decide = lambda arrival: (429, {"Retry-After": "60"}) if b"Customer 0" in arrival.body else (200, {})
    cause(alice, 30)
    courier().deliver_due()
    assert len(sink.arrivals) <= 16
    paused = lane_of(database, alices_sandbox, webhook.endpoint_id)
    assert paused.paused_until is not None and paused.paused_until > system_now() + dt.timedelta(seconds=50)
    with database.transaction() as session:
        session.execute(update(Lane).values(paused_until=system_now() - dt.timedelta(seconds=60)))
    courier().deliver_due()
    resumed = lane_of(database, alices_sandbox, webhook.endpoint_id)
    assert (resumed.paused_until, resumed.slowdowns) == (None, 0)
    assert len(sink.arrivals) >= 30


def test_what_got_through_is_delivered_even_where_it_was_discarded_meanwhile(
    alice: Integration,
    hook: HookMaker,
    sink: Sink,
    courier: CourierMaker,
    database: Database,
    alices_sandbox: NewSandbox,
    read: Read,
) -> None:
    hook(events=["customer.created"])
    cause(alice, 1)

    def discard_meanwhile(arrival: Any) -> tuple[int, dict[str, str]]:
        with database.transaction() as session:
            bound(session, alices_sandbox)
            assert discard(session, session.scalars(select(Delivery))) == 1
        return 200, {}

    sink.decide = discard_meanwhile
    courier().deliver_due()
    (delivery,) = read(Delivery)
    assert (delivery.status, delivery.answer_status) == ("delivered", 200)


def test_a_message_that_cannot_be_composed_counts_as_failed_and_holds_up_no_other(
    alice: Integration,
    hook: HookMaker,
    sink: Sink,
    courier: CourierMaker,
    read: Read,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hook(events=["customer.created"])
    cause(alice, 3)
    usual = KINDS["webhook"]

    def compose(session: TenantSession, deliveries: list[Delivery]) -> Any:
        if any("Customer 1" in delivery.body for delivery in deliveries):
            raise KeyError("nobody foresaw this")
        return usual.compose(session, deliveries)

    monkeypatch.setitem(KINDS, "webhook", replace(usual, compose=compose))
    courier(waits=(0,)).deliver_due()
    assert [delivery.status for delivery in read(Delivery)] == ["delivered", "failed", "delivered"]
    broken = [attempt for attempt in read(Attempt) if attempt.delivery_id == read(Delivery)[1].id]
    assert [(attempt.number, attempt.failure) for attempt in broken] == [
        (1, "The message could not be composed"),
        (2, "The message could not be composed"),
    ]


def test_what_was_taken_is_not_sent_again_though_its_answer_cannot_be_dealt_with(
    alice: Integration,
    hook: HookMaker,
    sink: Sink,
    courier: CourierMaker,
    read: Read,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def stumble(raw: bytes, parcel: Parcel) -> str:
        raise RuntimeError("nobody foresaw this")

    monkeypatch.setattr(outcomes, "shown_body", stumble)
    hook(events=["customer.created"])
    cause(alice, 1)
    courier(waits=(0, 0)).deliver_due()
    assert len(sink.arrivals) == 1
    (delivery,), (attempt,) = read(Delivery), read(Attempt)
    assert (delivery.status, delivery.attempts, delivery.answer_status) == ("delivered", 1, 200)
    assert attempt.failure == "The answer could not be dealt with"


def test_an_endpoint_that_may_not_be_called_for_days_is_disabled(
    alice: Integration, hook: HookMaker, sink: Sink, database: Database, read: Read
) -> None:
    hook(events=["customer.created"])
    cause(alice, 1)
    client = OutgoingClient(allow=[])
    Courier(database, client, waits=(0, 0)).deliver_due()
    client.close()
    assert sink.arrivals == []
    assert [endpoint.closed_as for endpoint in read(Endpoint) if endpoint.kind == "webhook"] == ["failing"]
    cause(alice, 1)
    assert [delivery.status for delivery in read(Delivery)] == ["failed", "held"]


def test_deliveries_are_forgotten_by_the_time_of_their_tenant(
    alice: Integration,
    hook: HookMaker,
    courier: CourierMaker,
    database: Database,
    alices_sandbox: NewSandbox,
    read: Read,
    settings: Settings,
) -> None:
    hook(events=["customer.created"])
    cause(alice, 1)
    courier().deliver_due()
    forget_old_deliveries(database, settings)
    assert len(read(Delivery)) == 1
    with database.transaction() as session:
        session.get_one(Tenant, alices_sandbox.tenant.id).clock_offset = settings.delivery_log_days * 86_400 + 60
    forget_old_deliveries(database, settings)
    assert read(Delivery) == []
