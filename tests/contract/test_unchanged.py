"""A record sent back as it was read is left as it is: nothing is written, announced or audited (contract section 4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from portal.core.database import Database
from sandbox import extension
from tests.conftest import Integration
from tests.contract.beforehand import prepare
from tests.contract.described import Described, describe

REPLACED = [
    "attendance",
    "connections",
    "customers",
    "employees",
    "incoming-mappings",
    "invoices",
    "leads",
    "outgoing-mappings",
    "products",
    "quotes",
    "tickets",
    "transactions",
    "users",
    "vehicles",
    "vendors",
    "webhooks",
]
MOST = 100


def methods_of(name: str) -> tuple[str, ...]:
    """An incoming mapping is saved as a whole."""
    return ("PUT",) if name == "incoming-mappings" else ("PUT", "PATCH")


def replacing(app: Flask) -> dict[str, Described]:
    """The operation that replaces a record, by resource."""
    return {one.id.partition(".")[0]: one for one in describe(app) if one.id.endswith(".replace")}


def schema_of(operation: Described) -> dict[str, Any]:
    schema: dict[str, Any] = operation.says["requestBody"]["content"]["application/json"]["schema"]
    return schema


def as_body(value: Any, schema: dict[str, Any]) -> Any:
    """What was read, without what is read-only: as much of it as the schema of a body takes."""
    for option in schema.get("anyOf", [schema]):
        if isinstance(value, dict) and "properties" in option:
            known = option["properties"]
            return {name: as_body(item, known[name]) for name, item in value.items() if name in known}
        if isinstance(value, list) and "items" in option:
            return [as_body(item, option["items"]) for item in value]
    return value


def records_of(alice: Integration, path: str) -> Iterator[dict[str, Any]]:
    """The first and the last records of a list."""
    rows = {}
    for sort in ("id", "-id"):
        answer = alice.get(path, query_string={"limit": MOST, "sort": sort})
        assert answer.status_code == 200, answer.text
        rows |= {row["id"]: row for row in answer.json["data"]}
    yield from rows.values()


def count_of(alice: Integration, path: str) -> int:
    return int(alice.get(path, query_string={"limit": 1}).json["meta"]["total_records"])


def traces_of(alice: Integration) -> tuple[int, int]:
    """How many events and audit entries there are."""
    return count_of(alice, "/api/v2/events"), count_of(alice, "/api/v2/audit")


@pytest.fixture
def path(app: Flask, alice: Integration, database: Database, name: str) -> str:
    """The list of a resource that has records."""
    operation = replacing(app)[name]
    prepare(alice, next(one for one in extension.operations if one.id == operation.id), database)
    return operation.path.removesuffix("/{id}")


def test_every_resource_that_can_be_replaced_is_tried(app: Flask) -> None:
    assert sorted(replacing(app)) == sorted([*REPLACED, "subscription"])


@pytest.mark.parametrize(("name", "method"), [(name, method) for name in REPLACED for method in methods_of(name)])
def test_a_record_sent_back_as_it_was_read_is_left_as_it_is(
    app: Flask, alice: Integration, path: str, name: str, method: str
) -> None:
    schema, rows, before = schema_of(replacing(app)[name]), [*records_of(alice, path)], traces_of(alice)
    assert rows
    for row in rows:
        record = f"{path}/{row['id']}"
        tag = alice.get(record).headers["ETag"]
        answer = alice.call(method, record, as_body(row, schema), headers={"If-Match": tag})
        assert answer.status_code == 200, f"{row}: {answer.text}"
        assert answer.json["data"] == row
        assert answer.headers["ETag"] == tag
    assert alice.get(record).json["data"] == row
    assert traces_of(alice) == before


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/v2/invoices/1", "customer_id"),
        ("/api/v2/quotes/118", "customer_id"),
        ("/api/v2/transactions/1", "account_id"),
        ("/api/v2/tickets/1", "department_id"),
        ("/api/v2/hr/employees/1", "department_id"),
    ],
)
def test_a_reference_by_public_id_changes_nothing(alice: Integration, path: str, field: str) -> None:
    before = traces_of(alice)
    record = alice.get(path).json["data"]
    named = {"customer_id": "customers", "account_id": "accounts", "department_id": "departments"}[field]
    public_id = alice.get(f"/api/v2/{named}/{record[field]}").json["data"]["public_id"]
    answer = alice.patch(path, {field: public_id})
    assert (answer.status_code, answer.json["data"]) == (200, record)
    assert traces_of(alice) == before


def test_what_differs_is_still_announced_and_audited(alice: Integration) -> None:
    events, acts = traces_of(alice)
    changed = alice.patch("/api/v2/customers/1", {"city": "Boston"}).json["data"]
    assert (changed["city"], changed["version"]) == ("Boston", 2)
    assert traces_of(alice) == (events + 1, acts + 1)


def test_a_password_is_a_change_and_stays_if_it_is_left_out(alice: Integration) -> None:
    user = alice.get("/api/v2/users/2").json["data"]
    body = {name: user[name] for name in ("name", "email", "role")}
    assert alice.put("/api/v2/users/2", body).json["data"] == user
    changed = alice.put("/api/v2/users/2", body | {"password": "a new one, and long"}).json["data"]
    assert changed["version"] == user["version"] + 1


def test_settings_and_a_plan_sent_back_leave_no_trace(alice: Integration) -> None:
    before = traces_of(alice)
    tenant = f"/api/tenants/{alice.tenant}"
    settings = alice.get(tenant).json["data"]
    names = ("name", "currency", "time_zone", "daily_reset_hour")
    assert alice.patch(tenant, {name: settings[name] for name in names}).json["data"] == settings
    plan = alice.get(f"{tenant}/subscription").json["data"]["plan"]
    assert alice.put(f"{tenant}/subscription", {"plan": plan}).status_code == 200
    assert traces_of(alice) == before


def test_a_line_that_leaves_out_what_it_had_is_a_change(alice: Integration) -> None:
    line = {"description": "Care", "amount": 10.0}
    body = {"customer_id": 1, "due_date": "2026-12-31", "items": [{**line, "product_id": 1, "qty": 2}]}
    invoice = alice.post("/api/v2/invoices", body).json["data"]
    changed = alice.patch(f"/api/v2/invoices/{invoice['id']}", {"items": [line]}).json["data"]
    assert changed["version"] == invoice["version"] + 1
    assert (changed["items"][0]["product_id"], changed["items"][0]["qty"]) == (None, 1)
