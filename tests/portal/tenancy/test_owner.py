"""The platform owner: crosses tenants by a few operations only, each act written down (contract section 6)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import delete, select

from portal.core.clock import system_now
from portal.core.database import Database
from portal.docs.service import current_docs
from portal.tenancy.api import OPERATIONS
from portal.tenancy.models import Tenant
from sandbox import extension
from sandbox.tenants import NewSandbox
from tests.conftest import Integration, SandboxMaker
from tests.portal.tenancy.conftest import Acts, KeyMaker, key_id, without_its_number

MAY = "from=2026-05-01&to=2026-05-31"


def address(caller: Integration, tail: str = "") -> str:
    return f"/api/tenants/{caller.tenant}{tail}"


@pytest.fixture
def forget_new_tenants(database: Database) -> Iterator[None]:
    """What the test made through the API is gone after it."""
    yield
    with database.transaction() as session:
        session.execute(delete(Tenant).where(Tenant.name == "Made by the owner"))


@pytest.mark.parametrize(
    ("action", "tail"),
    [("tenants.read", ""), ("subscription.read", "/subscription"), ("reports.sales", f"/reports/sales?{MAY}")],
)
def test_what_the_owner_reads_of_a_tenant_stands_in_both_trails(
    owner: Integration, alice: Integration, acts: Acts, action: str, tail: str
) -> None:
    answer = owner.get(address(alice, tail))
    assert answer.json["data"] == alice.get(address(alice, tail)).json["data"]
    (theirs,) = acts(alice.tenant)
    assert (theirs.actor, theirs.action, theirs.subject) == (f"owner:{key_id(owner)}", action, alice.tenant)
    assert theirs.request_id == answer.headers["X-Request-Id"]
    (own,) = acts(owner.tenant, f"key:{key_id(owner)}")
    assert (own.action, own.subject, own.request_id) == (action, alice.tenant, theirs.request_id)


def test_alice_reads_in_her_trail_what_the_owner_did(owner: Integration, alice: Integration) -> None:
    owner.get(address(alice))
    (row,) = alice.get("/api/v2/audit").json["data"]
    assert (row["actor"], row["action"]) == (f"owner:{key_id(owner)}", "tenants.read")


def test_a_look_that_is_refused_or_asks_for_no_body_is_judged_alike(
    owner: Integration, alice: Integration, acts: Acts
) -> None:
    assert owner.get(address(alice, "/reports/sales?from=nonsense")).status_code == 400
    assert acts(alice.tenant) == []
    assert owner.call("HEAD", address(alice)).status_code == 200
    tag = owner.get(address(alice)).headers["ETag"]
    assert owner.get(address(alice), headers={"If-None-Match": tag}).status_code == 304
    assert [row.action for row in acts(alice.tenant)] == ["tenants.read"] * 3


def test_the_owner_changes_a_tenants_settings_and_plan(owner: Integration, alice: Integration, acts: Acts) -> None:
    assert owner.patch(address(alice), {"name": "Renamed"}).status_code == 200
    assert owner.put(address(alice, "/subscription"), {"plan": "starter"}).status_code == 200
    assert alice.get(address(alice)).json["data"]["name"] == "Renamed"
    assert alice.get("/api/v2/invoices").json["code"] == "upgrade_required"
    assert [(row.actor, row.action) for row in acts(alice.tenant)] == [
        (f"owner:{key_id(owner)}", "tenants.update"),
        (f"owner:{key_id(owner)}", "subscription.replace"),
    ]
    assert acts(alice.tenant)[0].changes[0]["fields"] == {"name": ["Alice's", "Renamed"]}


def test_the_owners_report_of_a_small_plan_is_the_tenants_own(
    owner: Integration, alice: Integration, new_sandbox: SandboxMaker
) -> None:
    small = new_sandbox(plan="starter").tenant.public_id
    of_small = owner.get(f"/api/tenants/{small}/reports/sales?{MAY}").json["data"]["totals"]
    assert of_small == alice.get(address(alice, f"/reports/sales?{MAY}")).json["data"]["totals"]


def test_an_export_is_written_down_and_a_reading_is_not(alice: Integration, acts: Acts) -> None:
    alice.get(address(alice, f"/reports/sales?{MAY}"))
    alice.get(address(alice, f"/reports/sales?{MAY}&format=json"))
    assert acts(alice.tenant) == []
    assert alice.get(address(alice, f"/reports/sales?{MAY}&format=csv")).mimetype == "text/csv"
    (row,) = acts(alice.tenant)
    assert (row.actor, row.action, row.subject) == (f"key:{key_id(alice)}", "reports.sales", alice.tenant)
    assert alice.get(address(alice, "/reports/sales?from=2026-05-02&to=2026-05-01&format=csv")).status_code == 400
    assert len(acts(alice.tenant)) == 1


@pytest.mark.parametrize("role", ["manager", "viewer", "accountant"])
def test_a_lesser_key_of_the_house_crosses_nothing(
    house_key: KeyMaker, alice: Integration, acts: Acts, role: str
) -> None:
    lesser = house_key(role)
    answers = [lesser.get(address(alice)), lesser.patch(address(alice), {"name": "x"}), lesser.get("/api/tenants")]
    expected = [404, 403, 403] if role == "manager" else [403, 403, 403]
    assert [answer.status_code for answer in answers] == expected
    assert acts(alice.tenant) == []


def test_a_key_narrowed_to_administration_does_not_cross(house_key: KeyMaker, alice: Integration, acts: Acts) -> None:
    narrow = house_key(scopes=["administration:read", "administration:write"])
    assert narrow.get(f"/api/tenants/{narrow.tenant}").status_code == 200
    assert narrow.get(address(alice)).status_code == 404
    refused = narrow.get("/api/tenants").json
    assert (refused["code"], refused["required"]) == ("forbidden", "platform:read")
    assert refused["remedy"]["change"] == "scope"
    reader = house_key(scopes=["administration:read", "administration:write", "platform:read"])
    assert reader.get(address(alice)).status_code == 200
    assert reader.patch(address(alice), {"name": "x"}).status_code == 404
    assert [row.action for row in acts(alice.tenant)] == ["tenants.read"]


def test_an_access_token_of_the_owner_crosses_as_its_key_does(owner: Integration, alice: Integration) -> None:
    form = {"grant_type": "client_credentials", "client_id": key_id(owner), "client_secret": owner.key.split("_")[3]}
    token = owner.client.post("/oauth/token", data=form).json
    assert "platform:write" in token["scope"].split()
    bearer = Integration(owner.client, token["access_token"], owner.tenant)
    assert bearer.get(address(alice)).status_code == 200
    narrow = owner.client.post("/oauth/token", data=form | {"scope": "crm:read administration:read"}).json
    assert Integration(owner.client, narrow["access_token"], "").get(address(alice)).status_code == 404


def test_no_sandbox_key_may_have_the_platforms_scope(alice: Integration) -> None:
    form = {"grant_type": "client_credentials", "client_id": key_id(alice), "client_secret": alice.key.split("_")[3]}
    answer = alice.client.post("/oauth/token", data=form | {"scope": "platform:write"})
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_scope")


def test_the_owner_finds_no_template_no_expired_and_no_unknown_tenant(
    owner: Integration, new_sandbox: SandboxMaker, database: Database
) -> None:
    over = new_sandbox(expires_at=system_now() - dt.timedelta(seconds=1)).tenant.public_id
    with database.transaction(write=False) as session:
        template = session.scalars(select(Tenant.public_id).where(Tenant.mode == "template")).first()
    unknown = owner.get("/api/tenants/ten_000000000000000000000000")
    for tenant in (over, template, "1", "%00", "..", "ten_"):
        answer = owner.get(f"/api/tenants/{tenant}")
        assert answer.status_code == 404, tenant
        assert without_its_number(answer) == without_its_number(unknown)
    assert owner.patch(f"/api/tenants/{template}", {"name": "Mine"}).status_code == 404


def test_the_house_has_settings_but_no_daily_reset(owner: Integration) -> None:
    own = f"/api/tenants/{owner.tenant}"
    data = owner.get(own).json["data"]
    assert (data["mode"], data["publishable_key"], data["daily_reset_hour"]) == ("house", None, None)
    answer = owner.patch(own, {"daily_reset_hour": 5})
    assert answer.json["errors"] == {"daily_reset_hour": "Only a sandbox has a daily reset"}


def test_no_other_operation_crosses(app: Flask, owner: Integration, alice: Integration, acts: Acts) -> None:
    """Every operation with an id, from the document: alice's real public id is unknown to the owner."""
    with app.app_context():
        paths = current_docs().document["paths"]
    swept = 0
    for path, methods in paths.items():
        collection, has_id, _ = path.partition("/{id}")
        if not has_id or "/api/v2/" not in path or "{" in collection:
            continue
        listed = alice.get(collection)
        rows = listed.json.get("data") if listed.status_code == 200 else None
        if not rows:
            continue
        for method in methods:
            answer = owner.call(
                method.upper(), path.replace("{id}", rows[-1]["public_id"]), None if method == "get" else {}
            )
            assert answer.status_code in {404, 429}, (method, path)
            swept += 1
    assert swept > 15
    assert acts(alice.tenant) == []


