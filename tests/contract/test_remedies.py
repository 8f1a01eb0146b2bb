"""Refusals that explain themselves: what would change the answer, for the caller's own credential."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from portal.core.config import Settings
from portal.core.database import Database
from portal.core.errors import CODES
from portal.core.meter import charge
from portal.limits import API_KEY, CHATS_BY_EMAIL
from portal.tenancy.keys import issue_key
from sandbox.tenants import NewSandbox
from tests.conftest import Integration, SandboxMaker, runtime_of
from tests.portal.limiting import email_key, use_up

LIST = "/api/v2/customers"


def remedy(answer: TestResponse) -> Any:
    assert answer.json["docs_url"].endswith(f"/errors/{answer.json['code']}")
    assert list(answer.json["remedy"]) == ["change", "from", "to"]
    return answer.json["remedy"]


@pytest.fixture
def narrowed(
    alices_sandbox: NewSandbox, alice: Integration, database: Database, settings: Settings
) -> Callable[..., Integration]:
    """Alice's program with a key of fewer permissions."""

    def make(role: str, scopes: list[str]) -> Integration:
        with database.transaction() as session:
            session.bind_tenant(alices_sandbox.tenant.id)
            issued = issue_key(session, settings.secret_key, alices_sandbox.tenant, name="x", role=role, scopes=scopes)
        return Integration(alice.client, issued.secret, alice.tenant)

    return make


def test_a_role_names_the_roles_that_may(bob: Integration) -> None:
    answer = bob.post(LIST, {"account": "Jane"})
    assert (answer.json["code"], answer.json["required"]) == ("forbidden", "crm:write")
    assert remedy(answer) == {"change": "role", "from": "viewer", "to": ["administrator", "manager", "sales"]}
    assert "viewer" in answer.json["message"]


def test_a_scope_is_blamed_and_not_the_role_that_holds_the_permission(narrowed: Callable[..., Integration]) -> None:
    answer = narrowed("administrator", ["crm:read", "catalog:read"]).post(LIST, {"account": "Jane"})
    assert (answer.status_code, answer.json["code"], answer.json["required"]) == (403, "forbidden", "crm:write")
    assert remedy(answer) == {
        "change": "scope",
        "from": "catalog:read crm:read",
        "to": "catalog:read crm:read crm:write",
    }
    assert "scope" in answer.json["message"] and "may not" not in answer.json["message"]


def test_a_token_asked_for_too_little_is_told_what_scope_to_ask_for(alice: Integration) -> None:
    form = {"grant_type": "client_credentials", "client_id": alice.key.split("_")[2], "scope": "crm:read"}
    form["client_secret"] = alice.key.split("_")[3]
    token = alice.client.post("/oauth/token", data=form).json["access_token"]
    wanted = remedy(Integration(alice.client, token, alice.tenant).post(LIST, {"account": "Jane"}))["to"]
    wider = alice.client.post("/oauth/token", data=form | {"scope": wanted}).json["access_token"]
    assert Integration(alice.client, wider, alice.tenant).post(LIST, {"account": "Jane"}).status_code == 201


def test_where_role_and_scope_both_lack_it_the_role_is_named(narrowed: Callable[..., Integration]) -> None:
    assert remedy(narrowed("viewer", ["crm:read"]).post(LIST, {"account": "Jane"}))["change"] == "role"


def test_a_plan_names_the_plan_it_takes(new_sandbox: SandboxMaker, app: Flask) -> None:
    new = new_sandbox(plan="starter")
    caller = Integration(app.test_client(), new.keys["administrator"], new.tenant.public_id)
    assert remedy(caller.get("/api/v2/invoices")) == {"change": "plan", "from": "starter", "to": "growth"}
    assert remedy(caller.get("/api/v2/hr/employees")) == {"change": "plan", "from": "starter", "to": "enterprise"}


def test_a_limit_tells_how_many_calls_and_from_when_on_again(app: Flask, alice: Integration) -> None:
    charge(runtime_of(app).meter, API_KEY, alice.key.split("_")[2], 1000)
    for answer in (alice.get(LIST), alice.post(LIST, {"account": "Jane"})):
        assert (answer.status_code, answer.json["code"]) == (429, "rate_limited")
        again = remedy(answer)
        assert (again["change"], again["from"]) == ("limit", 1000)
        reset_at = int(dt.datetime.fromisoformat(again["to"]).timestamp())
        assert str(reset_at) == answer.headers["X-RateLimit-Reset"] and again["to"].endswith("Z")
        assert str(answer.json["retry_after"]) == answer.headers["Retry-After"]


