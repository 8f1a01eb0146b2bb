"""Connections: addresses that are checked, credentials that come in and never out again."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.core.database import Database
from sandbox.integration.outgoing.headers import SHOWN_SECRET
from sandbox.integration.outgoing.models import Connection
from sandbox.tenants import NewSandbox
from tests.conftest import Integration
from tests.sandbox.delivery.conftest import bound
from tests.sandbox.integration.outgoing.conftest import ROOT, Connect

PATH = f"{ROOT}/connections"
SECRET = "Bearer partner-issued-8d1f"
pytestmark = pytest.mark.usefixtures("store")


def authorization(value: str | None = SECRET) -> dict[str, object]:
    header: dict[str, object] = {"name": "Authorization", "secret": True}
    return header if value is None else header | {"value": value}


def test_a_secret_is_masked_ever_after_and_kept_when_an_edit_leaves_it_out(
    alice: Integration, connect: Connect, database: Database, alices_sandbox: NewSandbox
) -> None:
    made = connect(alice, headers=[authorization(), {"name": "X-Company", "value": "Slipway"}])
    path = f"{PATH}/{made['id']}"
    assert made["headers"][0] == {"name": "Authorization", "value": SHOWN_SECRET, "secret": True}
    for headers in ([authorization(None)], [authorization(SHOWN_SECRET)], made["headers"]):
        answer = alice.patch(path, {"headers": headers})
        assert answer.status_code == 200, answer.text
    changed = alice.put(path, {"name": "New", "url": made["url"], "headers": [authorization(None)]}).json["data"]
    assert changed["headers"] == made["headers"][:1]
    for address in (path, PATH, "/api/v2/audit", "/api/v2/sandbox/requests", f"{PATH}?search=new"):
        assert "partner-issued" not in alice.get(address).text
    with database.transaction(write=False) as session:
        stored = bound(session, alices_sandbox).scalars(select(Connection).where(Connection.id == made["id"])).one()
        assert SECRET in (stored.secrets or "")
        raw = session.connection().exec_driver_sql(f"SELECT secrets, headers FROM connections WHERE id = {made['id']}")
        assert "partner-issued" not in str(raw.all())


def test_a_secret_never_stands_in_the_log_of_requests(alice: Integration) -> None:
    sent = {"name": "A", "url": "https://example.com/a", "headers": [authorization()]}
    for number, body in enumerate(({**sent, "timeout": 99}, sent, sent | {"headers": [{"value": SECRET}]})):
        alice.post(PATH, body, headers={"X-Request-Id": f"save-{number}"})
        shown = alice.get(f"/api/v2/sandbox/requests/save-{number}").text
        assert "Authorization" in shown or number == 2
        assert "partner-issued" not in shown


def test_a_secret_does_not_become_plain_without_being_entered_again(alice: Integration, connect: Connect) -> None:
    partner_token = {"name": "X-Partner", "value": "issued by the partner", "secret": True}
    path = f"{PATH}/{connect(alice, headers=[partner_token])['id']}"
    for value in ({}, {"value": None}):
        answer = alice.patch(path, {"headers": [{"name": "X-Partner", **value}]})
        assert answer.json["errors"] == {"headers.0.value": "X-Partner needs a value"}
    plain = alice.patch(path, {"headers": [{"name": "X-Partner", "value": SHOWN_SECRET}]})
    assert plain.status_code == 400
    assert alice.patch(path, {"headers": [{"name": "X-Other", "secret": True}]}).status_code == 400


def test_an_authorization_is_secret_whatever_is_said_of_it(alice: Integration, connect: Connect) -> None:
    made = connect(alice, headers=[{"name": "authorization", "value": SECRET}, {"name": "X-API-Key", "value": "k"}])
    assert {header["value"] for header in made["headers"]} == {SHOWN_SECRET}


def test_a_secret_does_not_follow_the_connection_to_another_address(alice: Integration, connect: Connect) -> None:
    made = connect(alice, headers=[authorization()])
    path = f"{PATH}/{made['id']}"
    own = alice.get("/api/v2/sandbox/inbox/addresses").json["data"][0]["url"]
    for url in (own, "https://elsewhere.example/a", "https://example.com:8443/hook"):
        for body in ({"url": url}, {"url": url, "headers": [authorization(None)]}):
            answer = alice.patch(path, body)
            assert answer.status_code == 400, answer.text
            assert "anew" in answer.json["errors"]["headers.0.value"]
    assert alice.get(path).json["data"]["url"] == made["url"]
    assert alice.patch(path, {"url": made["url"] + "/v2"}).status_code == 200
    moved = alice.patch(path, {"url": "https://elsewhere.example/a", "headers": [authorization("Bearer theirs")]})
    assert moved.status_code == 200, moved.text


@pytest.mark.one_store
def test_headers_that_must_not_be_set_are_refused_by_name(alice: Integration) -> None:
    names = ["Host", "content-length", "Transfer-Encoding", "CONNECTION", "Cookie", "Proxy-Authorization", "Expect"]
    names += ["Content-Type", "Idempotency-Key", "Accept-Encoding", "X-Forwarded-For", "a b", "a:b", "ä", "a\r\nb"]
    for name in names:
        body = {"name": "A", "url": "https://example.com/", "headers": [{"name": name, "value": "x"}]}
        answer = alice.post(PATH, body)
        assert answer.status_code == 400, name
        assert set(answer.json["errors"]) == {"headers.0.name"}, answer.text
    for value in ("a\r\nX-Other: 1", "a\nb", "a\x00", "€", "", "  "):
        body = {"name": "A", "url": "https://example.com/", "headers": [{"name": "X-Key", "value": value}]}
        answer = alice.post(PATH, body)
        told = answer.json["errors"]["headers.0.value"]
        assert "U+0000" in told if "\x00" in value else "X-Key" in told, value
    twice = [{"name": "X-Key", "value": "1"}, {"name": "x-key", "value": "2"}]
    answer = alice.post(PATH, {"name": "A", "url": "https://example.com/", "headers": twice})
    assert answer.json["errors"] == {"headers.1.name": "x-key stands in the list already"}


@pytest.mark.one_store
def test_every_fault_is_told_at_once(alice: Integration) -> None:
    body = {"name": "", "url": "https://example.com/", "timeout": 16, "method": "GET", "reference_path": "a..b"}
    assert set(alice.post(PATH, body).json["errors"]) == {"name", "timeout", "method", "reference_path"}
    halves = {"name": "A", "url": "https://example.com/", "status_path": "status"}
    assert set(alice.post(PATH, halves).json["errors"]) == {"status_equals"}


def test_an_address_inside_is_refused_at_save(alice: Integration) -> None:
    made = alice.post(PATH, {"name": "A", "url": "https://example.com/a"}).json["data"]
    for url in ("http://169.254.169.254/", "http://10.0.0.1/", "ftp://example.com/"):
        for answer in (alice.post(PATH, {"name": "B", "url": url}), alice.patch(f"{PATH}/{made['id']}", {"url": url})):
            assert set(answer.json["errors"]) == {"url"}, answer.text
    assert alice.get(f"{PATH}/{made['id']}").json["data"]["url"] == "https://example.com/a"


def test_a_connection_in_use_stays(alice: Integration, connect: Connect, map_out: Connect) -> None:
    made = connect(alice)
    mapping = map_out(alice, made)
    assert alice.delete(f"{PATH}/{made['id']}").status_code == 409
    assert alice.delete(f"{ROOT}/outgoing-mappings/{mapping['id']}").status_code == 200
    assert alice.delete(f"{PATH}/{made['id']}").status_code == 200
    assert alice.get(f"{PATH}/{made['id']}").status_code == 404


def test_mallory_and_bob_see_nothing(
    alice: Integration, bob: Integration, mallory: Integration, connect: Connect
) -> None:
    made = connect(alice, headers=[authorization()])
    for path in (f"{PATH}/{made['public_id']}", f"{PATH}/{made['id']}"):
        assert mallory.get(path).status_code == 404 or mallory.get(path).json["data"]["public_id"] != made["public_id"]
        assert bob.get(path).status_code == 403
    assert mallory.patch(f"{PATH}/{made['public_id']}", {"name": "Mine"}).status_code == 404
