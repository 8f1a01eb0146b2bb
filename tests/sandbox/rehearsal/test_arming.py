"""Scenarios armed for calls to come: which calls they meet, how many, and what ends them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import update

from portal.core.clock import system_now
from portal.core.config import Settings
from portal.core.database import Database
from portal.tenancy.models import Tenant
from sandbox.rehearsal.arming import REMEMBERED, forget_counts
from sandbox.rehearsal.models import ScenarioCount
from tests.conftest import Integration, NewSandbox

SCENARIOS = "/api/v2/sandbox/scenarios"
CUSTOMERS = "/api/v2/customers"
HEADER = "X-Sandbox-Scenario"
NEW = {"account": "New"}


def arm(caller: Integration, scenario: str, **details: Any) -> Any:
    answer = caller.post(SCENARIOS, {"scenario": scenario, **details})
    assert answer.status_code == 201, answer.text
    return answer.json["data"]


def waiting(caller: Integration) -> list[tuple[str, int]]:
    return [(row["scenario"], row["times"] - row["used"]) for row in caller.get(SCENARIOS).json["data"]]


def is_armed(database: Database, new: NewSandbox) -> bool:
    with database.transaction(write=False) as session:
        tenant = session.get(Tenant, new.tenant.id)
        assert tenant is not None
        return tenant.is_armed


def test_an_armed_scenario_meets_the_next_calls_and_is_gone(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    armed = arm(alice, "rate_limited", retry_after=3, times=2)
    assert armed["public_id"].startswith("scn_")
    assert waiting(alice) == [("rate_limited", 2)]
    first = alice.get(CUSTOMERS)
    assert (first.status_code, first.headers["Retry-After"], first.headers[HEADER]) == (429, "3", "rate_limited")
    assert waiting(alice) == [("rate_limited", 1)]
    assert alice.get(f"{CUSTOMERS}/1").status_code == 429
    assert waiting(alice) == []
    assert not is_armed(database, alices_sandbox)
    assert alice.get(CUSTOMERS).status_code == 200


def test_the_one_armed_first_is_used_first(alice: Integration) -> None:
    for scenario in ("server_error", "not_found", "unavailable"):
        arm(alice, scenario)
    assert [alice.get(CUSTOMERS).status_code for _ in range(4)] == [500, 404, 503, 200]


def test_it_may_be_for_one_operation_and_one_key(alice: Integration, bob: Integration) -> None:
    arm(alice, "not_found", operation="customers.read")
    arm(alice, "server_error", key_id=bob.key.split("_")[2])
    assert alice.get(CUSTOMERS).status_code == 200
    assert bob.get(CUSTOMERS).status_code == 500
    assert alice.get(f"{CUSTOMERS}/1").status_code == 404
    assert waiting(alice) == []


def test_the_operations_of_the_sandbox_itself_are_never_met(alice: Integration) -> None:
    arm(alice, "server_error")
    assert alice.get("/api/v2/sandbox/clock").status_code == 200
    assert waiting(alice) == [("server_error", 1)]


def test_a_call_with_a_header_of_its_own_leaves_it_waiting(alice: Integration) -> None:
    arm(alice, "server_error")
    assert alice.get(CUSTOMERS, headers={HEADER: "not_found; times=1"}).status_code == 404
    assert alice.get(CUSTOMERS, headers={HEADER: "not_found; times=1"}).status_code == 200
    assert waiting(alice) == [("server_error", 1)]


def test_public_calls_are_met_too(alice: Integration, alices_sandbox: NewSandbox) -> None:
    arm(alice, "unavailable", operation="public-leads.submit")
    inquiry = {"source": "Website", "name": "Jane Roe", "email": "jane@example.com"}
    own = {"X-Publishable-Key": alices_sandbox.tenant.publishable_id}
    statuses = [
        alice.client.post("/api/public/leads", json=inquiry, headers=own).status_code,
        alice.client.post("/api/public/leads", json=inquiry, headers=own).status_code,
    ]
    assert statuses == [503, 201]


def test_another_tenants_calls_are_not_met(alice: Integration, mallory: Integration) -> None:
    armed = arm(alice, "server_error")
    assert mallory.get(CUSTOMERS).status_code == 200
    for reference in (armed["id"], armed["public_id"]):
        assert mallory.delete(f"{SCENARIOS}/{reference}").json["code"] == "not_found"
    assert waiting(mallory) == []
    assert waiting(alice) == [("server_error", 1)]


def test_it_can_be_disarmed(alice: Integration) -> None:
    armed = arm(alice, "server_error", times=5)
    answer = alice.delete(f"{SCENARIOS}/{armed['public_id']}")
    assert (answer.status_code, answer.json["data"]["id"]) == (200, armed["id"])
    assert alice.get(CUSTOMERS).status_code == 200
    assert alice.delete(f"{SCENARIOS}/{armed['id']}").status_code == 404


def test_a_reset_disarms_everything(alice: Integration, alices_sandbox: NewSandbox, database: Database) -> None:
    arm(alice, "server_error", times=5)
    alice.post("/api/v2/sandbox/reset")
    assert waiting(alice) == []
    assert alice.get(CUSTOMERS).status_code == 200
    assert not is_armed(database, alices_sandbox)
    assert arm(alice, "server_error")["id"] == 1


def test_calls_at_once_use_it_exactly(
    alice: Integration, alices_sandbox: NewSandbox, new_caller: Callable[[NewSandbox], Integration]
) -> None:
    arm(alice, "server_error", times=3, operation="customers.create")
    arm(alice, "unavailable", times=4)
    callers = [new_caller(alices_sandbox) for _ in range(5)]
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda n: callers[n % 5].post(CUSTOMERS, NEW), range(15)))
    assert sorted(answer.status_code for answer in answers) == [201] * 8 + [500] * 3 + [503] * 4
    assert waiting(alice) == []


def test_arming_while_calls_use_it_up_loses_none(
    alice: Integration,
    alices_sandbox: NewSandbox,
    new_caller: Callable[[NewSandbox], Integration],
) -> None:
    """Each of twenty is armed while others end the last one that waits: none is overlooked."""
    callers = [new_caller(alices_sandbox) for _ in range(3)]

    def work(number: int) -> int:
        if number == 0:
            return sum(arm(alice, "server_error")["used"] for _ in range(20))
        return sum(callers[number - 1].get(CUSTOMERS).status_code == 500 for _ in range(15))

    with ThreadPoolExecutor(4) as pool:
        met = sum(pool.map(work, range(4)))
    while waiting(alice):
        met += alice.get(CUSTOMERS).status_code == 500
    assert met == 20


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"scenario"}),
        ({"scenario": "nonsense"}, {"scenario"}),
        ({"scenario": "slow", "ms": 10_001}, {"ms"}),
        ({"scenario": "timeout", "ms": 30_001}, {"ms"}),
        ({"scenario": "slow", "retry_after": 2, "ms": 0}, {"ms"}),
        ({"scenario": "slow", "retry_after": 2}, {"retry_after"}),
        ({"scenario": "not_found", "ms": 5}, {"ms"}),
        ({"scenario": "not_found", "times": 0}, {"times"}),
        ({"scenario": "not_found", "times": 1001}, {"times"}),
        ({"scenario": "not_found", "times": True}, {"times"}),
        ({"scenario": "not_found", "operation": "sandbox.reset"}, {"operation"}),
        ({"scenario": "not_found", "operation": "tokens.issue"}, {"operation"}),
        ({"scenario": "not_found", "operation": "nothing.list", "key_id": "0" * 12}, {"operation", "key_id"}),
        ({"scenario": "not_found", "key_id": "nul\x00"}, {"key_id"}),
        ({"scenario": "not_found", "used": 1}, {"used"}),
        ({"scenario": "not_found", "run": "x"}, {"run"}),
    ],
)
def test_what_cannot_be_armed_is_refused_by_name(alice: Integration, body: dict[str, Any], fields: set[str]) -> None:
    answer = alice.post(SCENARIOS, body)
    assert (answer.status_code, set(answer.json["errors"])) == (400, fields)
    assert waiting(alice) == []


def test_another_tenants_key_cannot_be_named(alice: Integration, mallory: Integration) -> None:
    answer = alice.post(SCENARIOS, {"scenario": "not_found", "key_id": mallory.key.split("_")[2]})
    assert answer.json["errors"] == {"key_id": "No such key"}


def test_a_hundred_may_wait(alice: Integration) -> None:
    for _ in range(100):
        arm(alice, "not_found", operation="customers.delete")
    answer = alice.post(SCENARIOS, {"scenario": "not_found"})
    assert (answer.status_code, answer.json["code"]) == (409, "conflict")
    assert "Disarm one" in answer.json["message"]


def test_only_an_administrator_arms_and_only_in_a_sandbox(
    alice: Integration, bob: Integration, house: Integration
) -> None:
    assert bob.post(SCENARIOS, {"scenario": "not_found"}).json["code"] == "forbidden"
    for answer in (house.post(SCENARIOS, {"scenario": "not_found"}), house.get(SCENARIOS)):
        assert (answer.status_code, answer.json["code"]) == (409, "conflict")
        assert "no sandbox" in answer.json["message"]
    assert house.get(CUSTOMERS).status_code == 200
    assert waiting(alice) == []


def test_what_was_counted_is_forgotten_after_a_day(
    alice: Integration, alices_sandbox: NewSandbox, database: Database, settings: Settings
) -> None:
    once = {"headers": {HEADER: "unavailable; times=1"}}
    assert [alice.get(CUSTOMERS, **once).status_code for _ in range(2)] == [503, 200]

    def age() -> None:
        with database.transaction() as session:
            session.bind_tenant(alices_sandbox.tenant.id)
            session.execute(update(ScenarioCount).values(counted_at=system_now() - 2 * REMEMBERED))

    age()
    assert [alice.get(CUSTOMERS, **once).status_code for _ in range(2)] == [503, 200]
    age()
    forget_counts(database, settings)
    assert [alice.get(CUSTOMERS, **once).status_code for _ in range(2)] == [503, 200]
