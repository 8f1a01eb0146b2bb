"""Who may do what on which plan: every role, plan and operation of the running document, each call made for real.

The expectation comes from the tables below alone; they restate sections 2 and 5 of the contract by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete
from werkzeug.test import TestResponse

from portal.core.config import Settings
from portal.core.database import Database
from portal.docs.service import current_docs
from portal.tenancy.models import Tenant
from sandbox.tenants import NewSandbox, create_sandbox
from tests.conftest import Integration, runtime_of

PLANS = ("starter", "growth", "enterprise")
STARTER = {"administration", "crm", "catalog", "support"}
GROWTH = {"accounting", "pos", "inventory", "reports"}
ENTERPRISE = {"procurement", "hr", "fleet", "integration"}
INCLUDED = {"starter": STARTER, "growth": STARTER | GROWTH, "enterprise": STARTER | GROWTH | ENTERPRISE}
EVERYTHING = INCLUDED["enterprise"]

# Role: what it may read and write, and what it may read besides.
ROLES: dict[str, tuple[set[str], set[str]]] = {
    "administrator": (EVERYTHING, set()),
    "manager": (EVERYTHING - {"administration"}, {"administration"}),
    "accountant": ({"accounting", "procurement"}, {"crm", "catalog", "reports"}),
    "sales": ({"crm", "pos"}, {"catalog", "inventory"}),
    "support": ({"support"}, {"crm"}),
    "viewer": (set(), EVERYTHING - {"administration", "integration"}),
}

# The part of the address behind /api/v2 and its module. What is not here takes the module that the document states.
MODULES = {
    "customers": "crm",
    "quotes": "crm",
    "leads": "crm",
    "invoices": "accounting",
    "transactions": "accounting",
    "products": "catalog",
    "tickets": "support",
    "users": "administration",
    "audit": "administration",
    "sandbox": "administration",
    "pos": "pos",
    "inventory": "inventory",
    "procurement": "procurement",
    "hr": "hr",
    "fleet": "fleet",
    "reports": "reports",
    "webhooks": "integration",
    "integration": "integration",
    "deliveries": "integration",
    "events": "integration",
    "batch/customers": "crm",
    "batch/leads": "crm",
    "batch/invoices": "accounting",
    "batch/transactions": "accounting",
    "batch/products": "catalog",
}
# Operations that make a record of a further module, which the plan must include too.
FURTHER = {
    "quotes.convert": "accounting",
    **dict.fromkeys(("invoices.send", "vendors.send", "receipts.send"), "integration"),
}


@dataclass(frozen=True)
class Declared:
    """An operation of the running document."""

    id: str
    method: str
    path: str
    permission: str | None
    module: str | None
    plan: str | None

    @property
    def right(self) -> str:
        return "read" if self.method == "GET" else "write"

    def filled(self, tenant: str) -> str:
        """The address: the caller's own tenant, and records that there are none of."""
        path = self.path.replace("/api/tenants/{id}", f"/api/tenants/{tenant}")
        return re.sub(r"\{\w+\}", "999999999", path)


def declared_operations(app: Flask) -> list[Declared]:
    with app.app_context():
        paths: dict[str, dict[str, Any]] = current_docs().document["paths"]
    return [
        Declared(
            node["operationId"],
            method.upper(),
            path,
            node.get("x-permission"),
            node.get("x-module"),
            node.get("x-plan"),
        )
        for path, methods in paths.items()
        for method, node in methods.items()
    ]


def is_held(role: str, module: str, right: str) -> bool:
    writes, reads = ROLES[role]
    return module in writes or (right == "read" and module in reads)


def smallest_plan(module: str) -> str:
    return next(plan for plan in PLANS if module in INCLUDED[plan])


def fault(operation: Declared, role: str, plan: str, answer: TestResponse) -> str:
    """What is wrong with an answer, by the tables; empty if nothing."""
    body = answer.json if answer.is_json else {}
    given = (answer.status_code, body.get("code"))
    if operation.permission is None:
        return "" if answer.status_code not in {403} and answer.status_code < 500 else f"public, but {given}"
    if operation.module is None:
        wanted = body.get("required") == operation.permission and operation.permission.startswith("platform:")
        return "" if given == (403, "forbidden") and wanted else f"the platform owner's alone, but {given}"
    if not is_held(role, operation.module, operation.right):
        is_named = body.get("required") == f"{operation.module}:{operation.right}"
        return "" if given == (403, "forbidden") and is_named else f"not the role's, but {given}"
    needed = (operation.module, FURTHER.get(operation.id, operation.module))
    required = max((smallest_plan(module) for module in needed), key=PLANS.index)
    for module in needed:
        if module not in INCLUDED[plan]:
            upgrade = {"module": module, "current_plan": plan, "required_plan": required}
            is_named = upgrade.items() <= body.get("upgrade", {}).items()
            return "" if given == (403, "upgrade_required") and is_named else f"not in the plan, but {given}"
    is_taken = answer.status_code < 500 and answer.status_code not in {401, 403, 405, 429}
    return "" if is_taken else f"allowed, but {given}"


@pytest.fixture(scope="module")
def tenants(app: Flask, settings: Settings) -> Iterator[dict[str, NewSandbox]]:
    """A sandbox on each plan."""
    database: Database = runtime_of(app).database
    made = {}
    for plan in PLANS:
        with database.transaction() as session:
            made[plan] = create_sandbox(session, settings, name=plan, plan=plan)
    yield made
    with database.transaction() as session:
        session.execute(delete(Tenant).where(Tenant.id.in_([new.tenant.id for new in made.values()])))


@pytest.mark.one_store
@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("role", ROLES)
def test_every_operation_is_open_to_those_the_table_names(
    app: Flask, tenants: dict[str, NewSandbox], address: str, role: str, plan: str
) -> None:
    new = tenants[plan]
    client = app.test_client()
    client.environ_base["REMOTE_ADDR"] = address
    caller = Integration(client, new.keys[role], new.tenant.public_id)
    faults = {}
    for operation in declared_operations(app):
        answer = caller.call(operation.method, operation.filled(caller.tenant))
        if found := fault(operation, role, plan, answer):
            faults[operation.id] = found
    assert faults == {}


@pytest.mark.one_store
def test_every_operation_states_the_module_plan_and_right_of_the_table(app: Flask) -> None:
    operations = declared_operations(app)
    assert len(operations) > 100
    for operation in operations:
        if operation.permission is None or operation.permission.startswith("platform:"):
            assert operation.module is operation.plan is None, operation.id
            continue
        assert operation.module in EVERYTHING, operation.id
        assert operation.permission == f"{operation.module}:{operation.right}", operation.id
        needed = [operation.module, FURTHER.get(operation.id, operation.module)]
        assert operation.plan == max((smallest_plan(module) for module in needed), key=PLANS.index), operation.id
        known = [module for start, module in MODULES.items() if f"{operation.path}/".startswith(f"/api/v2/{start}/")]
        assert known in ([], [operation.module]), operation.id
