"""What an integrator sees without a server of their own: from a write to the inbox and back."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from flask import Flask

from sandbox.delivery.schedule import WAITS
from sandbox.delivery.worker import Courier
from tests.conftest import Integration, runtime_of

pytestmark = pytest.mark.usefixtures("live_server")
INBOX = "/api/v2/sandbox/inbox"
ADDRESS = 2
"""The second address of a sandbox: the first receives what its demonstration mapping sends."""


def deliver(app: Flask) -> None:
    """What a worker does, by hand."""
    parts = runtime_of(app)
    Courier(parts.database, parts.outgoing).deliver_due()


def arrivals(alice: Integration) -> list[dict[str, Any]]:
    """What the webhook's address shows, oldest first."""
    found: list[dict[str, Any]] = alice.get(f"{INBOX}?address={ADDRESS}&limit=100").json["data"]
    return found[::-1]


def subscribe(alice: Integration, *events: str) -> dict[str, Any]:
    """A webhook at an address of the sandbox's own inbox."""
    address = alice.post(f"{INBOX}/addresses", {"name": "Webhooks"}).json["data"]
    assert address["id"] == ADDRESS
    answer = alice.post("/api/v2/webhooks", {"url": address["url"], "events": list(events)})
    assert answer.status_code == 201, answer.text
    webhook: dict[str, Any] = answer.json["data"]
    return webhook


def test_an_approved_invoice_arrives_at_the_inbox_signed_and_verified(app: Flask, alice: Integration) -> None:
    subscribe(alice, "invoice.approved")
    approved = alice.post("/api/v2/invoices/1/approve").json["data"]
    deliver(app)
    (arrival,) = arrivals(alice)
    assert arrival["verdict"] == "verified"
    message = alice.get(f"{INBOX}/{arrival['public_id']}").json["data"]
    assert approved["public_id"] in message["body"]
    (delivery,) = alice.get("/api/v2/deliveries?kind=webhook").json["data"]
    assert (delivery["status"], delivery["type"]) == ("delivered", "invoice.approved")
    assert delivery["message_id"] == arrival["webhook_id"]


def test_told_to_fail_four_times_it_is_tried_again_on_the_schedule(app: Flask, alice: Integration) -> None:
    subscribe(alice, "invoice.approved")
    alice.post(f"{INBOX}/answers", {"address": ADDRESS, "status": 503, "times": 4})
    alice.post("/api/v2/invoices/1/approve")
    deliver(app)
    offsets = [alice.get("/api/v2/sandbox/clock").json["data"]["offset"]]
    while len(arrivals(alice)) < 5:
        moved = alice.post("/api/v2/sandbox/clock", {"to": "next"}).json["data"]
        if "delivery.due" in {due["type"] for due in moved["due"]}:
            offsets.append(moved["offset"])
        deliver(app)
    assert [arrival["answer_status"] for arrival in arrivals(alice)] == [503, 503, 503, 503, 200]
    assert len({arrival["webhook_id"] for arrival in arrivals(alice)}) == 1
    waited = [after - before for before, after in pairwise(offsets)]
    for wait, planned in zip(waited, WAITS, strict=False):
        assert planned * 0.7 - 5 <= wait <= planned * 1.1 + 5
    (delivery,) = alice.get("/api/v2/deliveries?kind=webhook").json["data"]
    assert (delivery["status"], delivery["attempts"]) == ("delivered", 5)


def test_410_switches_the_webhook_off_and_what_comes_is_held_until_it_is_on_again(
    app: Flask, alice: Integration
) -> None:
    webhook = subscribe(alice, "customer.*")
    alice.post(f"{INBOX}/answers", {"address": ADDRESS, "status": 410, "times": 1})
    for name in ("First", "Second", "Third"):
        alice.post("/api/v2/customers", {"account": name})
        deliver(app)
    path = f"/api/v2/webhooks/{webhook['public_id']}"
    assert alice.get(path).json["data"]["status"] == "gone"
    assert {row["status"] for row in alice.get("/api/v2/deliveries?kind=webhook").json["data"]} == {"held"}
    assert alice.patch(path, {"active": True}).status_code == 200
    deliver(app)
    assert {row["status"] for row in alice.get("/api/v2/deliveries?kind=webhook").json["data"]} == {"delivered"}
    assert len(arrivals(alice)) == 4


def test_a_reset_keeps_the_webhook_its_secret_and_what_was_delivered(app: Flask, alice: Integration) -> None:
    subscribe(alice, "*")
    alice.post("/api/v2/customers", {"account": "Before"})
    assert alice.post("/api/v2/sandbox/reset").status_code == 200
    alice.post("/api/v2/customers", {"account": "After"})
    deliver(app)
    assert {arrival["verdict"] for arrival in arrivals(alice)} == {"verified"}
    kinds = [row["type"] for row in alice.get("/api/v2/deliveries?kind=webhook").json["data"]]
    assert kinds == ["customer.created", "sandbox.reset", "customer.created"]


def test_mallory_sees_nothing_of_alices_inbox_and_deliveries(
    app: Flask, alice: Integration, mallory: Integration
) -> None:
    webhook = subscribe(alice, "*")
    alice.post("/api/v2/customers", {"account": "Private"})
    deliver(app)
    (delivery,) = alice.get("/api/v2/deliveries?kind=webhook").json["data"]
    assert mallory.get("/api/v2/deliveries").json["data"] == []
    assert mallory.get(INBOX).json["data"] == []
    for path in (f"webhooks/{webhook['public_id']}", f"deliveries/{delivery['public_id']}"):
        assert mallory.get(f"/api/v2/{path}").status_code == 404
