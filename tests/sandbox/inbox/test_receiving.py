"""What arrives at a sandbox's receiving addresses, and how it is answered (contract section 8)."""

from __future__ import annotations

import datetime as dt
import http.client
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from standardwebhooks import Webhook

from portal.core.clock import system_now
from portal.core.database import Database
from portal.core.masking import mask_text
from portal.core.outgoing import OutgoingFailed, OutgoingRequest
from portal.tenancy.models import Tenant
from sandbox.inbox import arrivals, receiving
from sandbox.inbox.models import InboxMessage
from sandbox.rehearsal import waiting
from sandbox.tenants import NewSandbox
from tests.conftest import Integration, runtime_of
from tests.sandbox.gate import Gate

INBOX = "/api/v2/sandbox/inbox"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def address_of(caller: Integration, index: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = caller.get(f"{INBOX}/addresses").json["data"][index]
    return found


def path_of(caller: Integration, index: int = 0) -> str:
    return urlsplit(address_of(caller, index)["url"]).path


def messages(caller: Integration, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = caller.get(f"{INBOX}{query}").json["data"]
    return found


def plan(caller: Integration, **fields: Any) -> dict[str, Any]:
    answer = caller.post(f"{INBOX}/answers", fields)
    assert answer.status_code == 201, answer.text
    planned: dict[str, Any] = answer.json["data"]
    return planned


def test_whatever_arrives_is_kept_and_answered_200(alice: Integration, client: FlaskClient) -> None:
    path = path_of(alice)
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        answer = client.open(f"{path}?a=%2F&b=", method=method, data=b"\x00\xff<b>hi", content_type="text/x-odd")
        assert answer.status_code == 200, method
    assert answer.json["status"] == "received"
    assert client.head(path).status_code == 200
    assert [row["method"] for row in messages(alice)] == ["HEAD", "OPTIONS", "DELETE", "PATCH", "PUT", "POST", "GET"]
    whole = alice.get(f"{INBOX}/{answer.json['id']}").json["data"]
    assert (whole["path"], whole["size"], whole["is_cut"]) == (f"{path}?a=%2F&b=", 7, False)
    assert whole["body"] == "\ufffd\ufffd<b>hi"
    assert {"name": "Content-Type", "value": "text/x-odd"} in whole["headers"]
    assert (whole["verdict"], whole["answer_status"]) == ("unsigned", 200)


def test_nobody_gets_in_by_guessing(alice: Integration, mallory: Integration, client: FlaskClient) -> None:
    path = path_of(alice)
    for other in (
        path[:-1],
        path + "x",
        f"/inbox/{path[7:].swapcase()}",
        "/inbox/x",
        "/inbox/%00",
        "/inbox/" + "a" * 3_000,
    ):
        answer = client.post(other)
        assert (answer.status_code, answer.json["code"]) == (404, "not_found"), other
    message = client.post(path, data="for alice").json["id"]
    assert messages(mallory) == []
    assert mallory.get(f"{INBOX}/{message}").status_code == 404
    address = address_of(alice)["public_id"]
    assert mallory.delete(f"{INBOX}/addresses/{address}").status_code == 404
    assert mallory.post(f"{INBOX}/answers", {"address": address}).status_code == 400
    assert mallory.get(f"{INBOX}?address={address}").status_code == 400
    assert mallory.delete(f"{INBOX}?address={address}").status_code == 400
    assert len(messages(alice)) == 1


@pytest.mark.one_store
def test_a_secret_is_masked_in_a_query_that_hides_its_letters(alice: Integration, client: FlaskClient) -> None:
    path = path_of(alice)
    for hidden in (alice.key.replace("_", "%5F"), alice.key.replace("_", "%5f").replace("s", "%73"), alice.key):
        client.get(f"{path}?k={hidden}&a=%2F%C3%A9")
    kept = [alice.get(f"{INBOX}/{row['public_id']}").json["data"]["path"] for row in messages(alice)]
    assert kept == [f"{path}?k={mask_text(alice.key)}&a=%2F%C3%A9"] * 3


def test_secrets_are_masked_and_a_long_body_is_cut(alice: Integration, client: FlaskClient) -> None:
    body = '{"password": "hunter2hunter2"}' + "x" * 70_000
    answer = client.post(path_of(alice), data=body, headers={"Authorization": f"Bearer {alice.key}"})
    whole = alice.get(f"{INBOX}/{answer.json['id']}").json["data"]
    assert (whole["size"], whole["is_cut"]) == (len(body), True)
    assert 65_000 < len(whole["body"]) <= 65_536
    assert "hunter2" not in whole["body"]
    assert alice.key not in str(whole)
    assert client.post(path_of(alice), data=b"x" * (1024 * 1024 + 1)).status_code == 413


def test_planned_answers_come_in_their_order_and_then_the_real_thing(alice: Integration, client: FlaskClient) -> None:
    path = path_of(alice)
    plan(alice, status=503, headers={"Retry-After": "5", "X-Reason": "closed"}, times=2)
    plan(alice, status=302, headers={"Location": "https://elsewhere.example/"})
    plan(alice, status=410)
    answers = [client.post(path) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [503, 503, 302, 410, 200]
    assert (answers[0].headers["Retry-After"], answers[0].headers["X-Reason"]) == ("5", "closed")
    assert answers[2].headers["Location"] == "https://elsewhere.example/"
    assert [row["answer_status"] for row in messages(alice)] == [200, 410, 302, 503, 503]
    assert alice.get(f"{INBOX}/answers").json["data"] == []


def test_a_visitor_of_an_address_is_not_sent_elsewhere(alice: Integration, client: FlaskClient) -> None:
    plan(alice, status=302, headers={"Location": "https://evil.example/"})
    answer = client.get(path_of(alice), headers={"Sec-Fetch-Mode": "navigate"})
    assert "Location" not in answer.headers


def test_answers_are_planned_for_one_address(alice: Integration, client: FlaskClient) -> None:
    assert alice.post(f"{INBOX}/addresses", {"name": "Ledger"}).status_code == 201
    first, second = path_of(alice), path_of(alice, 1)
    planned = plan(alice, address=address_of(alice, 1)["public_id"], status=500, times=3)
    assert [client.post(path).status_code for path in (first, second)] == [200, 500]
    assert alice.get(f"{INBOX}/answers").json["data"][0]["used"] == 1
    assert alice.delete(f"{INBOX}/answers/{planned['id']}").status_code == 200
    assert client.post(second).status_code == 200
    numbers = {name: address_of(alice, index)["id"] for index, name in enumerate(("Default", "Ledger"))}
    assert len(messages(alice, f"?address={numbers['Ledger']}")) == 2
    assert alice.delete(f"{INBOX}?address={numbers['Ledger']}").json["data"] == {"removed": 2}
    assert len(messages(alice)) == 1
    assert alice.delete(f"{INBOX}/addresses/{numbers['Ledger']}").status_code == 200
    assert client.post(second).status_code == 404
    assert alice.delete(f"{INBOX}").json["data"] == {"removed": 1}


def test_planned_answers_are_used_exactly_as_often_as_said(
    alice: Integration, new_client: Callable[[], FlaskClient]
) -> None:
    """Thirty arrive at once: whoever comes first, seven are refused."""
    path = path_of(alice)
    plan(alice, status=503, times=3)
    plan(alice, status=500, times=4)
    clients = [new_client() for _ in range(30)]
    with ThreadPoolExecutor(6) as pool:
        statuses = list(pool.map(lambda client: client.post(path).status_code, clients))
    assert sorted(statuses) == [200] * 23 + [500] * 4 + [503] * 3
    assert alice.get(f"{INBOX}/answers").json["data"] == []


def test_the_message_is_there_before_a_slow_answer(alice: Integration, client: FlaskClient, gate: Gate) -> None:
    path = path_of(alice)
    plan(alice, delay_ms=600)
    sender = threading.Thread(target=client.post, args=(path,))
    sender.start()
    gate.wait_for(1)
    assert messages(alice)[0]["delay_ms"] == 600
    assert sender.is_alive()
    gate.open()
    sender.join(timeout=60)
    assert not sender.is_alive()


def test_a_slow_answer_is_slow(alice: Integration, client: FlaskClient) -> None:
    plan(alice, delay_ms=600)
    started = time.monotonic()
    client.post(path_of(alice))
    assert time.monotonic() - started >= 0.6


def test_where_too_many_wait_the_sender_comes_again_and_the_plan_stays(
    alice: Integration, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan(alice, status=500, delay_ms=1)
    monkeypatch.setattr(waiting, "_waiting", 1_000)
    answer = client.post(path_of(alice))
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    monkeypatch.setattr(waiting, "_waiting", 0)
    assert client.post(path_of(alice)).status_code == 500
    assert [row["answer_status"] for row in messages(alice)] == [500, 429]


def test_a_dropped_answer_is_none(alice: Integration, live_server: str) -> None:
    path, server = path_of(alice), urlsplit(live_server)
    plan(alice, behaviour="drop")
    connection = http.client.HTTPConnection(str(server.hostname), server.port, timeout=60)
    connection.request("POST", path, b"hello")
    with pytest.raises((http.client.HTTPException, OSError)):
        connection.getresponse().read()
    connection.close()
    assert messages(alice)[0]["answer_status"] is None


def test_our_own_client_reaches_the_inbox_and_nothing_else_of_ours(
    app: Flask, alice: Integration, live_server: str
) -> None:
    client, url = runtime_of(app).outgoing, address_of(alice)["url"]
    client.check(url)
    assert client.send(OutgoingRequest("POST", url, {"X-Mine": "1"}, b"{}")).status == 200
    plan(alice, behaviour="drop")
    with pytest.raises(OutgoingFailed) as raised:
        client.send(OutgoingRequest("POST", url, {}, b""))
    assert raised.value.kind == "broken"
    base = runtime_of(app).settings.base_url
    for other in (f"{base}/api/v2/customers", f"{live_server}{urlsplit(url).path}", f"{url}/x", f"{url}?x"):
        with pytest.raises(OutgoingFailed) as raised:
            client.send(OutgoingRequest("POST", other, {}, b""))
        assert raised.value.kind == "forbidden", other
    client.close()


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The secrets of the webhooks with the address at hand."""
    known: list[str] = []
    monkeypatch.setattr(arrivals, "secrets_for_url", lambda session, url: known)
    yield known


def signed(body: str, at: dt.datetime, secret: str = SECRET, message_id: str = "evt_1") -> dict[str, str]:
    signature = Webhook(secret).sign(message_id, at, body)
    return {"webhook-id": message_id, "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}


@pytest.mark.one_store
def test_the_verdict_on_a_signature(alice: Integration, client: FlaskClient, secrets: list[str]) -> None:
    path, now, body = path_of(alice), system_now(), '{"type": "ünïcode"}'
    good = signed(body, now)

    def verdict(headers: dict[str, str], sent: str | bytes = body) -> str:
        client.post(path, data=sent, headers=headers)
        return str(messages(alice)[0]["verdict"])

    assert verdict(good) == "unchecked"
    secrets += [SECRET.replace("M", "N"), SECRET]
    assert verdict({}) == "unsigned"
    assert verdict(good) == "verified"
    assert verdict(good | {"webhook-signature": f"v2,xx v1,AAAA {good['webhook-signature']}"}) == "verified"
    assert verdict(good, body + " ") == "wrong"
    assert verdict(good | {"webhook-id": "evt_2"}) == "wrong"
    assert verdict(signed(body, now, "whsec_AAAAAAAAAAAAAAAAAAAAAAAA")) == "wrong"
    for minutes in (-6, 6):
        assert verdict(signed(body, now + dt.timedelta(minutes=minutes))) == "stale"
    for broken in ("x", "v1", "v1,", "v1,é", ",", " ", "v1,AAAA=A"):
        assert verdict(good | {"webhook-signature": broken}) == "wrong", broken
    for broken in ("", "x", "nan", "inf", "1e400", "-1"):
        assert verdict(good | {"webhook-timestamp": broken}) == "wrong", broken
    assert verdict(good, b"\xff\xfe") == "wrong"
    assert len(messages(alice, "?verdict=verified")) == 2
    assert len(messages(alice, "?webhook_id=evt_2")) == 1


def test_the_newest_thousand_are_kept(alice: Integration, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "MOST_MESSAGES", 3)
    ids = [client.post(path_of(alice)).json["id"] for _ in range(5)]
    assert [row["public_id"] for row in messages(alice)] == ids[:1:-1]


def test_a_reset_keeps_addresses_and_messages_and_takes_back_what_was_planned(
    alice: Integration, client: FlaskClient
) -> None:
    path = path_of(alice)
    client.post(path)
    plan(alice, status=500, times=9)
    assert alice.post("/api/v2/sandbox/reset").status_code == 200
    assert path_of(alice) == path
    assert len(messages(alice)) == 1
    assert client.post(path).status_code == 200
    alice.delete(f"{INBOX}/addresses/1")
    assert alice.post(f"{INBOX}/answers", {"status": 500}).status_code == 400
    assert alice.post("/api/v2/sandbox/reset").status_code == 200
    assert address_of(alice)["name"] == "Default"
    assert path_of(alice) != path


def test_an_ended_sandbox_receives_nothing(
    alice: Integration, alices_sandbox: NewSandbox, client: FlaskClient, database: Database
) -> None:
    path = path_of(alice)
    with database.transaction() as session:
        ended = update(Tenant).where(Tenant.id == alices_sandbox.tenant.id)
        session.execute(ended.values(expires_at=system_now() - dt.timedelta(seconds=1)))
    assert client.post(path).status_code == 404
    with database.transaction(write=False) as session:
        session.bind_tenant(alices_sandbox.tenant.id)
        assert session.scalars(select(InboxMessage)).all() == []


@pytest.mark.one_store
def test_a_flood_is_stopped(alice: Integration, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "ARRIVALS", replace(receiving.ARRIVALS, count=2))
    answers = [client.post(path_of(alice)) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2].headers["Retry-After"]) <= 60
    assert len(messages(alice)) == 2


@pytest.mark.one_store
def test_what_cannot_be_planned_is_refused_by_field(alice: Integration) -> None:
    for fields, field in (
        ({"status": 199}, "status"),
        ({"status": 600}, "status"),
        ({"status": "503"}, "status"),
        ({"behaviour": "explode"}, "behaviour"),
        ({"behaviour": "drop", "status": 500}, "status"),
        ({"behaviour": "drop", "headers": {"Retry-After": "1"}}, "headers"),
        ({"times": 0}, "times"),
        ({"times": 1001}, "times"),
        ({"delay_ms": 30_001}, "delay_ms"),
        ({"address": 99}, "address"),
        ({"headers": {"Set-Cookie": "a=b"}}, "headers"),
        ({"headers": {"Content-Type": "text/html"}}, "headers"),
        ({"headers": {"X-Request-Id": "mine"}}, "headers"),
        ({"headers": {"X-A": "a\r\nSet-Cookie: b=c"}}, "headers"),
        ({"headers": {"Location": "é"}}, "headers"),
        ({"headers": {"X-A\n": "1"}}, "headers"),
        ({"headers": {f"X-{number}": "1" for number in range(11)}}, "headers"),
        ({"used": 3}, "used"),
    ):
        answer = alice.post(f"{INBOX}/answers", fields)
        assert (answer.status_code, list(answer.json["errors"])) == (400, [field]), fields
    for _ in range(9):
        assert alice.post(f"{INBOX}/addresses", {"name": "One more"}).status_code == 201
    assert alice.post(f"{INBOX}/addresses", {"name": "One too many"}).status_code == 409
    for _ in range(100):
        plan(alice)
    assert alice.post(f"{INBOX}/answers", {}).status_code == 409