def test_a_limit_of_the_public_operations_tells_as_much(app: Flask, client: Any, address: str) -> None:
    body = {"fullName": "Jane", "email": "often@example.com", "message": "Hello"}
    use_up(app, CHATS_BY_EMAIL, f"{email_key(app, body['email'])} {address}")
    answer = client.post("/api/v1/support/guest", json=body)
    assert answer.status_code == 429
    assert remedy(answer)["from"] == 20
    assert "write to support@slipway.example" in answer.json["message"]


def test_a_duplicate_names_the_fields(alice: Integration) -> None:
    answer = alice.post(LIST, {"account": "Jane", "email": "john@example.com"})
    assert answer.json["code"] == "duplicate"
    assert remedy(answer) == {"change": "field", "from": ["email"], "to": "a value that no other record holds"}


def test_a_record_in_use_names_what_refers_to_it(alice: Integration) -> None:
    answer = alice.delete(f"{LIST}/1")
    assert answer.json["code"] == "conflict"
    state = remedy(answer)
    assert state["change"] == "state" and state["from"]["invoices"] > 0


def test_a_stale_tag_names_the_present_one(alice: Integration) -> None:
    tag = alice.get(f"{LIST}/2").headers["ETag"]
    alice.patch(f"{LIST}/2", {"city": "Pune"})
    answer = alice.patch(f"{LIST}/2", {"city": "Goa"}, headers={"If-Match": tag})
    now = alice.get(f"{LIST}/2").headers["ETag"]
    assert (answer.status_code, remedy(answer)) == (412, {"change": "version", "from": tag, "to": now})


def test_a_key_reused_with_another_body_names_the_body(alice: Integration) -> None:
    key = {"Idempotency-Key": "used-before"}
    assert alice.post(LIST, {"account": "Jane"}, headers=key).status_code == 201
    answer = alice.post(LIST, {"account": "Joan"}, headers=key)
    assert (answer.status_code, answer.json["code"], remedy(answer)["change"]) == (422, "idempotency_mismatch", "body")


def test_a_record_of_ones_own_that_was_deleted_says_so_and_to_nobody_else(
    alice: Integration, bob: Integration, mallory: Integration
) -> None:
    customer = alice.post(LIST, {"account": "Jane"}).json["data"]
    alice.delete(f"{LIST}/{customer['id']}")
    for caller in (alice, bob):
        answer = caller.get(f"{LIST}/{customer['public_id']}")
        assert answer.status_code == 404 and answer.json["deleted_at"].endswith("Z")
        assert remedy(answer) == {"change": "state", "from": "deleted", "to": None}
    stranger = mallory.get(f"{LIST}/{customer['public_id']}").json
    assert "remedy" not in stranger and "deleted_at" not in stranger


def test_every_conflict_has_a_remedy() -> None:
    for code, error in CODES.items():
        if error.status in {409, 422} and code != "duplicate":
            assert error.remedy is not None, code


def test_problem_json_carries_it_too(bob: Integration) -> None:
    answer = bob.post(LIST, {"account": "Jane"}, headers={"Accept": "application/problem+json"})
    assert answer.mimetype == "application/problem+json" and remedy(answer)["change"] == "role"


def test_an_unknown_record_and_a_bad_field_need_none(alice: Integration) -> None:
    assert "remedy" not in alice.get(f"{LIST}/999").json
    assert "remedy" not in alice.post(LIST, {"account": ""}).json
    assert "remedy" not in alice.client.get(LIST).json


def test_the_document_describes_it(client: Any) -> None:
    schemas = client.get("/openapi.json").json["components"]["schemas"]
    assert schemas["Failure"]["properties"]["remedy"] == {"$ref": "#/components/schemas/Remedy"}
    changes = {"role", "scope", "plan", "limit", "version", "state", "field", "body"}
    assert set(schemas["Remedy"]["properties"]["change"]["enum"]) == changes
