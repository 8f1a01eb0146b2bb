"""The log of deliveries: what was sent, what came back, and another try for one, a range, or all that failed."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable

import pytest
from sqlalchemy import delete, update
from standardwebhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from portal.core.clock import system_now
from portal.core.database import Database
from sandbox.delivery.models import Delivery, Queued
from sandbox.tenants import NewSandbox
from sandbox.webhooks.models import EarlierSecret
from tests.conftest import Integration
from tests.sandbox.delivery.conftest import CourierMaker, bound
from tests.sandbox.delivery.sink import Sink
from tests.sandbox.webhooks.conftest import PATH, Subscribe

LOG = "/api/v2/deliveries"


def cause(alice: Integration, count: int = 1) -> list[str]:
    """Customers made, and so events; their public ids in order."""
    return [
        alice.post("/api/v2/customers", {"account": f"Customer {number}"}).json["data"]["public_id"]
        for number in range(count)
    ]


def test_a_message_arrives_signed_and_its_delivery_tells_all(
    alice: Integration, subscribe: Subscribe, courier: CourierMaker, sink: Sink
) -> None:
    secret = subscribe(alice, events=["customer.created"])["secret"]
    made = alice.post("/api/v2/customers", {"account": "Harbour"}, headers={"X-Request-Id": "req-of-mine"})
    (waiting,) = alice.get(LOG).json["data"]
    assert (waiting["status"], waiting["attempts"], waiting["trace"]) == ("pending", 0, "req-of-mine")
    assert waiting["next_attempt_at"] is not None
    sink.decide = lambda arrival: (200, {"X-Said": "thanks"})
    courier().deliver_due()
    (arrival,) = sink.arrivals
    assert Verifier(secret).verify(arrival.body, arrival.headers)["data"]["account"] == "Harbour"
    whole = alice.get(f"{LOG}/{waiting['public_id']}").json["data"]
    assert (
        whole["message_id"] == arrival.headers["webhook-id"] == alice.get("/api/v2/events").json["data"][0]["public_id"]
    )
    assert whole["subject"] == made.json["data"]["public_id"]
    assert (whole["status"], whole["attempts"], whole["answer_status"]) == ("delivered", 1, 200)
    assert whole["next_attempt_at"] is None
    assert whole["body"].encode() == arrival.body
    (attempt,) = whole["history"]
    sent = {header["name"]: header["value"] for header in attempt["request_headers"]}
    assert sent["webhook-signature"] == arrival.headers["webhook-signature"]
    assert {"name": "X-Said", "value": "thanks"} in attempt["answer_headers"]
    assert (attempt["answer_body"], attempt["failure"]) == ("ok", None)
    assert attempt["duration_ms"] > 0


def test_both_secrets_verify_for_a_day_after_a_rotation(
    alice: Integration,
    subscribe: Subscribe,
    courier: CourierMaker,
    sink: Sink,
    database: Database,
    alices_sandbox: NewSandbox,
) -> None:
    old = subscribe(alice)["secret"]
    new = alice.post(f"{PATH}/1/rotate-secret").json["data"]["secret"]
    alice.post(f"{PATH}/1/test")
    courier().deliver_due()
    with database.transaction() as session:
        (earlier,) = bound(session, alices_sandbox).query(EarlierSecret)
        earlier.ends_at = system_now() - dt.timedelta(seconds=1)
    alice.post(f"{PATH}/1/test")
    courier().deliver_due()
    during, after = sink.arrivals
    for secret in (old, new):
        assert Verifier(secret).verify(during.body, during.headers)["type"] == "webhook.test"
    assert Verifier(new).verify(after.body, after.headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(old).verify(after.body, after.headers)


def test_the_log_is_read_by_webhook_status_type_subject_trace_message_and_day(
    alice: Integration, subscribe: Subscribe, courier: CourierMaker, sink: Sink
) -> None:
    subscribe(alice, events=["customer.*"])
    other = subscribe(alice, events=["lead.created"], active=False)
    customer, _ = cause(alice, 2)
    lead = {"first_name": "Asha", "last_name": "Rao", "email": "asha@buyers.example"}
    alice.post("/api/v2/leads", lead, headers={"X-Request-Id": "the-lead"})
    courier().deliver_due()
    today = alice.get(LOG).json["data"][0]["created_at"][:10]
    message = alice.get(f"{LOG}?subject={customer}").json["data"][0]["message_id"]
    counts = {
        "": 3,
        "webhook_id=1": 2,
        f"webhook_id={other['public_id']}": 1,
        "kind=webhook": 3,
        "kind=send": 0,
        "status=delivered": 2,
        "status=held": 1,
        "type=lead.created": 1,
        f"subject={customer}": 1,
        "trace=the-lead": 1,
        f"message_id={message}": 1,
        f"date_from={today}": 3,
        "date_to=2020-01-01": 0,
        "type=customer.created&status=delivered&webhook_id=1": 2,
    }
    for query, count in counts.items():
        answer = alice.get(f"{LOG}?{query}")
        assert (answer.status_code, len(answer.json["data"])) == (200, count), query
    newest, *_, oldest = alice.get(LOG).json["data"]
    assert (newest["type"], oldest["subject"]) == ("lead.created", customer)
    walked = alice.get(f"{LOG}?cursor=&limit=2").json
    rest = alice.get(f"{LOG}?limit=2&cursor={walked['meta']['next_cursor']}").json
    assert len(walked["data"] + rest["data"]) == 3
    for query in ("webhook_id=99", "kind=mail", "status=lost", "type=a b", "trace=%00", "subject=1", "sort=url"):
        answer = alice.get(f"{LOG}?{query}")
        assert (answer.status_code, list(answer.json["errors"])) == (400, [query.partition("=")[0]])


def test_one_delivery_is_sent_again_or_discarded(
    alice: Integration, subscribe: Subscribe, courier: CourierMaker, sink: Sink, make_due: Callable[[], None]
) -> None:
    subscribe(alice)
    answer = alice.post(f"{PATH}/1/test")
    assert answer.status_code == 201
    path = answer.headers["Location"]
    assert alice.post(f"{path}/resend").status_code == 409
    discarded = alice.post(f"{path}/discard").json["data"]
    assert (discarded["status"], discarded["next_attempt_at"]) == ("discarded", None)
    assert alice.post(f"{path}/discard").status_code == 409
    courier().deliver_due()
    assert sink.arrivals == []
    assert alice.post(f"{path}/resend").json["data"]["status"] == "pending"
    courier().deliver_due()
    assert alice.post(f"{path}/discard").json["message"].startswith("This delivery is delivered already")
    assert alice.post(f"{path}/resend").status_code == 200
    courier().deliver_due()
    assert len(sink.ids) == 2
    assert len(set(sink.ids)) == 1
    acts = [act["action"] for act in alice.get("/api/v2/audit").json["data"]]
    assert acts[:3] == ["deliveries.resend", "deliveries.resend", "deliveries.discard"]


def test_all_that_failed_and_a_range_are_sent_again_oldest_first(
    alice: Integration, subscribe: Subscribe, courier: CourierMaker, sink: Sink
) -> None:
    subscribe(alice, events=["customer.created"], ordered=True)
    cause(alice, 3)
    sink.decide = lambda arrival: (500, {}) if len(sink.arrivals) < 3 else (200, {})
    courier(waits=(0,)).deliver_due()
    assert [row["status"] for row in alice.get(LOG).json["data"]] == ["held", "held", "failed"]
    assert alice.get(f"{PATH}/1").json["data"]["status"] == "failing"
    alice.patch(f"{PATH}/1", {"active": True})
    resent = alice.post(f"{PATH}/1/resend", {"status": "failed"})
    assert resent.json["data"] == {"resent": 1, "next_from": None, "next_after": None}
    assert alice.post(f"{PATH}/1/resend", {"status": "failed"}).json["data"]["resent"] == 0
    sink.decide = lambda arrival: (200, {})
    courier().deliver_due()
    alice.post("/api/v2/sandbox/clock", {"advance": "P1D"})
    later = cause(alice)[0]
    courier().deliver_due()
    sink.arrivals.clear()
    first = alice.get(f"{LOG}?sort=created_at").json["data"][0]["created_at"]
    new = alice.get(f"{LOG}?subject={later}").json["data"][0]["created_at"]
    old_ones = {"from": first, "to": first.replace("Z", "+00:00")}
    assert alice.post(f"{PATH}/1/resend", {"from": new}).json["data"]["resent"] == 1
    assert alice.post(f"{PATH}/1/resend", {"from": new, "to": first}).json["errors"] == {
        "to": "To must not be before from"
    }
    assert 1 <= alice.post(f"{PATH}/1/resend", old_ones).json["data"]["resent"] <= 3
    courier().deliver_due()
    names = [json.loads(arrival.body)["data"]["account"] for arrival in sink.arrivals]
    assert names[:-1] == sorted(names[:-1])
    for wrong in ({}, {"from": None}, {"status": "held"}, {"from": "yesterday"}, {"since": 3}):
        assert alice.post(f"{PATH}/1/resend", wrong).status_code == 400


@pytest.mark.one_store
def test_a_call_sends_a_thousand_again_and_says_where_to_go_on(
    alice: Integration, subscribe: Subscribe, database: Database, alices_sandbox: NewSandbox
) -> None:
    subscribe(alice)
    alice.post(f"{PATH}/1/test")
    with database.transaction() as session:
        bound(session, alices_sandbox)
        (one,) = session.query(Delivery)
        shared = {name: getattr(one, name) for name in ("endpoint_id", "kind", "type", "trace", "url", "body")}
        for number in range(1100):
            session.add(
                Delivery(**shared, message_id=f"evt_{number}", status="failed", attempts=1, created_at=one.created_at)
            )
    first = alice.post(f"{PATH}/1/resend", {"status": "failed"}).json["data"]
    with database.transaction() as session:
        bound(session, alices_sandbox).execute(update(Delivery).values(status="failed"))
        session.execute(delete(Queued))
    second = alice.post(f"{PATH}/1/resend", {"status": "failed", "after": first["next_after"]}).json["data"]
    assert (first["resent"], second["resent"], second["next_after"]) == (1000, 100, None)
    unknown = alice.post(f"{PATH}/1/resend", {"after": "dlv_000000000000000000000000"})
    assert unknown.json["errors"] == {"after": "No such delivery"}
