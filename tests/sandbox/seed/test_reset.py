"""A reset by API: what it keeps, restores and removes, and who may ask for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from portal.core.database import Database
from portal.core.errors import Conflict
from portal.core.events import Event
from portal.tenancy.audit import AuditRow
from portal.tenancy.models import Tenant
from portal.tenancy.service import ensure_house
from sandbox.seed.service import reset_tenant
from tests.conftest import Integration, NewSandbox, SandboxMaker

RESET = "/api/v2/sandbox/reset"


def read(caller: Integration, path: str) -> Any:
    return caller.get(path).json["data"]


def test_what_was_changed_added_and_deleted_is_as_before(alice: Integration) -> None:
    before = read(alice, "/api/v2/customers?limit=100"), read(alice, "/api/v2/invoices/1")
    alice.patch("/api/v2/customers/1", {"account": "Jane Roe"})
    alice.post("/api/v2/customers", {"account": "New", "email": "jane@example.com"})
    alice.post("/api/v2/invoices/1/payments", {"amount": 500.0, "account_id": 1})
    assert alice.post(RESET).status_code == 200
    assert (read(alice, "/api/v2/customers?limit=100"), read(alice, "/api/v2/invoices/1")) == before


def test_numbers_go_on_from_the_seed_after_each_reset(alice: Integration) -> None:
    for _ in range(2):
        assert alice.post("/api/v2/customers", {"account": "New"}).json["data"]["id"] == 101
        sold = {"due_date": "2026-07-31", "date": "2026-07-01", "items": [{"description": "Care", "amount": 10}]}
        issued = alice.post("/api/v2/invoices", {"customer_id": 1, **sold}).json["data"]
        assert alice.post(RESET).status_code == 200
    again = alice.post("/api/v2/invoices", {"customer_id": 1, **sold}).json["data"]
    assert (again["id"], again["invoice_number"]) == (issued["id"], issued["invoice_number"])


def test_a_deleted_record_comes_back_with_its_public_id(alice: Integration) -> None:
    idle = next(
        row
        for row in reversed(read(alice, "/api/v2/customers?limit=100"))
        if alice.delete(f"/api/v2/customers/{row['id']}").status_code == 200
    )
    alice.post(RESET)
    assert read(alice, f"/api/v2/customers/{idle['public_id']}") == idle


def test_keys_and_tokens_survive(alice: Integration, bob: Integration, alices_sandbox: NewSandbox) -> None:
    key_id, _, secret = alice.key.removeprefix("sk_test_").partition("_")
    form = {"grant_type": "client_credentials", "client_id": key_id, "client_secret": secret}
    token = alice.client.post("/oauth/token", data=form).json["access_token"]
    assert alice.post(RESET).status_code == 200
    assert bob.get("/api/v2/customers/1").status_code == 200
    bearer = {"Authorization": f"Bearer {token}"}
    assert alice.client.get("/api/v2/customers/1", headers=bearer).status_code == 200


def test_the_receipt_counts_what_was_kept_restored_and_removed(alice: Integration) -> None:
    for number in range(3):
        alice.post("/api/v2/customers", {"account": f"New {number}"})
    alice.delete("/api/v2/customers/103")
    answer = alice.post(RESET)
    receipt = answer.json["data"]
    assert answer.json["message"] == "Sandbox reset"
    assert answer.json["notice"]["type"] == "success"
    assert receipt["tenant"] == alice.tenant
    assert receipt["restored"]["customers"] == 100
    assert receipt["restored"]["accounts"] == 6
    assert receipt["removed"] == {"customers": 2}
    assert receipt["kept"]["api_keys"] == 6
    assert receipt["kept"]["exchanges"] >= 4
    assert "customers" not in receipt["kept"]


def test_the_log_and_the_trail_stay_and_tell_of_the_reset(
    alice: Integration, database: Database, alices_sandbox: NewSandbox
) -> None:
    alice.post("/api/v2/customers", {"account": "New"})
    alice.post(RESET)
    with database.transaction(write=False) as session:
        session.bind_tenant(alices_sandbox.tenant.id)
        acts = list(session.scalars(select(AuditRow.action).order_by(AuditRow.id)))
        events = list(session.scalars(select(Event).where(Event.type == "sandbox.reset")))
        tenant = session.get(Tenant, alices_sandbox.tenant.id)
    assert acts == ["customers.create", "sandbox.reset"]
    assert [event.subject for event in events] == [alice.tenant]
    assert tenant is not None and tenant.last_reset_at is not None


def test_only_an_administrator_may_reset(
    alices_sandbox: NewSandbox, as_role: Callable[[NewSandbox, str], Integration]
) -> None:
    for role in ("manager", "accountant", "sales", "support", "viewer"):
        caller = as_role(alices_sandbox, role)
        caller.post("/api/v2/customers", {"account": "Stays"})
        answer = caller.post(RESET)
        assert (answer.status_code, answer.json["code"]) == (403, "forbidden")
    assert read(as_role(alices_sandbox, "administrator"), "/api/v2/customers/101")["account"] == "Stays"


def test_mallorys_reset_leaves_alices_records_alone(alice: Integration, mallory: Integration) -> None:
    alice.patch("/api/v2/customers/1", {"account": "Hers"})
    assert mallory.post(RESET).status_code == 200
    assert read(alice, "/api/v2/customers/1")["account"] == "Hers"


def test_a_reset_is_not_counted_against_the_hourly_limit(alice: Integration) -> None:
    before = alice.get("/api/v2/customers/1").headers["X-RateLimit-Remaining"]
    for _ in range(3):
        assert alice.post(RESET).headers["X-RateLimit-Remaining"] == before


def test_a_tenant_that_is_no_sandbox_is_refused(database: Database) -> None:
    with database.transaction() as session:
        house = ensure_house(session)
        try:
            reset_tenant(session, house)
        except Conflict as refused:
            assert refused.code == "conflict"
        else:
            raise AssertionError("the house was reset")


def test_the_house_cannot_be_reset_by_api(alice: Integration, alices_sandbox: NewSandbox, database: Database) -> None:
    """A live key would be needed; the mode alone decides."""
    with database.transaction() as session:
        tenant = session.get(Tenant, alices_sandbox.tenant.id)
        assert tenant is not None
        tenant.mode = "house-like"
    alice.patch("/api/v2/customers/1", {"account": "Stays"})
    answer = alice.post(RESET)
    assert (answer.status_code, answer.json["code"]) == (409, "conflict")
    assert read(alice, "/api/v2/customers/1")["account"] == "Stays"


def test_starter_tenants_may_be_reset_too(
    new_sandbox: SandboxMaker, as_role: Callable[[NewSandbox, str], Integration]
) -> None:
    starter = as_role(new_sandbox("Small", plan="starter"), "administrator")
    assert starter.post(RESET).status_code == 200


def test_a_query_is_refused(alice: Integration) -> None:
    assert alice.post(f"{RESET}?tenant=other").status_code == 400
