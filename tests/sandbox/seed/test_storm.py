"""Resets while writes run: nothing deadlocks, nothing is left half done (attack 27)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
from flask import Flask
from sqlalchemy import select

from portal.core.database import Database
from portal.tenancy.service import lock_tenant
from sandbox.resources.customers import Customer
from sandbox.tenants import reset
from tests.conftest import Integration, NewSandbox

exact = msgspec.json.Decoder(float_hook=Decimal).decode
ROUNDS = 6


def together(*tasks: Callable[[], None]) -> list[BaseException]:
    """Run the tasks at once; what they raised."""
    faults: list[BaseException] = []
    barrier = threading.Barrier(len(tasks))

    def run(task: Callable[[], None]) -> None:
        barrier.wait()
        try:
            for _ in range(ROUNDS):
                task()
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=run, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "a thread hangs"
    return faults


def test_writers_and_resets_keep_out_of_each_others_way(app: Flask, alices_sandbox: NewSandbox) -> None:
    statuses: list[int] = []

    def caller() -> Integration:
        return Integration(app.test_client(), alices_sandbox.keys["administrator"], alices_sandbox.tenant.public_id)

    def send(method: str, path: str, body: Any = None) -> Callable[[], None]:
        own = caller()
        return lambda: statuses.append(own.call(method, path, body).status_code)

    invoice = {
        "customer_id": 1,
        "date": "2026-06-30",
        "due_date": "2026-07-30",
        "items": [{"description": "Care", "amount": 10.0}, {"description": "Call", "amount": 5.5, "qty": 2}],
    }
    faults = together(
        send("POST", "/api/v2/customers", {"account": "New"}),
        send("POST", "/api/v2/invoices", invoice),
        send("POST", "/api/v2/invoices/1/payments", {"amount": 1.0, "account_id": 1}),
        send("PATCH", "/api/v2/customers/1", {"city": "Pune"}),
        send("DELETE", "/api/v2/customers/101"),
        send("POST", "/api/v2/sandbox/reset"),
        send("POST", "/api/v2/sandbox/reset"),
        send("GET", "/api/v2/invoices?limit=100&sort=-id"),
    )
    assert not faults
    assert set(statuses) <= {200, 201, 404, 409}, set(statuses)
    _check_books(caller())
    assert caller().post("/api/v2/sandbox/reset").status_code == 200
    assert caller().post("/api/v2/customers", {"account": "New"}).json["data"]["id"] == 101


def test_resets_at_once_wait_for_each_other(app: Flask, alices_sandbox: NewSandbox) -> None:
    barrier = threading.Barrier(4, timeout=60)
    statuses: list[int] = []

    def resetting() -> Callable[[], None]:
        caller = Integration(app.test_client(), alices_sandbox.keys["administrator"], alices_sandbox.tenant.public_id)

        def perform() -> None:
            barrier.wait()
            statuses.append(caller.post("/api/v2/sandbox/reset").status_code)

        return perform

    assert not together(*(resetting() for _ in range(4)))
    assert statuses == [200] * 4 * ROUNDS


def test_a_reset_waits_for_a_write_that_has_begun(database: Database, alices_sandbox: NewSandbox) -> None:
    tenant = alices_sandbox.tenant

    def put_back() -> None:
        with database.transaction() as session:
            reset(session, tenant.public_id, "test")

    thread = threading.Thread(target=put_back)
    with database.transaction() as session:
        session.bind_tenant(tenant.id)
        lock_tenant(session)
        session.scalars(select(Customer).where(Customer.id == 1)).one().city = "Pune"
        session.flush()
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
    thread.join(60)
    with database.transaction(write=False) as session:
        session.bind_tenant(tenant.id)
        assert session.scalar(select(Customer.city).where(Customer.id == 1)) == "New York"


def _check_books(caller: Integration) -> None:
    newest = exact(caller.get("/api/v2/invoices?limit=50&sort=-id").data)["data"]
    ids = [row["id"] for row in newest]
    assert ids == list(range(ids[0], ids[0] - 50, -1))
    for row in [*newest, exact(caller.get("/api/v2/invoices/1").data)["data"]]:
        assert row["items"] and sum(item["total"] for item in row["items"]) == row["amount"]
        assert row["balance"] == row["amount"] - row["paid"]
    numbers = [row["invoice_number"] for row in newest if row["date"].startswith("2026")]
    first = int(numbers[-1].rsplit("-", 1)[1])
    assert numbers == [f"INV-2026-{first + place:03d}" for place in range(len(numbers) - 1, -1, -1)]