def test_every_operation_on_a_tenant_in_its_path_says_so() -> None:
    for operation in (*extension.operations, *OPERATIONS):
        assert operation.tenant_in_path == operation.path.startswith("/api/tenants/{id}"), operation.id


def test_a_tenant_named_elsewhere_is_not_obeyed_even_for_the_owner(owner: Integration, alice: Integration) -> None:
    named = {"X-Tenant": alice.tenant, "X-Tenant-Id": alice.tenant, "Host": f"{alice.tenant}.example.com"}
    assert owner.get("/api/v2/customers", headers=named).json["meta"]["total_records"] == 0
    assert owner.get(f"/api/v2/customers?tenant={alice.tenant}").status_code == 400


def test_the_owner_makes_a_tenant_with_keys_that_work(
    owner: Integration, app: Flask, acts: Acts, forget_new_tenants: None
) -> None:
    answer = owner.post("/api/tenants", {"name": "Made by the owner", "plan": "growth"})
    data = answer.json["data"]
    assert (answer.status_code, data["mode"], data["plan"]) == (201, "sandbox", "growth")
    assert answer.headers["Location"] == f"/api/tenants/{data['public_id']}"
    assert answer.headers["Cache-Control"] == "no-store"
    assert set(data["keys"]) == {"administrator", "manager", "accountant", "sales", "support", "viewer"}
    new = Integration(app.test_client(), data["keys"]["administrator"], data["public_id"])
    assert new.get("/api/v2/customers/1").json["data"]["account"] == "John Doe"
    assert new.get(f"/api/tenants/{new.tenant}").json["data"] == {name: data[name] for name in data if name != "keys"}
    (theirs,) = acts(new.tenant)
    assert (theirs.actor, theirs.action, theirs.subject) == (f"owner:{key_id(owner)}", "tenants.create", new.tenant)
    (own,) = acts(owner.tenant, f"key:{key_id(owner)}")
    assert (own.action, own.subject) == ("tenants.create", new.tenant)
    assert data["keys"]["viewer"] not in str([vars(row) for row in (theirs, own)])


