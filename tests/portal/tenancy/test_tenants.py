"""A tenant and its settings, as its own people read and change them (contract section 6)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from portal.core.database import Database
from portal.tenancy.models import Tenant
from sandbox.tenants import NewSandbox
from tests.conftest import Integration
from tests.portal.tenancy.conftest import Acts, key_id, without_its_number

FIELDS = [
    "public_id",
    "name",
    "mode",
    "plan",
    "currency",
    "time_zone",
    "daily_reset_hour",
    "publishable_key",
    "created_at",
    "last_reset_at",
    "expires_at",
]
UNKNOWN = "ten_000000000000000000000000"


def address(tenant: str) -> str:
    return f"/api/tenants/{tenant}"


def test_alice_reads_her_tenant_by_its_public_id_alone(alice: Integration, alices_sandbox: NewSandbox) -> None:
    answer = alice.get(address(alice.tenant))
    data = answer.json["data"]
    assert answer.status_code == 200
    assert list(data) == FIELDS
    assert (data["public_id"], data["name"], data["mode"]) == (alice.tenant, "Alice's", "sandbox")
    assert (data["plan"], data["currency"], data["time_zone"]) == ("enterprise", "USD", "UTC")
    assert data["publishable_key"] == alices_sandbox.tenant.publishable_id
    assert data["created_at"].endswith("Z") and data["last_reset_at"] is None and data["expires_at"] is None
    assert alice.get(address(str(alices_sandbox.tenant.id))).status_code == 404


def test_a_reset_is_told(alice: Integration) -> None:
    alice.post("/api/v2/sandbox/reset")
    assert alice.get(address(alice.tenant)).json["data"]["last_reset_at"].endswith("Z")


@pytest.mark.parametrize("tail", ["", "/subscription", "/reports/sales?from=2026-05-01&to=2026-05-02"])
def test_mallory_reads_alices_tenant_as_if_it_were_not_there(
    alice: Integration, mallory: Integration, tail: str
) -> None:
    stranger, unknown = (mallory.get(address(tenant) + tail) for tenant in (alice.tenant, UNKNOWN))
    assert stranger.status_code == unknown.status_code == 404
    assert without_its_number(stranger) == without_its_number(unknown)
    assert set(stranger.headers.keys()) == set(unknown.headers.keys())


@pytest.mark.parametrize(
    ("method", "tail", "body"),
    [("PATCH", "", {"name": "Mine"}), ("PUT", "/subscription", {"plan": "starter"}), ("PATCH", "", {"colour": 1})],
)
def test_mallory_changes_nothing_of_alices_tenant(
    alice: Integration, mallory: Integration, acts: Acts, method: str, tail: str, body: dict[str, object]
) -> None:
    before = alice.get(address(alice.tenant)).json["data"]
    stranger, unknown = (mallory.call(method, address(tenant) + tail, body) for tenant in (alice.tenant, UNKNOWN))
    assert stranger.status_code == unknown.status_code == 404
    assert without_its_number(stranger) == without_its_number(unknown)
    assert alice.get(address(alice.tenant)).json["data"] == before
    assert acts(alice.tenant) == []


def test_settings_are_changed_one_by_one(alice: Integration, acts: Acts) -> None:
    body = {"name": "  Acme Trading ", "currency": "INR", "time_zone": "Asia/Kolkata", "daily_reset_hour": 0}
    answer = alice.patch(address(alice.tenant), body)
    assert (answer.status_code, answer.json["message"]) == (200, "Tenant saved")
    assert alice.get(address(alice.tenant)).json["data"] == answer.json["data"]
    assert answer.json["data"].items() >= {**body, "name": "Acme Trading"}.items()
    assert alice.patch(address(alice.tenant), {"daily_reset_hour": None}).json["data"]["daily_reset_hour"] is None
    assert alice.patch(address(alice.tenant), {"currency": "EUR"}).json["data"]["name"] == "Acme Trading"
    first, off, _ = acts(alice.tenant)
    assert (first.actor, first.action, first.subject) == (f"key:{key_id(alice)}", "tenants.update", alice.tenant)
    assert first.changes[0]["table"] == "tenants" and first.changes[0]["public_id"] == alice.tenant
    assert first.changes[0]["fields"] == {
        "name": ["Alice's", "Acme Trading"],
        "currency": ["USD", "INR"],
        "time_zone": ["UTC", "Asia/Kolkata"],
        "daily_reset_hour": [3, 0],
    }
    assert off.changes[0]["fields"] == {"daily_reset_hour": [0, None]}


def test_nothing_named_is_nothing_changed(alice: Integration) -> None:
    before = alice.get(address(alice.tenant)).json["data"]
    assert alice.patch(address(alice.tenant), {}).json["data"] == before


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"name": None},
        {"name": "x" * 121},
        {"name": "nul\x00"},
        {"currency": "inr"},
        {"currency": "BTC"},
        {"currency": "XXX"},
        {"currency": None},
        {"currency": 356},
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "asia/kolkata"},
        {"time_zone": "../../etc/passwd"},
        {"time_zone": "localtime"},
        {"time_zone": "UTC\x00"},
        {"time_zone": None},
        {"daily_reset_hour": 24},
        {"daily_reset_hour": -1},
        {"daily_reset_hour": "3"},
        {"daily_reset_hour": 3.5},
        {"daily_reset_hour": True},
        {"colour": "blue"},
        {"name": "Good", "currency": "bad", "time_zone": "bad"},
    ],
)
def test_a_bad_setting_is_named_and_nothing_is_saved(alice: Integration, acts: Acts, fields: dict[str, object]) -> None:
    before = alice.get(address(alice.tenant)).json["data"]
    answer = alice.patch(address(alice.tenant), fields)
    assert (answer.status_code, answer.json["code"]) == (400, "validation_failed"), answer.text
    assert set(answer.json["errors"]) == set(fields) - ({"name"} if fields.get("name") == "Good" else set())
    assert alice.get(address(alice.tenant)).json["data"] == before
    assert acts(alice.tenant) == []


@pytest.mark.parametrize(
    "name",
    [
        *(name for name in FIELDS if name not in {"name", "currency", "time_zone", "daily_reset_hour"}),
        "id",
        "tenant_id",
    ],
)
def test_what_the_platform_keeps_is_refused_as_read_only(alice: Integration, name: str) -> None:
    answer = alice.patch(address(alice.tenant), {name: "x"})
    assert answer.status_code == 400
    assert answer.json["errors"][name].endswith("is read-only")


@pytest.mark.parametrize(
    ("role", "reads", "writes"),
    [
        ("administrator", 200, 200),
        ("manager", 200, 403),
        ("accountant", 403, 403),
        ("sales", 403, 403),
        ("support", 403, 403),
        ("viewer", 403, 403),
    ],
)
def test_only_administration_reads_and_writes(
    alices_sandbox: NewSandbox, as_role: Callable[[NewSandbox, str], Integration], role: str, reads: int, writes: int
) -> None:
    caller = as_role(alices_sandbox, role)
    assert caller.get(address(caller.tenant)).status_code == reads
    assert caller.get(address(caller.tenant) + "/subscription").status_code == reads
    assert caller.patch(address(caller.tenant), {"name": "Ours"}).status_code == writes
    assert caller.put(address(caller.tenant) + "/subscription", {"plan": "growth"}).status_code == writes


def test_the_hour_that_was_set_is_the_hour_of_the_daily_reset(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    alice.patch(address(alice.tenant), {"daily_reset_hour": 7, "time_zone": "Asia/Kolkata"})
    with database.transaction(write=False) as session:
        tenant = session.get_one(Tenant, alices_sandbox.tenant.id)
    assert (tenant.daily_reset_hour, tenant.time_zone) == (7, "Asia/Kolkata")


def test_a_tenant_changed_meanwhile_is_not_overwritten(alice: Integration, acts: Acts) -> None:
    tag = alice.get(address(alice.tenant)).headers["ETag"]
    assert alice.patch(address(alice.tenant), {"name": "First"}, headers={"If-Match": tag}).status_code == 200
    late = alice.patch(address(alice.tenant), {"name": "Second"}, headers={"If-Match": tag})
    assert (late.status_code, late.json["code"]) == (412, "precondition_failed")
    assert alice.get(address(alice.tenant)).json["data"]["name"] == "First"
    assert len(acts(alice.tenant)) == 1
