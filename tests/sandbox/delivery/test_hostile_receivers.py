"""Receivers and neighbours that mean harm, and moments that pass each other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, update

from portal.core.database import Database
from sandbox.delivery import outcomes, worker
from sandbox.delivery.duties import sweep_held
from sandbox.delivery.models import Delivery, Endpoint
from sandbox.delivery.queue import MOST_OF_A_TENANT, claim
from sandbox.tenants import NewSandbox
from sandbox.webhooks.models import Webhook
from sandbox.webhooks.service import add_webhook, change_webhook, remove_webhook
from tests.conftest import Integration, SandboxMaker
from tests.sandbox.delivery.conftest import CourierMaker, HookMaker, bound
from tests.sandbox.delivery.sink import Sink

pytestmark = pytest.mark.usefixtures("store")


def deliveries_of(database: Database, new: NewSandbox) -> list[Delivery]:
    with database.transaction(write=False) as session:
        return list(bound(session, new).scalars(select(Delivery).order_by(Delivery.id)))


@pytest.mark.parametrize(
    "value",
    ["Mon, 01 Jan 2024 00:00:00 +99999999999999999999", "Sat, 01 Jan 0001 00:00:00 +2359", "9" * 400, "١٢", "-1"],
)
def test_no_retry_after_keeps_an_attempt_from_being_written_down(
    value: str,
    alice: Integration,
    alices_sandbox: NewSandbox,
    hook: HookMaker,
    sink: Sink,
    courier: CourierMaker,
    database: Database,
) -> None:
    hook()
    sink.decide = lambda arrival: (503, {"Retry-After": value.encode("utf-8").decode("latin-1")})
    alice.post("/api/v2/customers", {"account": "One"})
    courier().deliver_due()
    (delivery,) = deliveries_of(database, alices_sandbox)
    assert (delivery.attempts, delivery.status, delivery.answer_status) == (1, "pending", 503)


def test_an_answer_that_cannot_be_dealt_with_counts_as_a_failure_and_takes_no_other_along(
    alice: Integration,
    alices_sandbox: NewSandbox,
    hook: HookMaker,
    sink: Sink,
    courier: CourierMaker,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hook(description="bad", events=["customer.created"])
    hook(description="good", events=["product.created"])

    def stumble(value: str | None, now: Any) -> None:
        raise RuntimeError("nobody foresaw this")

    monkeypatch.setattr(outcomes, "read_retry_after", stumble)
    sink.decide = lambda arrival: (500, {}) if b"customer" in arrival.body else (200, {})
    alice.post("/api/v2/customers", {"account": "One"})
    alice.post("/api/v2/products", {"name": "Rope", "price": 3})
    courier(waits=(0,)).deliver_due()
    assert [row.status for row in deliveries_of(database, alices_sandbox)] == ["failed", "delivered"]
    assert len(sink.arrivals) == 3


def test_mallorys_backlog_does_not_hold_up_alices_message(
    alice: Integration,
    alices_sandbox: NewSandbox,
    new_sandbox: SandboxMaker,
    as_role: Callable[[NewSandbox, str], Integration],
    hook: HookMaker,
    sink: Sink,
    database: Database,
) -> None:
    mallorys = new_sandbox("Mallory's")
    with database.transaction() as session:
        bound(session, mallorys)
        for _ in range(4):
            add_webhook(
                session, {"url": sink.url, "events": ["*"], "description": None, "active": True, "ordered": False}
            )
    rows = [{"account": f"Customer {number}"} for number in range(100)]
    as_role(mallorys, "administrator").post("/api/v2/batch/customers", {"customers": rows})
    hook()
    alice.post("/api/v2/customers", {"account": "One"})
    taken = claim(database, "a worker", 1000)
    mine = [one for one in taken if one.tenant_id == mallorys.tenant.id]
    assert len(mine) == MOST_OF_A_TENANT
    assert [one for one in taken if one.tenant_id == alices_sandbox.tenant.id]
    assert not [one for one in claim(database, "another", 1000) if one.tenant_id == mallorys.tenant.id]


def test_what_passed_a_change_of_its_endpoint_is_put_right(
    alice: Integration,
    alices_sandbox: NewSandbox,
    hook: HookMaker,
    sink: Sink,
    courier: CourierMaker,
    database: Database,
) -> None:
    webhook = hook()
    alice.post("/api/v2/customers", {"account": "Held though it is on"})
    with database.transaction() as session:
        bound(session, alices_sandbox)
        kept = session.scalars(select(Webhook).where(Webhook.id == webhook.id)).one()
        change_webhook(session, kept, {"active": False})
        session.flush()
        session.execute(update(Endpoint).values(closed_as=None))
    courier().deliver_due()
    assert sink.arrivals == []
    with database.transaction() as session:
        sweep_held(session)
    courier().deliver_due()
    assert len(sink.arrivals) == 1

    alice.post("/api/v2/customers", {"account": "Queued though it is off"})
    with database.transaction() as session:
        bound(session, alices_sandbox).execute(update(Endpoint).values(closed_as="off"))
    courier().deliver_due()
    assert len(sink.arrivals) == 1
    with database.transaction() as session:
        sweep_held(session)
    assert [row.status for row in deliveries_of(database, alices_sandbox)] == ["delivered", "held"]


def test_discarding_what_a_worker_has_in_hand_locks_nobody_out(
    alice: Integration,
    alices_sandbox: NewSandbox,
    hook: HookMaker,
    sink: Sink,
    courier: CourierMaker,
    database: Database,
) -> None:
    webhook = hook()
    for number in range(20):
        alice.post("/api/v2/customers", {"account": f"Customer {number}"})
    sink.hold = threading.Event()
    delivering = threading.Thread(target=courier().deliver_due)
    delivering.start()
    answers = [
        alice.post(f"/api/v2/deliveries/{row.public_id}/discard").status_code
        for row in deliveries_of(database, alices_sandbox)
    ]
    with database.transaction() as session:
        bound(session, alices_sandbox)
        remove_webhook(session, session.scalars(select(Webhook).where(Webhook.id == webhook.id)).one())
    delivering.join()
    assert set(answers) <= {200, 409}
    assert {row.status for row in deliveries_of(database, alices_sandbox)} <= {"delivered", "discarded"}


def test_a_worker_claims_no_more_than_its_threads_start_at_once(
    alice: Integration, hook: HookMaker, courier: CourierMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook()
    for number in range(6):
        alice.post("/api/v2/customers", {"account": f"Customer {number}"})
    asked: list[int] = []

    def note(database: Database, lease: str, limit: int, length: Any) -> Any:
        asked.append(limit)
        return claim(database, lease, limit, length)

    monkeypatch.setattr(worker, "claim", note)
    courier(threads=2).deliver_due()
    assert max(asked) <= 2