def test_a_tenant_is_made_once_however_often_it_is_asked_for(
    owner: Integration, database: Database, forget_new_tenants: None
) -> None:
    body, headers = {"name": "Made by the owner"}, {"Idempotency-Key": "make-it-once"}
    first, second = (owner.post("/api/tenants", body, headers=headers) for _ in range(2))
    assert first.json == second.json
    assert second.headers["Idempotent-Replayed"] == "true"
    with database.transaction(write=False) as session:
        assert len(session.scalars(select(Tenant).where(Tenant.name == "Made by the owner")).all()) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "Made by the owner", "plan": "gold"}, "plan"),
        ({"name": "Made by the owner", "mode": "house"}, "mode"),
        ({"name": "Made by the owner", "mode": "template"}, "mode"),
        ({"name": "Made by the owner", "public_id": "ten_000000000000000000000000"}, "public_id"),
        ({"name": "Made by the owner", "keys": {}}, "keys"),
    ],
)
def test_a_bad_tenant_is_refused_and_not_made(
    owner: Integration, database: Database, body: dict[str, object], field: str
) -> None:
    answer = owner.post("/api/tenants", body)
    assert (answer.status_code, list(answer.json["errors"])) == (400, [field])
    with database.transaction(write=False) as session:
        assert session.scalar(select(Tenant).where(Tenant.name == "Made by the owner")) is None


