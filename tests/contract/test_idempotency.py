"""A POST sent twice under one key is carried out once (contract section 4)."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from portal.api.idempotency import LEASE, IdempotencyKey
from portal.core.clock import system_now
from portal.core.database import Database
from sandbox.tenants import NewSandbox
from tests.conftest import Integration

JANE = {"account": "Jane Smith", "email": "jane@example.com"}


def send(caller: Integration, key: str = "order-1", body: Any = None, path: str = "/api/v2/customers") -> Any:
    return caller.post(path, JANE if body is None else body, headers={"Idempotency-Key": key})


def count(caller: Integration) -> int:
    return int(caller.get("/api/v2/customers").json["meta"]["total_records"])


def test_the_second_answer_is_the_first_one_and_nothing_is_written_twice(alice: Integration) -> None:
    first, second = send(alice), send(alice)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.data == second.data
    assert second.headers["Location"] == first.headers["Location"]
    assert second.headers["ETag"] == first.headers["ETag"]
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert count(alice) == 101


def test_a_replay_leaves_no_second_trace_in_the_audit_trail_or_the_events(alice: Integration) -> None:
    for _ in range(2):
        send(alice)
    audit = alice.get("/api/v2/audit", query_string={"action": "customers.create"}).json
    events = alice.get("/api/v2/events", query_string={"type": "customer.created"}).json
    assert audit["meta"]["total_records"] == events["meta"]["total_records"] == 1


def test_another_body_under_the_same_key_is_refused(alice: Integration) -> None:
    send(alice)
    other = send(alice, body={"account": "Somebody Else"})
    assert (other.status_code, other.json["code"]) == (422, "idempotency_mismatch")
    assert count(alice) == 101


def test_another_query_under_the_same_key_is_refused(alice: Integration) -> None:
    path = "/api/v2/invoices/{}/payments"
    body = {"amount": 1, "account_id": 1}
    assert send(alice, body=body, path=path.format(1)).status_code == 201
    assert send(alice, body=body, path=path.format(2)).status_code == 422


def test_a_refused_request_may_be_corrected_under_its_key(alice: Integration) -> None:
    assert send(alice, body={"account": ""}).status_code == 400
    assert send(alice).status_code == 201


def test_a_key_belongs_to_its_tenant_and_its_operation(alice: Integration, mallory: Integration) -> None:
    assert send(alice).status_code == 201
    assert "Idempotent-Replayed" not in send(mallory).headers
    assert count(mallory) == 101
    lamp = {"name": "Lamp", "price": 10}
    assert "Idempotent-Replayed" not in send(alice, body=lamp, path="/api/v2/products").headers


def test_another_credential_of_the_tenant_finds_the_first_response(
    alice: Integration, as_role: Any, alices_sandbox: NewSandbox
) -> None:
    first = send(alice)
    others = [as_role(alices_sandbox, role) for role in ("manager", "sales")]
    key_id, _, secret = alice.key.removeprefix("sk_test_").partition("_")
    form = {"grant_type": "client_credentials", "client_id": key_id, "client_secret": secret}
    token = alice.client.post("/oauth/token", data=form).json["access_token"]
    for other in [*others, Integration(alice.client, token, alice.tenant)]:
        again = send(other)
        assert (again.status_code, again.data) == (201, first.data)
        assert again.headers["Idempotent-Replayed"] == "true"
    assert send(others[0], body={"account": "Another"}).status_code == 422
    assert count(alice) == 101


def test_who_may_not_call_the_operation_gets_no_replay(
    alice: Integration, as_role: Any, alices_sandbox: NewSandbox, database: Database
) -> None:
    invoice = {"customer_id": 1, "due_date": "2099-01-01", "items": [{"description": "Work", "amount": 1}]}
    assert send(alice, body=invoice, path="/api/v2/invoices").status_code == 201
    for role in ("viewer", "sales", "support"):
        refused = send(as_role(alices_sandbox, role), body=invoice, path="/api/v2/invoices")
        assert (refused.status_code, refused.json["code"]) == (403, "forbidden")
        assert "INV-" not in refused.text
    with database.transaction() as session:
        session.bind_tenant(alices_sandbox.tenant.id)
        session.merge(alices_sandbox.tenant).plan = "starter"
    refused = send(alice, body=invoice, path="/api/v2/invoices")
    assert (refused.status_code, refused.json["code"]) == (403, "upgrade_required")


def test_a_key_lasts_a_day_from_where_its_own_request_moved_the_clock(alice: Integration) -> None:
    first, second = [send(alice, path="/api/v2/sandbox/clock", body={"advance": "P3D"}) for _ in range(2)]
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.data == first.data
    send(alice, key="reset-1", path="/api/v2/sandbox/reset", body={})
    assert send(alice, key="later", path="/api/v2/sandbox/clock", body={"advance": "PT25H"}).status_code == 200
    again = send(alice, key="reset-1", path="/api/v2/sandbox/reset", body={})
    assert "Idempotent-Replayed" not in again.headers


def test_a_replay_asks_for_the_permission_again(
    bob: Integration, alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    send(alice)
    with database.transaction() as session:
        session.bind_tenant(alices_sandbox.tenant.id)
        session.merge(alices_sandbox.tenant).plan = "starter"
    assert send(alice).headers["Idempotent-Replayed"] == "true"
    invoice = {"customer_id": 1, "due_date": "2030-01-01", "items": [{"description": "Work", "amount": 1}]}
    assert send(alice, body=invoice, path="/api/v2/invoices").status_code == 403


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "ä"])
def test_a_bad_key_is_refused_by_name(alice: Integration, key: str) -> None:
    answer = send(alice, key=key)
    assert answer.status_code == 400
    assert "Idempotency-Key" in answer.json["errors"]
    assert count(alice) == 100


def test_a_key_on_a_reading_call_means_nothing(alice: Integration) -> None:
    headers = {"Idempotency-Key": "order-1"}
    assert alice.get("/api/v2/customers/1", headers=headers).status_code == 200
    assert alice.patch("/api/v2/customers/1", {"phone": "1234567"}, headers=headers).status_code == 200
    assert send(alice).status_code == 201


def test_one_key_sent_by_many_at_once_makes_one_record(app: Flask, alice: Integration) -> None:
    def once(_: int) -> int:
        mine = Integration(app.test_client(), alice.key, alice.tenant)
        return int(send(mine).status_code)

    with ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(once, range(24)))
    assert set(statuses) <= {201, 409}
    assert statuses.count(201) >= 1
    assert count(alice) == 101
    assert send(alice).headers["Idempotent-Replayed"] == "true"


def claim_of(database: Database, tenant_id: int, **values: Any) -> None:
    with database.transaction() as session:
        session.bind_tenant(tenant_id)
        session.execute(update(IdempotencyKey).values(**values))


def test_while_the_first_runs_the_second_is_told_to_wait(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    send(alice)
    claim_of(database, alices_sandbox.tenant.id, status=None, body=None, claimed_until=system_now() + LEASE)
    early = send(alice)
    assert (early.status_code, early.json["code"]) == (409, "idempotency_in_progress")
    assert int(early.headers["Retry-After"]) >= 1


def test_a_request_cut_off_before_its_commit_is_carried_out_when_its_lease_is_over(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    send(alice)
    assert alice.delete("/api/v2/customers/101").status_code == 200
    over = system_now() - dt.timedelta(seconds=1)
    claim_of(database, alices_sandbox.tenant.id, status=None, body=None, claimed_until=over)
    again = send(alice)
    assert (again.status_code, again.json["data"]["id"]) == (201, 102)
    assert "Idempotent-Replayed" not in again.headers


def test_a_key_is_forgotten_after_a_day(alice: Integration, alices_sandbox: NewSandbox, database: Database) -> None:
    send(alice)
    claim_of(database, alices_sandbox.tenant.id, expires_at=system_now() - dt.timedelta(seconds=1))
    again = send(alice)
    assert (again.status_code, again.json["code"]) == (409, "duplicate")


def test_a_reset_forgets_keys_and_is_itself_repeatable(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    send(alice)
    first = send(alice, key="reset-1", path="/api/v2/sandbox/reset", body={})
    assert first.status_code == 200, first.text
    assert "Idempotent-Replayed" not in send(alice).headers
    assert send(alice, key="reset-1", path="/api/v2/sandbox/reset", body={}).headers["Idempotent-Replayed"] == "true"
    assert count(alice) == 101


def test_an_answer_is_kept_unreadable(alice: Integration, alices_sandbox: NewSandbox, database: Database) -> None:
    send(alice)
    with database.transaction(write=False) as session:
        session.bind_tenant(alices_sandbox.tenant.id)
        assert session.scalar(select(func.count()).select_from(IdempotencyKey)) == 1
        raw = session.connection().exec_driver_sql("SELECT body FROM idempotency_keys").scalars()
        assert not any(JANE["email"] in (text or "") for text in raw)


def test_a_visitor_leaves_one_inquiry_however_often_it_is_sent(alice: Integration) -> None:
    body = {"name": "Asha Rao", "email": "asha@buyers.example", "message": "Call me, please."}
    answers = [
        alice.client.post("/api/public/leads", json=body, headers={"Idempotency-Key": "form-1"}) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].data == answers[1].data
    assert answers[1].headers["Idempotent-Replayed"] == "true"
