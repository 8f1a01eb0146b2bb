"""Snapshots: what was, comes back as it was, ids included, and is nobody else's."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, func, select

from portal.core.config import Settings
from portal.core.database import Database
from portal.core.errors import NotFound
from portal.core.ids import PUBLIC_ID
from portal.core.ownership import TenantRecord, table_of
from portal.tenancy.copying import models_that
from portal.tenancy.models import Tenant
from portal.tenancy.service import find_tenant, sweep_expired
from tests.conftest import Integration, NewSandbox, SandboxMaker
from tests.sandbox.seed.conftest import Rows, records_of  # noqa: F401 — a fixture

SNAPSHOTS = "/api/v2/sandbox/snapshots"
CUSTOMERS = "/api/v2/customers"
RecordsOf = Callable[[Tenant], Rows]


def take(caller: Integration, name: str = "Before") -> Any:
    answer = caller.post(SNAPSHOTS, {"name": name})
    assert answer.status_code == 201, answer.text
    return answer.json["data"]


def restore(caller: Integration, reference: Any) -> Any:
    answer = caller.post(f"{SNAPSHOTS}/{reference}/restore")
    assert answer.status_code == 200, answer.text
    return answer.json["data"]


def spoil(caller: Integration) -> None:
    """Create, change and delete, in several tables."""
    caller.post(CUSTOMERS, {"account": "Later"})
    caller.patch(f"{CUSTOMERS}/1", {"account": "Changed"})
    caller.delete(f"{CUSTOMERS}/101")
    caller.post("/api/v2/invoices/1/payments", {"amount": 500.0, "account_id": 1})
    caller.post("/api/v2/leads", {"first_name": "A", "last_name": "B", "email": "ab@example.com"})


@contextmanager
def counting_statements(database: Database) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def copies_of(database: Database, new: NewSandbox) -> list[Tenant]:
    with database.transaction(write=False) as session:
        return list(session.scalars(select(Tenant).where(Tenant.copy_of == new.tenant.id)))


def test_everything_is_as_it_was_then_public_ids_and_numbers_too(
    alice: Integration,
    alices_sandbox: NewSandbox,
    records_of: RecordsOf,  # noqa: F811
) -> None:
    own = alice.post(CUSTOMERS, {"account": "Mine", "email": "mine@example.com"}).json["data"]
    alice.post("/api/v2/invoices/2/payments", {"amount": 1.0, "account_id": 1})
    before = records_of(alices_sandbox.tenant)
    snapshot = take(alice)
    spoil(alice)
    assert records_of(alices_sandbox.tenant) != before
    receipt = restore(alice, snapshot["id"])
    assert records_of(alices_sandbox.tenant) == before
    assert alice.get(f"{CUSTOMERS}/{own['public_id']}").json["data"] == own
    assert alice.post(CUSTOMERS, {"account": "Next"}).json["data"]["id"] == 102
    assert receipt["snapshot"] == snapshot["public_id"]
    assert receipt["restored"]["customers"] == 101
    assert receipt["removed"]["leads"] == 1
    assert receipt["kept"]["snapshots"] == 1
    assert receipt["tenant"] == alice.tenant


def test_a_record_of_ones_own_outlives_a_reset_in_a_snapshot(alice: Integration) -> None:
    own = alice.post(CUSTOMERS, {"account": "Mine"}).json["data"]
    snapshot = take(alice)
    alice.post("/api/v2/sandbox/reset")
    other = alice.post(CUSTOMERS, {"account": "Mine"}).json["data"]
    assert other["id"] == own["id"]
    restore(alice, snapshot["public_id"])
    assert alice.get(f"{CUSTOMERS}/{own['id']}").json["data"]["public_id"] == own["public_id"]
    assert alice.get(f"{CUSTOMERS}/{other['public_id']}").status_code == 404


def test_it_can_be_restored_again_and_again_and_beside_others(
    alice: Integration,
    alices_sandbox: NewSandbox,
    records_of: RecordsOf,  # noqa: F811
) -> None:
    first, states = take(alice, "First"), [records_of(alices_sandbox.tenant)]
    alice.patch(f"{CUSTOMERS}/1", {"account": "Second"})
    second = take(alice, "Second")
    states.append(records_of(alices_sandbox.tenant))
    for snapshot, state in ((first, states[0]), (second, states[1]), (first, states[0])):
        restore(alice, snapshot["id"])
        assert records_of(alices_sandbox.tenant) == state
        spoil(alice)


def test_a_conversation_comes_back_and_its_guest_goes_on(alice: Integration, alices_sandbox: NewSandbox) -> None:
    own = {"X-Publishable-Key": alices_sandbox.tenant.publishable_id}
    opening = {"fullName": "Jane Roe", "email": "jane@example.com", "message": "Hello"}
    begun = alice.client.post("/api/v1/support/guest", json=opening, headers=own).json["data"]
    token = {"Authorization": f"Bearer {begun['guest_token']}", **own}
    path = f"/api/v1/support/guest/{begun['public_id']}"
    line = {"message": "Still there?", "client_msg_id": "2"}
    before = alice.client.get(f"{path}/events?after=0", headers=token).json["data"]
    snapshot = take(alice)
    assert alice.client.post(f"{path}/messages", json=line, headers=token).status_code == 201
    restore(alice, snapshot["id"])
    assert alice.client.get(f"{path}/events?after=0", headers=token).json["data"] == before
    alice.post("/api/v2/sandbox/reset")
    assert alice.client.get(f"{path}/events?after=0", headers=token).status_code == 404
    restore(alice, snapshot["id"])
    assert alice.client.post(f"{path}/messages", json=line, headers=token).status_code == 201


def test_what_waits_for_a_call_is_part_of_it(alice: Integration) -> None:
    alice.post("/api/v2/sandbox/scenarios", {"scenario": "unavailable", "times": 2})
    snapshot = take(alice)
    assert [alice.get(CUSTOMERS).status_code for _ in range(3)] == [503, 503, 200]
    restore(alice, snapshot["id"])
    assert [alice.get(CUSTOMERS).status_code for _ in range(3)] == [503, 503, 200]


def test_answers_kept_for_idempotency_keys_go_with_what_they_are_about(alice: Integration) -> None:
    snapshot = take(alice)
    once = {"headers": {"Idempotency-Key": "run-7"}}
    assert alice.post(CUSTOMERS, {"account": "Once"}, **once).json["data"]["id"] == 101
    restore(alice, snapshot["id"])
    again = alice.post(CUSTOMERS, {"account": "Once"}, **once)
    assert (again.status_code, again.json["data"]["id"]) == (201, 101)
    assert "Idempotent-Replayed" not in again.headers


def test_keys_tokens_and_logs_stay(alice: Integration, bob: Integration) -> None:
    key_id, _, secret = alice.key.removeprefix("sk_test_").partition("_")
    snapshot = take(alice)
    form = {"grant_type": "client_credentials", "client_id": key_id, "client_secret": secret}
    token = alice.client.post("/oauth/token", data=form).json["access_token"]
    restore(alice, snapshot["id"])
    assert bob.get(f"{CUSTOMERS}/1").status_code == 200
    assert alice.client.get(f"{CUSTOMERS}/1", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    acts = [row["action"] for row in alice.get("/api/v2/audit").json["data"]]
    assert acts == ["sandbox.restore_snapshot", "sandbox.take_snapshot"]
    assert alice.get("/api/v2/sandbox/requests").json["meta"]["total_records"] >= 3


def test_a_sandbox_keeps_ten_under_names_of_their_own(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    for number in range(10):
        take(alice, f"Number {number}")
    full = alice.post(SNAPSHOTS, {"name": "One more"})
    assert (full.status_code, full.json["code"]) == (409, "conflict")
    assert full.json["remedy"]["to"] == "fewer than 10"
    taken = alice.post(SNAPSHOTS, {"name": "Number 3"})
    assert (taken.status_code, taken.json["code"], taken.json["existing_id"]) == (409, "duplicate", 4)
    assert alice.delete(f"{SNAPSHOTS}/4").status_code == 200
    assert len(copies_of(database, alices_sandbox)) == 9
    assert take(alice, "Number 3")["id"] == 11
    listed = alice.get(f"{SNAPSHOTS}?sort=-name&limit=2").json
    assert [row["name"] for row in listed["data"]] == ["Number 9", "Number 8"]
    assert listed["meta"]["total_records"] == 10


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"name"}),
        ({"name": ""}, {"name"}),
        ({"name": "x" * 121}, {"name"}),
        ({"name": 7}, {"name"}),
        ({"name": "x", "records": 1, "colour": "red"}, {"records", "colour"}),
    ],
)
def test_a_bad_name_is_refused(alice: Integration, body: dict[str, Any], fields: set[str]) -> None:
    answer = alice.post(SNAPSHOTS, body)
    assert (answer.status_code, set(answer.json["errors"])) == (400, fields)
    assert alice.get(SNAPSHOTS).json["data"] == []


def test_a_strangers_snapshot_is_unknown(
    alice: Integration, mallory: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    snapshot = take(alice)
    alice.patch(f"{CUSTOMERS}/1", {"account": "Hers"})
    for reference in (snapshot["id"], snapshot["public_id"]):
        unknown = mallory.post(f"{SNAPSHOTS}/snp_{'0' * 24}/restore").json | {"request_id": ""}
        assert mallory.post(f"{SNAPSHOTS}/{reference}/restore").json | {"request_id": ""} == unknown
        assert mallory.delete(f"{SNAPSHOTS}/{reference}").status_code == 404
    assert mallory.get(SNAPSHOTS).json["data"] == []
    assert alice.get(f"{CUSTOMERS}/1").json["data"]["account"] == "Hers"
    assert len(copies_of(database, alices_sandbox)) == 1


def test_the_copy_is_reached_by_nobody(
    alice: Integration, house: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    snapshot = take(alice)
    for caller in (alice, house):
        for path in (f"/api/tenants/{snapshot['public_id']}", f"/api/tenants/{snapshot['public_id']}/subscription"):
            assert caller.get(path).status_code == 404
    listed = house.get("/api/tenants?limit=100").json["data"]
    assert snapshot["public_id"] not in {row["public_id"] for row in listed}
    with database.transaction(write=False) as session, pytest.raises(NotFound):
        find_tenant(session, snapshot["public_id"])
    copy = copies_of(database, alices_sandbox)[0]
    assert (copy.mode, copy.publishable_id, copy.public_id) == ("snapshot", None, snapshot["public_id"])
    with database.reader.connect() as connection:
        for model in models_that("restore"):
            if issubclass(model, TenantRecord):
                table = table_of(model)
                ids = connection.scalars(select(table.c.public_id).where(table.c.tenant_id == copy.id))
                assert not any(PUBLIC_ID.match(public_id) for public_id in ids), table.name


def test_it_ends_with_its_sandbox(
    new_sandbox: SandboxMaker, as_role: Callable[[NewSandbox, str], Integration], database: Database, settings: Settings
) -> None:
    guests = new_sandbox("Guest's")
    take(as_role(guests, "administrator"))
    with database.transaction() as session:
        tenant = session.get_one(Tenant, guests.tenant.id)
        tenant.expires_at = tenant.created_at
    assert sweep_expired(database, settings) >= 1
    assert copies_of(database, guests) == []
    with database.transaction(write=False) as session:
        left = select(func.count()).select_from(Tenant).where(Tenant.mode == "snapshot", Tenant.name == "Before")
        assert session.scalar(left) == 0


def test_a_viewer_a_manager_and_the_house_take_none(
    alices_sandbox: NewSandbox, as_role: Callable[[NewSandbox, str], Integration], house: Integration
) -> None:
    snapshot = take(as_role(alices_sandbox, "administrator"))
    for role in ("manager", "accountant", "sales", "support", "viewer"):
        caller = as_role(alices_sandbox, role)
        assert caller.post(SNAPSHOTS, {"name": role}).json["code"] == "forbidden"
        assert caller.post(f"{SNAPSHOTS}/{snapshot['id']}/restore").json["code"] == "forbidden"
        assert caller.delete(f"{SNAPSHOTS}/{snapshot['id']}").json["code"] == "forbidden"
    refused = house.post(SNAPSHOTS, {"name": "House"})
    assert (refused.status_code, refused.json["code"]) == (409, "conflict")


def test_neither_is_counted_against_the_limit(alice: Integration) -> None:
    before = alice.get(CUSTOMERS).headers["X-RateLimit-Remaining"]
    for _ in range(2):
        restore(alice, take(alice, f"At {time.monotonic_ns()}")["id"])
    assert alice.get(SNAPSHOTS).headers["X-RateLimit-Remaining"] == before


def test_a_restore_takes_no_more_statements_the_more_has_changed(alice: Integration, database: Database) -> None:
    snapshot, counts = take(alice), []
    for changes in (1, 30):
        for number in range(changes):
            assert alice.post(CUSTOMERS, {"account": f"Added {number}"}).status_code == 201
        with counting_statements(database) as statements:
            restore(alice, snapshot["id"])
        counts.append(len(statements))
    assert counts[0] == counts[1] < 1000
