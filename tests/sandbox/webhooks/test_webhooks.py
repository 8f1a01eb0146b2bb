"""Webhooks as a resource: made, shown without their secret, changed, switched off and on, deleted."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import select
from standardwebhooks import Webhook as Verifier

from portal.core.database import Database
from portal.tenancy.models import AuditRow
from sandbox.tenants import NewSandbox
from tests.conftest import Integration
from tests.sandbox.delivery.conftest import CourierMaker, bound
from tests.sandbox.delivery.sink import Sink
from tests.sandbox.webhooks.conftest import PATH, URL, Subscribe

SECRET = re.compile(r"whsec_[0-9A-Za-z+/]{32}={0,2}")


def test_a_webhook_is_made_with_a_secret_that_nothing_shows_again(
    alice: Integration, subscribe: Subscribe, database: Database, alices_sandbox: NewSandbox
) -> None:
    answer = alice.post(PATH, {"url": URL, "events": ["customer.*"]}, headers={"X-Request-Id": "making"})
    created = answer.json["data"]
    assert answer.headers["Location"] == f"{PATH}/1"
    assert SECRET.fullmatch(created["secret"])
    assert created | {"secret": ""} == created | {
        "secret": "",
        "url": URL,
        "events": ["customer.*"],
        "description": None,
        "active": True,
        "ordered": False,
        "status": "active",
        "held": 0,
        "closed_at": None,
        "failing_since": None,
        "old_secret_until": None,
    }
    rotated = alice.post(f"{PATH}/1/rotate-secret").json["data"]
    assert rotated["secret"] != created["secret"]
    assert rotated["old_secret_until"] is not None
    for path in (PATH, f"{PATH}/1", "/api/v2/audit", "/api/v2/events", "/api/v2/sandbox/requests/making"):
        text = alice.get(path).text
        assert created["secret"][:14] not in text, path
        assert rotated["secret"][:14] not in text, path
    assert "••••" in alice.get("/api/v2/sandbox/requests/making").json["data"]["response_body"]
    with database.transaction(write=False) as session:
        acts = bound(session, alices_sandbox).scalars(select(AuditRow).order_by(AuditRow.id)).all()
    assert [act.action for act in acts] == ["webhooks.create", "webhooks.rotate_secret"]
    assert created["secret"][6:] not in str([act.changes for act in acts])


@pytest.mark.parametrize(
    ("fields", "name", "words"),
    [
        ({"url": None}, "url", "Url"),
        ({"url": ""}, "url", "must not be empty"),
        ({"url": "https://127.0.0.1/hook"}, "url", "not public"),
        ({"url": "https://[::ffff:10.0.0.1]/hook"}, "url", "not public"),
        ({"url": "http://localhost:8000/api/v2/customers"}, "url", "not public"),
        ({"url": "ftp://example.com/hook"}, "url", "must begin with https:// or http://"),
        ({"url": "https://alice:secret@example.com/"}, "url", "Send them in a header"),
        ({"url": "https://example.com/" + "x" * 2000}, "url", "characters at most"),
        ({"events": []}, "events", "at least 1 entry"),
        ({"events": ["*"] * 51}, "events", "at most"),
        ({"events": ["customer.*", "customer.vanished"]}, "events.1", "No such event: customer.vanished"),
        ({"events": ["planet.*"]}, "events.0", "No such event: planet.*"),
        ({"events": ["webhook.test"]}, "events.0", "No such event"),
        ({"events": "*"}, "events", "must be a list"),
        ({"secret": "whsec_mine"}, "secret", "read-only"),
        ({"status": "active"}, "status", "read-only"),
        ({"held": 3}, "held", "read-only"),
        ({"actvie": False}, "actvie", "Unknown field"),
    ],
)
@pytest.mark.one_store
def test_what_is_wrong_is_refused_by_name(alice: Integration, fields: dict[str, Any], name: str, words: str) -> None:
    answer = alice.post(PATH, {"url": URL, "events": ["*"]} | fields)
    assert answer.status_code == 400
    assert words in answer.json["errors"][name]
    assert alice.get(PATH).json["data"] == []


def test_an_address_is_checked_again_when_it_changes(alice: Integration, subscribe: Subscribe) -> None:
    subscribe(alice)
    for method, body in (("PATCH", {}), ("PUT", {"events": ["*"]})):
        answer = alice.call(method, f"{PATH}/1", {"url": "https://10.0.0.7/"} | body)
        assert (answer.status_code, list(answer.json["errors"])) == (400, ["url"])
    tag = alice.get(f"{PATH}/1").headers["ETag"]
    assert alice.patch(f"{PATH}/1", {"description": "Ours"}, headers={"If-Match": tag}).status_code == 200
    stale = alice.patch(f"{PATH}/1", {"url": "https://shop.example/hook"}, headers={"If-Match": tag})
    assert stale.status_code == 412
    moved = alice.patch(f"{PATH}/1", {"url": "https://shop.example/hook", "events": ["lead.*", "lead.*"]})
    assert moved.json["data"]["url"] == "https://shop.example/hook"
    assert moved.json["data"]["description"] == "Ours"


def test_what_comes_while_a_webhook_is_off_is_held_and_sent_when_it_is_on(
    alice: Integration, subscribe: Subscribe, courier: CourierMaker, sink: Sink
) -> None:
    subscribe(alice)
    off = alice.patch(f"{PATH}/1", {"active": False}).json["data"]
    assert (off["status"], off["active"]) == ("off", False)
    assert off["closed_at"] is not None
    for number in range(3):
        alice.post("/api/v2/customers", {"account": f"Customer {number}"})
    courier().deliver_due()
    assert sink.arrivals == []
    assert alice.get(f"{PATH}/1").json["data"]["held"] == 3
    on = alice.patch(f"{PATH}/1", {"active": True}).json["data"]
    assert (on["status"], on["held"], on["closed_at"]) == ("active", 0, None)
    courier().deliver_due()
    assert len(sink.arrivals) == 3


def test_410_closes_a_webhook_and_says_so(
    alice: Integration, subscribe: Subscribe, courier: CourierMaker, sink: Sink
) -> None:
    subscribe(alice)
    sink.decide = lambda arrival: (410, {})
    alice.post(f"{PATH}/1/test")
    courier().deliver_due()
    closed = alice.get(f"{PATH}/1").json["data"]
    assert (closed["status"], closed["active"], closed["held"]) == ("gone", False, 1)
    assert alice.get(PATH).json["data"][0]["status"] == "gone"
    sink.decide = lambda arrival: (200, {})
    replaced = alice.put(f"{PATH}/1", {"url": URL, "events": ["*"]}).json["data"]
    assert (replaced["status"], replaced["held"]) == ("active", 0)
    courier().deliver_due()
    assert [row["status"] for row in alice.get("/api/v2/deliveries").json["data"]] == ["delivered"]


def test_a_deleted_webhook_leaves_its_log(
    alice: Integration, subscribe: Subscribe, courier: CourierMaker, sink: Sink
) -> None:
    subscribe(alice)
    alice.post(f"{PATH}/1/test")
    courier().deliver_due()
    alice.post(f"{PATH}/1/test")
    assert alice.delete(f"{PATH}/1").json["data"]["id"] == 1
    assert alice.get(f"{PATH}/1").status_code == 404
    rows = alice.get("/api/v2/deliveries").json["data"]
    assert [(row["status"], row["webhook_id"]) for row in rows] == [("discarded", None), ("delivered", None)]
    courier().deliver_due()
    assert len(sink.arrivals) == 1
    again = alice.post(f"/api/v2/deliveries/{rows[1]['public_id']}/resend")
    assert (again.status_code, again.json["code"]) == (409, "conflict")
    assert "was removed" in again.json["message"]


@pytest.mark.one_store
def test_a_tenant_has_twenty_webhooks_at_most(alice: Integration, subscribe: Subscribe) -> None:
    for _ in range(20):
        subscribe(alice)
    answer = alice.post(PATH, {"url": URL, "events": ["*"]})
    assert (answer.status_code, answer.json["code"]) == (409, "conflict")
    assert alice.delete(f"{PATH}/7").status_code == 200
    subscribe(alice)


def test_a_reset_keeps_webhooks_and_their_secrets(
    alice: Integration, subscribe: Subscribe, courier: CourierMaker, sink: Sink
) -> None:
    created = subscribe(alice, events=["sandbox.reset"])
    assert alice.post("/api/v2/sandbox/reset").status_code == 200
    kept = alice.get(f"{PATH}/1").json["data"]
    assert {**kept, "secret": created["secret"]} == created
    courier().deliver_due()
    (arrival,) = sink.arrivals
    assert Verifier(created["secret"]).verify(arrival.body, arrival.headers)["type"] == "sandbox.reset"


def test_a_lost_answer_to_the_creation_is_repeated_with_the_secret(alice: Integration) -> None:
    headers = {"Idempotency-Key": "one-webhook"}
    body = {"url": URL, "events": ["*"]}
    first, second = (alice.post(PATH, body, headers=headers) for _ in range(2))
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.json["data"] == first.json["data"]
    assert alice.get(PATH).json["meta"]["total_records"] == 1


def test_mallory_and_bob_get_nowhere(
    alice: Integration, bob: Integration, mallory: Integration, subscribe: Subscribe
) -> None:
    created = subscribe(alice)
    delivery = alice.post(f"{PATH}/1/test").json["data"]["public_id"]
    paths = [f"{PATH}/{created['public_id']}{rest}" for rest in ("", "/rotate-secret", "/test", "/resend")]
    paths += [f"/api/v2/deliveries/{delivery}{rest}" for rest in ("", "/resend", "/discard")]
    for path in paths:
        for method in ("GET", "PUT", "PATCH", "DELETE", "POST"):
            answer = mallory.call(method, path, {"active": False} if method in {"PUT", "PATCH"} else None)
            assert answer.status_code in {404, 405}, (method, path)
        assert bob.get(path).status_code in {403, 405}
    assert mallory.get("/api/v2/deliveries").json["data"] == []
    stranger = mallory.get(f"/api/v2/deliveries?webhook_id={created['public_id']}")
    assert (stranger.status_code, list(stranger.json["errors"])) == (400, ["webhook_id"])
    assert bob.post(PATH, {"url": URL, "events": ["*"]}).status_code == 403
