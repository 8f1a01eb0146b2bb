"""Plans: what a tenant may use, up and down, from the next request on (contract sections 2 and 6)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import select

from portal.core.database import Database
from portal.core.events import Event
from portal.docs.service import current_docs
from sandbox.tenants import NewSandbox
from tests.conftest import Integration, SandboxMaker
from tests.portal.tenancy.conftest import Acts

STARTER = ["administration", "crm", "catalog", "support"]
GROWTH = [*STARTER, "accounting", "pos", "inventory", "reports"]
ENTERPRISE = [*GROWTH, "procurement", "hr", "fleet", "integration"]


def address(caller: Integration) -> str:
    return f"/api/tenants/{caller.tenant}/subscription"


def change(caller: Integration, plan: str) -> None:
    answer = caller.put(address(caller), {"plan": plan})
    assert answer.status_code == 200, answer.text


def events(database: Database, new: NewSandbox) -> list[Event]:
    with database.transaction(write=False) as session:
        session.bind_tenant(new.tenant.id)
        return list(session.scalars(select(Event).where(Event.type == "subscription.changed").order_by(Event.id)))


@pytest.mark.parametrize(("plan", "modules"), [("starter", STARTER), ("growth", GROWTH), ("enterprise", ENTERPRISE)])
def test_it_tells_plan_modules_and_limits(new_sandbox: SandboxMaker, app: Flask, plan: str, modules: list[str]) -> None:
    new = new_sandbox(plan=plan)
    caller = Integration(app.test_client(), new.keys["administrator"], new.tenant.public_id)
    assert caller.get(address(caller)).json["data"] == {
        "tenant": caller.tenant,
        "plan": plan,
        "modules": modules,
        "limits": {"requests_per_hour": 1000, "batch_rows": 500, "page_records": 100, "body_bytes": 1048576},
    }


def test_the_limits_are_those_that_hold(alice: Integration) -> None:
    answer = alice.get(address(alice))
    limits = answer.json["data"]["limits"]
    assert answer.headers["X-RateLimit-Limit"] == str(limits["requests_per_hour"])
    assert alice.get(f"/api/v2/customers?limit={limits['page_records']}").status_code == 200
    assert alice.get(f"/api/v2/customers?limit={limits['page_records'] + 1}").status_code == 400


def test_up_and_down_hold_from_the_next_request_on_for_keys_and_tokens(alice: Integration) -> None:
    credentials = {"grant_type": "client_credentials", "client_id": alice.key.split("_")[2]}
    form = credentials | {"client_secret": alice.key.split("_")[3]}
    token = alice.client.post("/oauth/token", data=form).json["access_token"]
    bearer = Integration(alice.client, token, alice.tenant)
    for plan, invoices, employees in (
        ("starter", 403, 403),
        ("growth", 200, 403),
        ("enterprise", 200, 200),
        ("growth", 200, 403),
        ("starter", 403, 403),
        ("enterprise", 200, 200),
    ):
        change(alice, plan)
        for caller in (alice, bearer):
            assert caller.get("/api/v2/invoices").status_code == invoices, plan
            assert caller.get("/api/v2/events").status_code == employees, plan
            assert caller.get("/api/v2/customers").status_code == 200, plan


def test_a_developer_on_starter_upgrades_back_alone(new_sandbox: SandboxMaker, app: Flask) -> None:
    new = new_sandbox(plan="starter")
    caller = Integration(app.test_client(), new.keys["administrator"], new.tenant.public_id)
    refused = caller.get("/api/v2/invoices").json
    assert refused["remedy"] == {"change": "plan", "from": "starter", "to": "growth"}
    change(caller, refused["remedy"]["to"])
    assert caller.get("/api/v2/invoices").json["meta"]["total_records"] > 0


def test_a_downgrade_keeps_the_records_it_hides(alice: Integration) -> None:
    before = alice.get("/api/v2/invoices").json["meta"]["total_records"]
    change(alice, "starter")
    change(alice, "growth")
    assert alice.get("/api/v2/invoices").json["meta"]["total_records"] == before


def test_a_change_is_announced_and_written_down_once(
    alice: Integration, alices_sandbox: NewSandbox, database: Database, acts: Acts
) -> None:
    change(alice, "growth")
    change(alice, "growth")
    (event,) = events(database, alices_sandbox)
    assert event.subject == alice.tenant
    assert event.payload == {"tenant": alice.tenant, "plan": "growth", "previous_plan": "enterprise", "modules": GROWTH}
    (first,) = acts(alice.tenant)
    assert (first.action, first.subject) == ("subscription.replace", alice.tenant)
    assert first.changes[0]["fields"] == {"plan": ["enterprise", "growth"]}


def test_the_event_is_of_the_catalogue(app: Flask) -> None:
    with app.app_context():
        webhooks = current_docs().document["webhooks"]
    assert {"subscription.changed", "sandbox.reset"} <= set(webhooks)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "plan"),
        ({"plan": "gold"}, "plan"),
        ({"plan": None}, "plan"),
        ({"plan": ["growth"]}, "plan"),
        ({"plan": "growth", "modules": ["hr"]}, "modules"),
        ({"plan": "growth", "limits": {"requests_per_hour": 10**9}}, "limits"),
        ({"plan": "growth", "tenant": "ten_000000000000000000000000"}, "tenant"),
    ],
)
def test_a_bad_subscription_is_refused_and_nothing_changes(
    alice: Integration, alices_sandbox: NewSandbox, database: Database, acts: Acts, body: dict[str, object], field: str
) -> None:
    answer = alice.put(address(alice), body)
    assert (answer.status_code, list(answer.json["errors"])) == (400, [field])
    assert alice.get(address(alice)).json["data"]["plan"] == "enterprise"
    assert acts(alice.tenant) == events(database, alices_sandbox) == []


def test_plans_changed_at_once_end_with_one_of_them(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    plans = ["starter", "growth", "enterprise"] * 4
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda plan: change(alice, plan), plans))
    told = [event.payload for event in events(database, alices_sandbox)]
    assert {payload["plan"] for payload in told} <= set(plans)
    assert all(payload["plan"] != payload["previous_plan"] for payload in told)
    chain = sorted(payload["previous_plan"] for payload in told)
    last = alice.get(address(alice)).json["data"]["plan"]
    assert sorted([*(payload["plan"] for payload in told), "enterprise"]) == sorted([*chain, last])
