"""The audit trail and the events of a tenant, newest first (contract section 5)."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from flask import Flask
from sqlalchemy import select

from portal.core.database import Database
from portal.core.session import HIDDEN
from portal.docs.service import current_docs
from portal.tenancy.models import AuditRow
from sandbox.tenants import NewSandbox
from tests.conftest import Integration
from tests.portal.tenancy.conftest import key_id

AUDIT, EVENTS = "/api/v2/audit", "/api/v2/events"
exact = msgspec.json.Decoder(float_hook=Decimal).decode
INVOICE = {"customer_id": 2, "due_date": "2027-01-31", "items": [{"description": "Bolt", "amount": 0.1, "qty": 3}]}


def trail(caller: Integration, query: str = "") -> list[dict[str, Any]]:
    return exact(caller.get(f"{AUDIT}?{query}").data)["data"]


def events(caller: Integration, query: str = "") -> list[dict[str, Any]]:
    return exact(caller.get(f"{EVENTS}?{query}").data)["data"]


def create_customer(caller: Integration, **fields: Any) -> dict[str, Any]:
    return caller.post("/api/v2/customers", {"account": "Jane", **fields}).json["data"]


def test_the_trail_tells_who_did_what_newest_first(alice: Integration) -> None:
    assert trail(alice) == []
    customer = create_customer(alice, city="Mumbai")
    changed = alice.patch(f"/api/v2/customers/{customer['id']}", {"city": "Pune"})
    alice.delete(f"/api/v2/customers/{customer['id']}")
    rows = trail(alice)
    assert [row["action"] for row in rows] == ["customers.delete", "customers.update", "customers.create"]
    assert list(rows[1]) == ["id", "actor", "action", "subject", "changes", "request_id", "created_at"]
    assert {row["subject"] for row in rows} == {customer["public_id"]}
    assert {row["actor"] for row in rows} == {f"key:{key_id(alice)}"}
    assert rows[1]["request_id"] == changed.headers["X-Request-Id"]
    assert rows[1]["created_at"].endswith("Z")
    assert rows[1]["changes"] == [
        {
            "table": "customers",
            "public_id": customer["public_id"],
            "verb": "changed",
            "fields": {"city": ["Mumbai", "Pune"]},
        }
    ]
    assert [row["changes"][0]["verb"] for row in rows] == ["removed", "changed", "created"]


def test_the_id_of_a_row_is_a_text_that_javascript_keeps(alice: Integration) -> None:
    create_customer(alice)
    create_customer(alice)
    ids = [row["id"] for row in trail(alice)]
    assert all(isinstance(id_, str) and int(id_) > 2**53 for id_ in ids)
    assert int(ids[0]) > int(ids[1])


def test_approvals_exports_and_resets_are_in_the_trail_and_readings_are_not(alice: Integration) -> None:
    invoice = alice.post("/api/v2/invoices", INVOICE).json["data"]
    assert alice.post(f"/api/v2/invoices/{invoice['id']}/approve").status_code == 200
    sales = f"/api/tenants/{alice.tenant}/reports/sales?from=2026-05-01&to=2026-05-31"
    alice.get(f"{sales}&format=csv")
    alice.get(sales)
    alice.get("/api/v2/customers")
    alice.post("/api/v2/sandbox/reset")
    rows = trail(alice)
    assert [row["action"] for row in rows] == ["sandbox.reset", "reports.sales", "invoices.approve", "invoices.create"]
    assert [row["subject"] for row in rows] == [alice.tenant, alice.tenant, invoice["public_id"], invoice["public_id"]]


def test_what_is_refused_leaves_no_row(alice: Integration, bob: Integration) -> None:
    alice.post("/api/v2/customers", {"account": ""})
    alice.delete("/api/v2/customers/1")
    bob.post("/api/v2/customers", {"account": "Jane"})
    assert trail(alice) == [] == events(alice)


@pytest.mark.parametrize(
    ("query", "actions"),
    [
        ("action=customers.create", ["customers.create", "customers.create"]),
        ("actor=key:{key}", ["customers.update", "customers.create", "customers.create"]),
        ("actor=key:nobody", []),
        ("subject={first}", ["customers.update", "customers.create"]),
        ("subject=cus_000000000000000000000000", []),
        ("date_from=2020-01-01&date_to=2999-12-31", ["customers.update", "customers.create", "customers.create"]),
        ("date_to=2020-01-01", []),
        ("date_from=2999-01-01", []),
        ("sort=id", ["customers.create", "customers.create", "customers.update"]),
        ("sort=-created_at&limit=1", ["customers.update"]),
        ("limit=1&page=3", ["customers.create"]),
        ("page=9", []),
        ("action=%25", []),
    ],
)
def test_the_trail_is_filtered_sorted_and_paged(alice: Integration, query: str, actions: list[str]) -> None:
    first = create_customer(alice)
    create_customer(alice)
    alice.patch(f"/api/v2/customers/{first['id']}", {"city": "Pune"})
    rows = trail(alice, query.format(key=key_id(alice), first=first["public_id"]))
    assert [row["action"] for row in rows] == actions


@pytest.mark.parametrize(
    "query",
    [
        "subject=1",
        "subject=x",
        "date_from=today",
        "date_to=2026-02-30",
        "sort=actor",
        "colour=red",
        "action=",
        "limit=0",
    ],
)
@pytest.mark.parametrize("path", [AUDIT, EVENTS])
def test_a_bad_filter_is_refused(alice: Integration, path: str, query: str) -> None:
    assert alice.get(f"{path}?{query}").json["code"] == "validation_failed"


@pytest.mark.parametrize("path", [AUDIT, EVENTS])
def test_a_walk_by_cursor_meets_every_row_once(alice: Integration, path: str) -> None:
    for _ in range(5):
        create_customer(alice)
    whole = [json.dumps(row) for row in alice.get(path).json["data"]]
    walked, cursor = [], ""
    while cursor is not None:
        step = alice.get(path, query_string={"limit": 2, "cursor": cursor}).json
        walked += [json.dumps(row) for row in step["data"]]
        cursor = step["meta"]["next_cursor"]
    assert walked == whole and len(set(whole)) == 5


def test_mallory_reads_her_own_trail_and_events_alone(alice: Integration, mallory: Integration) -> None:
    customer = create_customer(alice)
    assert trail(mallory) == [] == events(mallory)
    assert (
        trail(mallory, f"subject={customer['public_id']}") == [] == events(mallory, f"subject={customer['public_id']}")
    )


def test_who_may_read_them(alices_sandbox: NewSandbox, as_role: Callable[[NewSandbox, str], Integration]) -> None:
    for role, may in (
        ("administrator", (200, 200)),
        ("manager", (200, 200)),
        ("viewer", (403, 403)),
        ("sales", (403, 403)),
    ):
        caller = as_role(alices_sandbox, role)
        assert (caller.get(AUDIT).status_code, caller.get(EVENTS).status_code) == may, role


def test_events_carry_public_ids_and_exact_money(alice: Integration) -> None:
    invoice = exact(alice.post("/api/v2/invoices", INVOICE).data)["data"]
    (row,) = [row for row in events(alice) if row["type"] == "invoice.created"]
    assert list(row) == ["public_id", "type", "subject", "data", "created_at"]
    assert row["public_id"].startswith("evt_")
    assert row["subject"] == invoice["public_id"] == row["data"]["public_id"]
    assert row["data"]["amount"] == Decimal("0.30") and str(row["data"]["amount"]) == "0.30"
    customer = alice.get("/api/v2/customers/2").json["data"]["public_id"]
    assert row["data"]["customer_id"] == customer
    assert "id" not in row["data"]
    assert b'"amount":0.30' in alice.get(f"{EVENTS}?type=invoice.created").data


def test_events_are_filtered_by_type_subject_and_day(alice: Integration) -> None:
    customer = create_customer(alice)
    create_customer(alice)
    alice.patch(f"/api/v2/customers/{customer['id']}", {"city": "Pune"})
    assert [row["type"] for row in events(alice)] == ["customer.updated", "customer.created", "customer.created"]
    assert [row["type"] for row in events(alice, "type=customer.updated")] == ["customer.updated"]
    assert len(events(alice, f"subject={customer['public_id']}")) == 2
    assert len(events(alice, f"type=customer.created&subject={customer['public_id']}")) == 1
    assert len(events(alice, "date_from=2020-01-01")) == 3 and events(alice, "date_to=2020-01-01") == []
    assert alice.get(f"{EVENTS}?type=customer.painted").status_code == 400


def test_the_types_to_filter_by_are_the_catalogue(app: Flask) -> None:
    with app.app_context():
        document = current_docs().document
    parameters = document["paths"][EVENTS]["get"]["parameters"]
    (type_,) = [parameter for parameter in parameters if parameter["name"] == "type"]
    schema = type_["schema"]
    choices = schema.get("enum") or next(each["enum"] for each in schema["anyOf"] if "enum" in each)
    assert set(choices) == set(document["webhooks"])


def test_a_reset_keeps_the_trail_and_the_events(alice: Integration) -> None:
    create_customer(alice)
    alice.post("/api/v2/sandbox/reset")
    assert [row["action"] for row in trail(alice)] == ["sandbox.reset", "customers.create"]
    assert [row["type"] for row in events(alice)] == ["sandbox.reset", "customer.created"]


def test_nobody_writes_or_deletes_history(alice: Integration) -> None:
    create_customer(alice)
    row = trail(alice)[0]["id"]
    for path in (AUDIT, EVENTS):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert alice.call(method, path, {}).status_code == 405
            assert alice.call(method, f"{path}/{row}", {}).status_code == 404


def test_a_password_is_named_in_the_trail_and_never_shown(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    user = {"name": "Asha", "email": "asha@example.com", "password": "a long enough password", "role": "viewer"}
    made = alice.post("/api/v2/users", user)
    assert made.status_code == 201, made.text
    alice.patch(f"/api/v2/users/{made.json['data']['id']}", {"password": "another long password"})
    row = trail(alice)[0]
    assert row["changes"][0]["fields"]["password_hash"] == [HIDDEN, HIDDEN]
    with database.transaction(write=False) as session:
        session.bind_tenant(alices_sandbox.tenant.id)
        kept = str([vars(row) for row in session.scalars(select(AuditRow))])
    assert "argon2" not in kept and 'password"' not in kept
