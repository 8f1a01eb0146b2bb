"""Every event of the contract's section 7 is caused over HTTP, carries what the document says, and has its page."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import jsonschema
import pytest
from flask import Flask
from standardwebhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from portal.docs.announced import SECRET, Event
from portal.docs.service import Docs, load_docs
from sandbox.tenants import NewSandbox
from tests.contract.described import document_of
from tests.contract.door import Door, call
from tests.contract.test_reference_order import in_order, opened
from tests.lint import read_page

PROMISED = [
    *("customer.created", "customer.updated", "customer.deleted"),
    *("invoice.created", "invoice.updated", "invoice.approved", "invoice.paid", "invoice.voided", "payment.received"),
    *("quote.*", "ticket.*", "lead.*", "product.*", "vendor.created", "goods_receipt.posted", "stock.low"),
    *("subscription.changed", "sandbox.reset"),
]
SHIPPED = {"product_id": 19, "type": "out", "reason": "Shipped"}
LEAD = {"source": "website", "name": "Jane Smith", "email": "jane.smith@buyers.example"}
Causes = dict[str, set[str]]


@pytest.fixture
def docs(app: Flask) -> Docs:
    return load_docs(app)


def causes_in(app: Flask, door: Door) -> Causes:
    """The operations that were seen to cause each event: what a webhook for everything was sent."""
    made: dict[str, str] = {}
    call(door, "POST", "/api/v2/webhooks", {"url": "https://example.com/all", "events": ["*"]})
    for id_, method, address, body in further(door):
        made[f"further-{len(made)}"] = id_
        answer = call(door, method, address, body, {"X-Request-Id": f"further-{len(made) - 1}"})
        assert answer.status_code < 300, answer.text
    for operation in in_order(app):
        if not operation.id.startswith("webhooks."):
            made[f"sample-{len(made)}"] = operation.id
            address = operation.address(door.tenant.public_id, **opened(door, operation))
            call(door, operation.method, address, operation.body, {"X-Request-Id": f"sample-{len(made) - 1}"})
    call(door, "PUT", f"/api/tenants/{door.tenant.public_id}/subscription", {"plan": "enterprise"})
    causes: Causes = defaultdict(set)
    for row in walked(door, "/api/v2/deliveries?webhook_id=1&limit=100"):
        if row["trace"] in made:
            causes[row["type"]].add(made[row["trace"]])
    return causes


def further(door: Door) -> Iterator[tuple[str, str, str, Any]]:
    """Calls for what no sample causes, made before the samples."""
    for message in ("Please call me about two licences", "Any news about my inquiry of this morning?"):
        yield "public-leads.submit", "POST", "/api/public/leads", LEAD | {"message": message}
    (invoice,) = call(door, "GET", "/api/v2/invoices?status=Unpaid&sort=-id&limit=1").get_json()["data"]
    paid = {"amount": invoice["balance"], "account_id": 1, "date": invoice["date"]}
    yield "invoices.pay", "POST", f"/api/v2/invoices/{invoice['id']}/payments", paid
    level = call(door, "GET", "/api/v2/inventory/stock/19").get_json()["data"]
    yield "movements.create", "POST", "/api/v2/inventory/movements", SHIPPED | {"qty": level["qty"]}


def walked(door: Door, address: str) -> Iterator[dict[str, Any]]:
    cursor: str | None = ""
    while cursor is not None:
        page = call(door, "GET", f"{address}&cursor={cursor}").get_json()
        yield from page["data"]
        cursor = page["meta"]["next_cursor"]


def test_every_event_is_caused_by_the_operations_its_page_names(
    app: Flask, docs: Docs, alices_sandbox: NewSandbox
) -> None:
    door = Door(app, alices_sandbox)
    causes = causes_in(app, door)
    for event in docs.events:
        named = set(docs.library.events[event.name].causes)
        assert causes[event.name], f"nothing caused {event.name}"
        assert causes[event.name] <= named, f"{event.name} is also caused by {causes[event.name] - named}"
    examples = {event.name: event.body.examples[0].value["data"] for event in docs.events}
    seen = set()
    for row in walked(door, "/api/v2/events?limit=100"):
        assert row["data"].keys() == examples[row["type"]].keys(), row["type"]
        jsonschema.validate(row["data"], payload_schema(app, row["type"]))
        seen.add(row["type"])
    assert seen == set(examples)


def payload_schema(app: Flask, name: str) -> dict[str, Any]:
    document = document_of(app)
    media = document["webhooks"][name]["post"]["requestBody"]["content"]["application/json"]
    return {**media["schema"]["properties"]["data"], "components": document["components"]}


@pytest.mark.one_store
def test_the_catalogue_holds_what_was_promised_and_nothing_else(app: Flask, docs: Docs) -> None:
    names = {event.name for event in docs.events}
    assert names == set(docs.library.events) == set(app.extensions["event names"])
    for promise in PROMISED:
        assert any(fnmatchcase(name, promise) for name in names), promise
    assert not [name for name in names if not any(fnmatchcase(name, promise) for promise in PROMISED)]


@pytest.mark.one_store
def test_every_event_has_a_page_whose_example_a_receiver_can_verify(app: Flask, docs: Docs) -> None:
    client = app.test_client()
    index = read_page("/events", client.get("/events"))
    assert {event.url for event in docs.events} <= set(index.links)
    for event in docs.events:
        page = read_page(event.url, client.get(event.url))
        twin = client.get(f"{event.url}.md").get_data(as_text=True)
        assert_verified(event)
        for name, value in event.headers.items():
            assert f"{name}: {value}" in page.text
            assert f"{name}: {value}" in twin
        assert event.payload in twin
        assert {operation.url for operation in docs.causes_of(event)} <= set(page.links)
        example = event.body.examples[0].value
        jsonschema.validate(json.loads(event.payload)["data"], payload_schema(app, event.name))
        assert example["type"] == event.name
    assert client.get("/events/customer.vanished").status_code == 404
    assert "/events/invoice.paid.md" in client.get("/llms.txt").get_data(as_text=True)
    assert "/events/invoice.paid" in client.get("/sitemap.xml").get_data(as_text=True)
    assert "/events/stock.low" in client.get("/search?q=stock.low").get_data(as_text=True)


def assert_verified(event: Event) -> None:
    """By the specification's own library, but for its refusal of old messages, which an example is."""
    headers = event.headers
    signer = Verifier(SECRET)
    at = int(headers["webhook-timestamp"])
    with pytest.raises(WebhookVerificationError, match="timestamp"):
        signer.verify(event.payload, headers)
    signature = signer.sign(headers["webhook-id"], dt.datetime.fromtimestamp(at, dt.UTC), event.payload)
    assert signature == headers["webhook-signature"]
