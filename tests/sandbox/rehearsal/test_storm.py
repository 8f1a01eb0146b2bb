"""Snapshots, restores, resets and moves of the clock while writers run: nothing deadlocks, nothing is half done."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import func, select

from portal.core.database import Database
from portal.tenancy.models import Tenant
from tests.conftest import Integration, NewSandbox
from tests.sandbox.seed.test_storm import together

exact = msgspec.json.Decoder(float_hook=Decimal).decode
SANDBOX = "/api/v2/sandbox"
INVOICE = {
    "customer_id": 1,
    "date": "2026-06-30",
    "due_date": "2026-07-30",
    "items": [{"description": "Care", "amount": 10.0}, {"description": "Call", "amount": 5.5, "qty": 2}],
}
NewCaller = Callable[[NewSandbox], Integration]


def test_writers_and_restores_keep_out_of_each_others_way(
    alice: Integration, alices_sandbox: NewSandbox, new_caller: NewCaller, database: Database
) -> None:
    snapshot = alice.post(f"{SANDBOX}/snapshots", {"name": "Before"}).json["data"]["id"]
    before = alice.get("/api/v2/invoices/1").json["data"]
    statuses: dict[str, set[int]] = {}

    def send(method: str, path: str, body: Any = None, **headers: str) -> Callable[[], None]:
        own = new_caller(alices_sandbox)
        seen = statuses.setdefault(f"{method} {path}", set())
        return lambda: seen.add(own.call(method, path, body, headers=headers).status_code)

    faults = together(
        send("POST", "/api/v2/customers", {"account": "New"}),
        send("POST", "/api/v2/invoices", INVOICE),
        send("POST", "/api/v2/invoices/1/payments", {"amount": 1.0, "account_id": 1}),
        send("PATCH", "/api/v2/customers/1", {"city": "Pune"}),
        send("DELETE", "/api/v2/customers/101"),
        send("POST", f"{SANDBOX}/snapshots/{snapshot}/restore"),
        send("POST", f"{SANDBOX}/reset"),
        send("POST", f"{SANDBOX}/snapshots", {"name": "During"}),
        send("DELETE", f"{SANDBOX}/snapshots/2"),
        send("POST", f"{SANDBOX}/clock", {"advance": "PT1H"}),
        send("POST", f"{SANDBOX}/scenarios", {"scenario": "not_found", "operation": "customers.read"}),
        send("GET", "/api/v2/customers/2"),
        send("GET", "/api/v2/products", **{"X-Sandbox-Scenario": "not_found; times=3"}),
    )
    assert not faults
    assert set().union(*statuses.values()) <= {200, 201, 404, 409}, statuses
    for path in (f"snapshots/{snapshot}/restore", "reset", "clock"):
        assert statuses[f"POST {SANDBOX}/{path}"] == {200}
    _check_books(new_caller(alices_sandbox))
    assert alice.post(f"{SANDBOX}/snapshots/{snapshot}/restore").status_code == 200
    assert alice.get("/api/v2/invoices/1").json["data"] == before
    assert alice.post("/api/v2/customers", {"account": "New"}).json["data"]["id"] == 101
    kept = alice.get(f"{SANDBOX}/snapshots").json["meta"]["total_records"]
    with database.transaction(write=False) as session:
        copies = select(func.count()).select_from(Tenant).where(Tenant.copy_of == alices_sandbox.tenant.id)
        assert session.scalar(copies) == kept


def test_a_snapshot_taken_while_writers_run_is_whole(
    alice: Integration, alices_sandbox: NewSandbox, new_caller: NewCaller
) -> None:
    """Every invoice has its lines and its number, whenever the snapshot was taken."""
    numbers = iter(range(100))

    def take() -> None:
        answer = alice.post(f"{SANDBOX}/snapshots", {"name": f"During {next(numbers)}"})
        assert answer.status_code == 201, answer.text

    def write() -> Callable[[], None]:
        own = new_caller(alices_sandbox)
        return lambda: [own.post("/api/v2/invoices", INVOICE) for _ in range(3)] and None

    assert not together(take, write(), write(), write())
    for snapshot in alice.get(f"{SANDBOX}/snapshots").json["data"]:
        restored = alice.post(f"{SANDBOX}/snapshots/{snapshot['id']}/restore")
        assert restored.status_code == 200, restored.text
        assert sum(restored.json["data"]["restored"].values()) == snapshot["records"]
        _check_books(alice)


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
