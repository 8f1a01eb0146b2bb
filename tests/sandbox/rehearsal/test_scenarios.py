"""Outcomes asked for by a header: the real refusals, before anything is written."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

import pytest
from sqlalchemy import select

from portal.core.database import Database
from portal.tenancy.audit import AuditRow
from tests.conftest import Integration, NewSandbox, SandboxMaker
from tests.sandbox.gate import Gate

CUSTOMERS = "/api/v2/customers"
HEADER = "X-Sandbox-Scenario"
NEW = {"account": "New"}

REFUSALS = [
    ("validation_failed", 400, "validation_failed"),
    ("unauthorized", 401, "unauthorized"),
    ("forbidden", 403, "forbidden"),
    ("upgrade_required", 403, "upgrade_required"),
    ("not_found", 404, "not_found"),
    ("duplicate", 409, "duplicate"),
    ("rate_limited", 429, "rate_limited"),
    ("server_error", 500, "internal_error"),
    ("unavailable", 503, "service_unavailable"),
]


def asking(scenario: str, **headers: str) -> dict[str, Any]:
    return {"headers": {HEADER: scenario, **headers}}


def count(caller: Integration) -> int:
    total: int = caller.get(CUSTOMERS).json["meta"]["total_records"]
    return total


@pytest.mark.parametrize(("name", "status", "code"), REFUSALS)
def test_a_refusal_asked_for_comes_in_the_real_envelope_and_nothing_is_written(
    alice: Integration, name: str, status: int, code: str
) -> None:
    answer = alice.post(CUSTOMERS, NEW, **asking(name))
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert answer.headers[HEADER] == name
    assert answer.json["success"] is False
    assert set(answer.json["notice"]) == {"type", "title", "text", "display"}
    assert answer.json["docs_url"].endswith(f"/errors/{code}")
    assert answer.json["request_id"] == answer.headers["X-Request-Id"]
    assert {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"} <= set(answer.headers.keys())
    assert count(alice) == 100
    assert alice.post(CUSTOMERS, NEW).json["data"]["id"] == 101


@pytest.mark.parametrize(("name", "status", "code"), REFUSALS)
def test_reading_can_be_refused_too(alice: Integration, name: str, status: int, code: str) -> None:
    answer = alice.get(f"{CUSTOMERS}/1", **asking(name))
    assert (answer.status_code, answer.json["code"], answer.headers[HEADER]) == (status, code, name)


def test_the_refusals_say_what_the_real_ones_say(alice: Integration, bob: Integration) -> None:
    unauthorized = alice.get(CUSTOMERS, **asking("unauthorized"))
    real = alice.client.get(CUSTOMERS)
    assert unauthorized.headers["WWW-Authenticate"] == real.headers["WWW-Authenticate"]
    assert unauthorized.json | {"request_id": ""} == real.json | {"request_id": ""}
    missing = alice.get(f"{CUSTOMERS}/1", **asking("not_found"))
    assert missing.json | {"request_id": ""} == alice.get(f"{CUSTOMERS}/999999").json | {"request_id": ""}
    bad = alice.post(CUSTOMERS, NEW, **asking("validation_failed"))
    assert bad.json["errors"] == alice.post(CUSTOMERS, {}).json["errors"]
    taken = alice.post(CUSTOMERS, NEW, **asking("duplicate")).json
    assert taken.keys() == alice.post(CUSTOMERS, {"account": "x", "email": "john@example.com"}).json.keys()
    assert set(taken["errors"]) == {"email"}
    forbidden = alice.post(CUSTOMERS, NEW, **asking("forbidden")).json
    assert forbidden.keys() == bob.post(CUSTOMERS, NEW).json.keys()
    assert forbidden["required"] == "crm:write"


@pytest.mark.parametrize(
    ("path", "module", "current", "required"),
    [
        ("/api/v2/procurement/vendors", "procurement", "growth", "enterprise"),
        ("/api/v2/invoices", "accounting", "starter", "growth"),
        (CUSTOMERS, "crm", "starter", "growth"),
    ],
)
def test_an_upgrade_names_the_module_and_the_plan_above(
    alice: Integration, path: str, module: str, current: str, required: str
) -> None:
    upgrade = alice.get(path, **asking("upgrade_required")).json["upgrade"]
    assert (upgrade["module"], upgrade["current_plan"], upgrade["required_plan"]) == (module, current, required)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_limit_says_when_to_come_back(alice: Integration, method: str) -> None:
    before = int(alice.get(CUSTOMERS).headers["X-RateLimit-Remaining"])
    started = int(time.time())
    answer = alice.call(method, CUSTOMERS, NEW if method == "POST" else None, **asking("rate_limited; retry_after=7"))
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "7"
    assert answer.json["retry_after"] == 7
    assert answer.json["limit"] == "requests per API key and hour"
    assert answer.headers["X-RateLimit-Limit"] == "1000"
    assert answer.headers["X-RateLimit-Remaining"] == "0"
    assert 7 <= int(answer.headers["X-RateLimit-Reset"]) - started <= 8
    assert int(alice.get(CUSTOMERS).headers["X-RateLimit-Remaining"]) == before - 2


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_only_a_refused_credential_leaves_the_keys_limit_alone(alice: Integration, method: str) -> None:
    body = NEW if method == "POST" else None
    before = int(alice.get(CUSTOMERS).headers["X-RateLimit-Remaining"])
    alice.call(method, CUSTOMERS, body, **asking("unauthorized"))
    assert int(alice.get(CUSTOMERS).headers["X-RateLimit-Remaining"]) == before - 1
    alice.call(method, CUSTOMERS, body, **asking("forbidden"))
    assert int(alice.get(CUSTOMERS).headers["X-RateLimit-Remaining"]) == before - 3


def test_the_first_n_calls_are_refused_and_then_the_real_thing_happens(alice: Integration) -> None:
    statuses = [alice.post(CUSTOMERS, NEW, **asking("rate_limited; times=2")).status_code for _ in range(4)]
    assert statuses == [429, 429, 201, 201]
    assert count(alice) == 102


def test_what_is_counted_is_a_key_an_operation_and_a_header(alice: Integration, bob: Integration) -> None:
    once = asking("unavailable; times=1")
    assert [alice.get(CUSTOMERS, **once).status_code for _ in range(2)] == [503, 200]
    assert alice.get(f"{CUSTOMERS}/1", **once).status_code == 503
    assert bob.get(CUSTOMERS, **once).status_code == 503
    assert alice.get(CUSTOMERS, **asking(" unavailable ;times=1 ")).status_code == 200
    assert alice.get(CUSTOMERS, **asking("unavailable; times=1; run=second")).status_code == 503


def test_a_header_counts_from_the_start_after_a_reset(alice: Integration) -> None:
    once = asking("unavailable; times=1")
    assert [alice.get(CUSTOMERS, **once).status_code for _ in range(2)] == [503, 200]
    alice.post("/api/v2/sandbox/reset")
    assert [alice.get(CUSTOMERS, **once).status_code for _ in range(2)] == [503, 200]


def test_calls_at_once_share_the_count_exactly(
    alices_sandbox: NewSandbox, new_caller: Callable[[NewSandbox], Integration]
) -> None:
    callers = [new_caller(alices_sandbox) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(lambda n: callers[n % 4].post(CUSTOMERS, NEW, **asking("server_error; times=5")), range(12))
        )
    assert sorted(answer.status_code for answer in answers) == [201] * 7 + [500] * 5
    assert count(callers[0]) == 107


@pytest.mark.parametrize(
    "header",
    [
        "",
        "nonsense",
        "RATE_LIMITED",
        "rate_limited; times=0",
        "rate_limited; times=1001",
        "rate_limited; times=two",
        "rate_limited; times",
        "rate_limited; times=1; times=2",
        "rate_limited; ms=5",
        "rate_limited; retry_after=0",
        "rate_limited;",
        "slow; ms=10001",
        "slow; retry_after=2",
        "timeout; ms=30001",
        "not_found; colour=red",
        "not_found; run=a b",
        "not_found, duplicate",
        "slow; ms=²",
    ],
)
def test_a_header_that_asks_for_nothing_known_is_refused_by_name(alice: Integration, header: str) -> None:
    answer = alice.post(CUSTOMERS, NEW, **asking(header.encode().decode("latin-1")))
    assert (answer.status_code, answer.json["code"]) == (400, "validation_failed")
    assert set(answer.json["errors"]) == {HEADER}
    assert HEADER not in answer.headers
    assert count(alice) == 100


def test_a_tenant_that_is_no_sandbox_ignores_the_header(house: Integration) -> None:
    for header in ("server_error", "nonsense"):
        answer = house.get(CUSTOMERS, **asking(header))
        assert answer.status_code == 200
        assert HEADER not in answer.headers


def test_a_slow_answer_is_the_real_one(alice: Integration) -> None:
    started = time.monotonic()
    answer = alice.post(CUSTOMERS, NEW, **asking("slow; ms=300"))
    assert time.monotonic() - started >= 0.3
    assert (answer.status_code, answer.headers[HEADER]) == (201, "slow")
    assert count(alice) == 101


def test_a_slow_call_holds_up_nobody(
    alices_sandbox: NewSandbox, new_caller: Callable[[NewSandbox], Integration], gate: Gate
) -> None:
    """It waits without a transaction: others write meanwhile, a reset included."""
    slow, other = new_caller(alices_sandbox), new_caller(alices_sandbox)
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(slow.post, CUSTOMERS, NEW, **asking("slow; ms=1500; times=1"))
        gate.wait_for(1)
        assert other.post(CUSTOMERS, NEW).status_code == 201
        assert other.post("/api/v2/sandbox/reset").status_code == 200
        assert not held.done()
        gate.open()
        assert held.result().status_code == 201


def test_half_of_the_threads_may_wait_and_the_others_go_on(
    alices_sandbox: NewSandbox, new_caller: Callable[[NewSandbox], Integration], gate: Gate
) -> None:
    callers = [new_caller(alices_sandbox) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        calls = [pool.submit(caller.get, CUSTOMERS, **asking("slow; ms=800")) for caller in callers]
        finished = as_completed(calls, timeout=60)
        assert {next(finished).result().status_code for _ in range(2)} == {429}
        gate.open()
    answers = [call.result() for call in calls]
    assert sorted(answer.status_code for answer in answers) == [200] * 4 + [429] * 2
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.headers["Retry-After"] == "1"
    assert HEADER not in refused.headers


def test_a_real_refusal_comes_before_the_one_asked_for(alice: Integration, bob: Integration) -> None:
    assert bob.post(CUSTOMERS, NEW, **asking("server_error")).json["code"] == "forbidden"
    stranger = alice.client.get(CUSTOMERS, headers={HEADER: "server_error", "Authorization": "Bearer sk_test_no"})
    assert stranger.status_code == 401
    assert HEADER not in stranger.headers


def test_a_smaller_plan_refuses_for_real_first(
    new_sandbox: SandboxMaker, as_role: Callable[[NewSandbox, str], Integration]
) -> None:
    starter = as_role(new_sandbox("Small", plan="starter"), "administrator")
    answer = starter.get("/api/v2/invoices", **asking("server_error"))
    assert (answer.status_code, answer.json["code"]) == (403, "upgrade_required")


def test_public_calls_of_a_sandbox_are_rehearsed_too(alices_sandbox: NewSandbox, alice: Integration) -> None:
    inquiry = {"source": "Website", "name": "Jane Roe", "email": "jane@example.com", "message": "Hello"}
    own = {"X-Publishable-Key": alices_sandbox.tenant.publishable_id}
    answer = alice.client.post("/api/public/leads", json=inquiry, headers={HEADER: "unavailable; times=1", **own})
    assert (answer.status_code, answer.headers[HEADER]) == (503, "unavailable")
    limited = alice.client.post("/api/public/leads", json=inquiry, headers={HEADER: "rate_limited", **own})
    assert limited.json["limit"] == "leads per address and hour"
    assert limited.headers["X-RateLimit-Remaining"] == "0"
    again = alice.client.post("/api/public/leads", json=inquiry, headers={HEADER: "unavailable; times=1", **own})
    assert again.status_code == 201
    real = alice.client.post("/api/public/leads", json=inquiry, headers={HEADER: "nonsense"})
    assert real.status_code == 201, "the house ignores the header"


def test_the_log_shows_what_was_asked_for_and_the_trail_nothing(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    alice.post(CUSTOMERS, NEW, **asking("duplicate"))
    logged = alice.get("/api/v2/sandbox/requests?limit=1").json["data"][0]
    assert (logged["operation"], logged["status"], logged["code"]) == ("customers.create", 409, "duplicate")
    assert logged["scenario"] == "duplicate"
    with database.transaction(write=False) as session:
        session.bind_tenant(alices_sandbox.tenant.id)
        assert not session.scalars(select(AuditRow)).all()


def test_a_refused_request_may_be_sent_again_with_its_idempotency_key(alice: Integration) -> None:
    headers = asking("unavailable; times=1", **{"Idempotency-Key": "once"})
    assert alice.post(CUSTOMERS, NEW, **headers).status_code == 503
    first = alice.post(CUSTOMERS, NEW, **headers)
    again = alice.post(CUSTOMERS, NEW, **headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert count(alice) == 101