def test_nobody_else_makes_or_lists_tenants(alice: Integration, database: Database) -> None:
    for answer, needed in (
        (alice.post("/api/tenants", {"name": "Made by the owner"}), "platform:write"),
        (alice.get("/api/tenants"), "platform:read"),
    ):
        assert (answer.status_code, answer.json["code"], answer.json["required"]) == (403, "forbidden", needed)
        assert answer.json["remedy"] == {"change": "role", "from": "administrator", "to": ["platform owner"]}
        assert "house tenant" in answer.json["message"]
    with database.transaction(write=False) as session:
        assert session.scalar(select(Tenant).where(Tenant.name == "Made by the owner")) is None


def test_the_owner_lists_tenants_page_by_page(
    owner: Integration, alices_sandbox: NewSandbox, new_sandbox: SandboxMaker, acts: Acts
) -> None:
    small = new_sandbox("Small", plan="starter").tenant.public_id
    over = new_sandbox("Over", expires_at=system_now() - dt.timedelta(seconds=1)).tenant.public_id
    listed = owner.get("/api/tenants?limit=100").json
    found = {row["public_id"]: row for row in listed["data"]}
    assert {alices_sandbox.tenant.public_id, small, owner.tenant} <= set(found) and over not in found
    assert all(row["mode"] != "template" for row in listed["data"])
    assert listed["meta"]["total_records"] == len(listed["data"])
    assert found[small] == owner.get(f"/api/tenants/{small}").json["data"]
    starters = owner.get("/api/tenants?plan=starter&mode=sandbox&limit=100").json["data"]
    assert small in [row["public_id"] for row in starters]
    assert {(row["plan"], row["mode"]) for row in starters} == {("starter", "sandbox")}
    assert [row["public_id"] for row in owner.get("/api/tenants?mode=house").json["data"]] == [owner.tenant]
    first, second = (owner.get(f"/api/tenants?limit=1&page={page}").json["data"] for page in (1, 2))
    assert [first[0]["public_id"], second[0]["public_id"]] == [row["public_id"] for row in listed["data"]][:2]
    for query in ("mode=template", "plan=gold", "sort=salt", "page=0", "limit=101", "search=x"):
        assert owner.get(f"/api/tenants?{query}").status_code == 400, query
    assert "tenants.list" in [row.action for row in acts(owner.tenant, f"key:{key_id(owner)}")]


def test_both_trails_or_neither(
    owner: Integration, alice: Integration, acts: Acts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should the second row fail, the act and the first row are undone with it."""

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("portal.core.session.TenantSession.beside", fail)
    assert owner.patch(address(alice), {"name": "Renamed"}).status_code == 500
    monkeypatch.undo()
    assert acts(alice.tenant) == []
    assert alice.get(address(alice)).json["data"]["name"] == "Alice's"
