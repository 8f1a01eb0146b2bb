"""Who may call: keys, tokens, roles, plans (contract section 2; attacks 4, 6, 9, 10)."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.api.exchanges import Exchange
from portal.core.clock import system_now
from portal.core.config import Settings
from portal.core.database import Database
from portal.tenancy.keys import checksum, issue_key, revoke_key
from portal.tenancy.models import Tenant
from portal.tenancy.permissions import ROLES, is_permitted
from portal.tenancy.plans import PLANS, is_entitled
from sandbox.tenants import NewSandbox
from tests.conftest import Integration, SandboxMaker

LIST = "/api/v2/customers"
READS = {
    "crm": "/api/v2/customers",
    "catalog": "/api/v2/products",
    "accounting": "/api/v2/invoices",
    "support": "/api/v2/departments",
    "reports": "/api/v2/reports/financial?year=2024",
}


def refused(client: FlaskClient, **headers: str) -> None:
    answer = client.get(LIST, headers={name.replace("_", "-"): value for name, value in headers.items()})
    assert answer.status_code == 401
    assert answer.json["message"] == "Invalid API key or unauthorized access"
    assert answer.json["code"] == "unauthorized"
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "X-RateLimit-Limit" in answer.headers


def test_a_key_works_in_either_header(alice: Integration) -> None:
    assert alice.client.get(LIST, headers={"x-api-key": alice.key}).status_code == 200
    assert alice.client.get(LIST, headers={"Authorization": f"Bearer {alice.key}"}).status_code == 200
    both = {"Authorization": f"bearer {alice.key}", "x-api-key": alice.key}
    assert alice.client.get(LIST, headers=both).status_code == 200


def test_every_bad_credential_gets_the_same_answer(alice: Integration, mallory: Integration) -> None:
    client = alice.client
    wrong_secret = alice.key[:-10] + "0000" + alice.key[-6:]
    body = f"{alice.key[:20]}_{'0' * 32}"
    for key in ("", "nonsense", alice.key[:-1] + "!", wrong_secret, body + checksum(body), "sk_test_é", "x" * 5000):
        refused(client, x_api_key=key.encode().decode("latin-1"))
    refused(client, Authorization="Basic " + base64.b64encode(alice.key.encode()).decode())
    refused(client, Authorization=f"Bearer {alice.key}", x_api_key=mallory.key)


def test_a_key_in_the_query_string_is_never_read(alice: Integration) -> None:
    assert alice.client.get(f"{LIST}?api_key={alice.key}").status_code == 401


def test_a_revoked_key_ends_at_once_with_its_tokens(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    token = issue_token(alice).json["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    assert alice.client.get(LIST, headers=bearer).status_code == 200
    with database.transaction() as session:
        session.bind_tenant(alices_sandbox.tenant.id)
        revoke_key(session, alice.key.split("_")[2])
    refused(alice.client, x_api_key=alice.key)
    refused(alice.client, **bearer)


def test_an_expired_key_and_an_expired_tenant_are_refused(
    alice: Integration, alices_sandbox: NewSandbox, database: Database, settings: Settings
) -> None:
    past = system_now() - dt.timedelta(seconds=1)
    with database.transaction() as session:
        session.bind_tenant(alices_sandbox.tenant.id)
        tenant = session.get_one(Tenant, alices_sandbox.tenant.id)
        old = issue_key(session, settings.secret_key, tenant, name="old", role="viewer", expires_at=past)
    refused(alice.client, x_api_key=old.secret)
    with database.transaction() as session:
        session.get_one(Tenant, alices_sandbox.tenant.id).expires_at = past
    refused(alice.client, x_api_key=alice.key)


def test_only_a_hash_of_a_key_is_stored(alice: Integration, alices_sandbox: NewSandbox, database: Database) -> None:
    secret = alice.key.split("_")[3]
    alice.get(LIST)
    with database.engine.connect() as connection:
        for table in ("api_keys", "exchanges", "audit", "events"):
            rows = connection.exec_driver_sql(f"SELECT * FROM {table}").all()
            assert not any(secret in str(row) for row in rows), table


@pytest.mark.parametrize("role", ROLES)
def test_a_role_reads_what_the_table_says(
    alices_sandbox: NewSandbox, as_role: Callable[..., Integration], role: str
) -> None:
    caller = as_role(alices_sandbox, role)
    for module, path in READS.items():
        answer = caller.get(path)
        if is_permitted(role, f"{module}:read"):
            assert answer.status_code == 200, (role, path, answer.text)
        else:
            assert answer.status_code == 403
            assert answer.json["code"] == "forbidden"
            assert answer.json["required"] == f"{module}:read"


@pytest.mark.parametrize("role", ROLES)
def test_a_role_writes_what_the_table_says(
    alices_sandbox: NewSandbox, as_role: Callable[..., Integration], role: str
) -> None:
    caller = as_role(alices_sandbox, role)
    answer = caller.post("/api/v2/customers", {"account": "Jane Smith"})
    assert answer.status_code == (201 if is_permitted(role, "crm:write") else 403)


@pytest.mark.parametrize("plan", PLANS)
def test_a_plan_opens_its_modules(new_sandbox: SandboxMaker, as_role: Callable[..., Integration], plan: str) -> None:
    caller = as_role(new_sandbox(plan=plan), "administrator")
    for module, path in READS.items():
        answer = caller.get(path)
        if is_entitled(plan, module):
            assert answer.status_code == 200
        else:
            assert answer.status_code == 403
            assert answer.json["code"] == "upgrade_required"
            assert answer.json["upgrade"]["current_plan"] == plan
            assert answer.json["notice"]["type"] == "upgrade_required"


def test_a_role_is_refused_before_a_plan(new_sandbox: SandboxMaker, as_role: Callable[..., Integration]) -> None:
    support = as_role(new_sandbox(plan="starter"), "support")
    assert support.get("/api/v2/invoices").json["code"] == "forbidden"


def test_a_lowered_plan_holds_on_the_next_call(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    assert alice.get("/api/v2/invoices").status_code == 200
    with database.transaction() as session:
        session.get_one(Tenant, alices_sandbox.tenant.id).plan = "starter"
    assert alice.get("/api/v2/invoices").json["code"] == "upgrade_required"


def issue_token(caller: Integration, *, in_form: bool = False, **form: str):  # type: ignore[no-untyped-def]
    _, _, key_id, secret = caller.key.split("_")
    form = {"grant_type": "client_credentials", **form}
    if in_form:
        return caller.client.post("/oauth/token", data={**form, "client_id": key_id, "client_secret": secret})
    basic = base64.b64encode(f"{key_id}:{secret}".encode()).decode()
    return caller.client.post("/oauth/token", data=form, headers={"Authorization": f"Basic {basic}"})


@pytest.mark.parametrize("in_form", [True, False])
def test_a_key_is_traded_for_a_token(alice: Integration, in_form: bool) -> None:
    answer = issue_token(alice, in_form=in_form, scope="crm:read")
    assert answer.status_code == 200, answer.text
    assert answer.json["token_type"] == "Bearer"
    assert answer.json["expires_in"] == 3600
    assert answer.json["scope"] == "crm:read"
    assert answer.headers["Cache-Control"] == "no-store"
    bearer = {"Authorization": f"Bearer {answer.json['access_token']}"}
    assert alice.client.get(LIST, headers=bearer).status_code == 200
    refused_write = alice.client.post(LIST, json={"account": "Jane"}, headers=bearer)
    assert refused_write.json["required"] == "crm:write"
    assert alice.client.get("/api/v2/products", headers=bearer).status_code == 403


def test_token_errors_are_those_of_rfc_6749(alice: Integration, bob: Integration) -> None:
    wrong = Integration(alice.client, alice.key[:-8] + "00000000", alice.tenant)
    unknown = Integration(alice.client, "sk_test_000000000000_" + alice.key.split("_")[3], alice.tenant)
    answers = [issue_token(caller, in_form=way) for caller in (wrong, unknown) for way in (True, False)]
    assert {(answer.status_code, answer.json["error"]) for answer in answers} == {(401, "invalid_client")}
    assert len({answer.data for answer in answers}) == 1
    assert issue_token(bob, scope="crm:write").json["error"] == "invalid_scope"
    assert issue_token(bob, scope="crm:write").status_code == 400
    assert issue_token(alice, grant_type="password").json["error"] == "unsupported_grant_type"
    assert alice.client.post("/oauth/token", headers={"Authorization": "Basic %%%"}).status_code in {400, 401}
    assert alice.client.get("/oauth/token").status_code == 405


@pytest.mark.parametrize("given", ["", "%%%", "QQ==", "/////w==", "AAAA", "OjpvOg=="])
def test_basic_credentials_that_are_no_text_are_an_invalid_client(alice: Integration, given: str) -> None:
    headers = {"Authorization": f"Basic {given}"}
    answer = alice.client.post("/oauth/token", data={"grant_type": "client_credentials"}, headers=headers)
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")


def post_to_token_endpoint(caller: Integration, **details: Any) -> tuple[int, str, str]:
    answer = caller.client.post("/oauth/token", **details)
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.status_code, answer.get_json()["error"], answer.get_json().get("error_description", "")


def test_two_ways_of_authenticating_in_one_request_are_refused(alice: Integration) -> None:
    _, _, key_id, secret = alice.key.split("_")
    basic = {"Authorization": "Basic " + base64.b64encode(f"{key_id}:{secret}".encode()).decode()}
    grant = {"grant_type": "client_credentials"}
    for more in ({"client_id": key_id, "client_secret": secret}, {"client_secret": secret}, {"client_secret": "wrong"}):
        status, error, told = post_to_token_endpoint(alice, data={**grant, **more}, headers=basic)
        assert (status, error) == (400, "invalid_request")
        assert "not both" in told
    assert alice.client.post("/oauth/token", data={**grant, "client_id": key_id}, headers=basic).status_code == 200


@pytest.mark.parametrize("grant", [{}, {"grant_type": ""}])
def test_a_token_request_without_a_grant_type_is_told_so(alice: Integration, grant: dict[str, str]) -> None:
    _, _, key_id, secret = alice.key.split("_")
    told = post_to_token_endpoint(alice, data={**grant, "client_id": key_id, "client_secret": secret})
    assert told == (400, "invalid_request", "grant_type is required. Use client_credentials.")


def test_a_wrong_grant_type_is_told_which_one_is_right(alice: Integration) -> None:
    status, error, told = post_to_token_endpoint(alice, data={"grant_type": "password", "username": "a"})
    assert (status, error) == (400, "unsupported_grant_type")
    assert told == "This grant_type is not supported. Use client_credentials."


@pytest.mark.parametrize(
    "details",
    [
        {"json": {"grant_type": "client_credentials", "client_id": "a", "client_secret": "b"}},
        {"data": '{"grant_type": "client_credentials"}', "content_type": "application/x-www-form-urlencoded"},
        {"data": '{"grant_type": "client_credentials"}', "content_type": "text/plain"},
        {"data": b"", "content_type": "multipart/form-data; boundary=x"},
    ],
)
def test_a_token_request_that_is_no_form_is_told_so(alice: Integration, details: dict[str, Any]) -> None:
    status, error, told = post_to_token_endpoint(alice, **details)
    assert (status, error) == (400, "invalid_request")
    assert "application/x-www-form-urlencoded" in told


def test_a_parameter_sent_twice_is_refused(alice: Integration) -> None:
    body = "grant_type=client_credentials&grant_type=client_credentials&client_id=a&client_secret=b"
    told = post_to_token_endpoint(alice, data=body, content_type="application/x-www-form-urlencoded")
    assert told == (400, "invalid_request", "grant_type was sent more than once. Send it once.")


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({}, "Client credentials are missing."),
        ({"client_id": "{id}"}, "client_secret is missing."),
        ({"client_secret": "{secret}"}, "client_id is missing."),
        ({"client_id": "{id}", "client_secret": "{key}"}, "Client secret is incorrect."),
        ({"client_id": "{key}", "client_secret": "{secret}"}, "Client ID is incorrect."),
        ({"client_id": "{id}", "client_secret": "wrong"}, "Client ID or secret is incorrect."),
        ({"client_id": "000000000000", "client_secret": "{secret}"}, "Client ID or secret is incorrect."),
    ],
)
@pytest.mark.parametrize("in_form", [True, False])
def test_a_failed_client_is_told_what_was_wrong_and_the_remedy(
    alice: Integration, form: dict[str, str], expected: str, in_form: bool
) -> None:
    _, _, key_id, secret = alice.key.split("_")
    given = {name: value.format(id=key_id, secret=secret, key=alice.key) for name, value in form.items()}
    data, headers = {"grant_type": "client_credentials"}, {}
    if in_form or not given:
        data |= given
    else:
        pair = f"{given.get('client_id', '')}:{given.get('client_secret', '')}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    status, error, told = post_to_token_endpoint(alice, data=data, headers=headers)
    assert (status, error) == (401, "invalid_client")
    assert told.startswith(expected)
    assert len(told) > len(expected)
    assert alice.key.split("_")[3] not in told


def test_a_bearer_credential_at_the_token_endpoint_is_told_the_way(alice: Integration) -> None:
    headers = {"Authorization": f"Bearer {alice.key}"}
    status, error, told = post_to_token_endpoint(alice, data={"grant_type": "client_credentials"}, headers=headers)
    assert (status, error) == (401, "invalid_client")
    assert "HTTP Basic" in told


def test_a_scope_beyond_the_keys_is_named(bob: Integration) -> None:
    answer = issue_token(bob, scope="crm:read crm:write")
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_scope")
    assert answer.json["error_description"] == "The key does not have crm:write. Request only permissions of the key."


def test_a_secret_in_a_wrong_place_is_not_kept_in_the_log(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    strays = {"Referer": f"https://shop.example/?key={alice.key}", "X-Token": alice.key}
    alice.get(f"{LIST}?key={alice.key.replace('_', '%5F')}", headers=strays)
    alice.post(LIST, {"account": "Jane", "padding": "x" * 15_900, "password": "open sesame " * 20})
    with database.transaction(write=False) as session:
        session.bind_tenant(alices_sandbox.tenant.id)
        rows = [str(vars(row)) for row in session.scalars(select(Exchange))]
    assert len(rows) == 2
    assert not [row for row in rows if alice.key[-30:] in row or "open sesame" in row]
