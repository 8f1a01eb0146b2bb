"""The answers the API document shows are what a fresh sandbox gives to the samples shown beside them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from flask import Flask

from portal.api.answers import encode, envelope
from portal.api.operation import Operation
from portal.core.database import Database
from portal.docs.calls import fill_path
from sandbox import extension
from tests.conftest import Integration
from tests.contract.beforehand import prepare

exact = msgspec.json.Decoder(float_hook=Decimal).decode
VARYING = {
    "public_id",
    "created_at",
    "updated_at",
    "approved_at",
    "reset_at",
    "tenant",
    "kept",
    "sold_at",
    "received_at",
}
OF_A_DELIVERY = {"subject", "trace", "message_id", "next_attempt_at", "ended_at"}
OF_A_SEND = {"subject", "url", "idempotency_key", "trace", "next_attempt_at", "ended_at"}
OF_A_RUN = {"last_run_at", "next_run_at"}
OF_AN_ATTEMPT = {"attempted_at", "made_at", "duration_ms", "body", "request_body", "value"}
VARYING_WITH_TODAY: dict[str, set[str]] = {
    "sales.create": {"date", "receipt_number"},
    "receipts.create": {"receipt_number"},
    "quotes.create": {"issued_on", "quote_number"},
    "quotes.convert": {"date", "invoice_number"},
    "tickets.close": {"closed_at"},
    "incoming.receive": {"requestId"},
    **{f"{kind}-mappings.versions": {"published_at"} for kind in ("incoming", "outgoing")},
    "incoming-mappings.replay": {"received_at"},
    "incoming-logs.list": {"key_id", "received_at", "duration"},
    "incoming-logs.read": {"key_id", "received_at", "duration", "body", "record_public_id"},
    "sandbox.read_clock": {"now"},
    "sandbox.move_clock": {"was", "now"},
    "sandbox.list_snapshots": {"records"},
    "sandbox.take_snapshot": {"records"},
    "sandbox.restore_snapshot": {"snapshot", "restored_at", "now"},
    "sandbox.list_requests": {"request_id", "key_id", "duration_ms"},
    "sandbox.read_request": {"key_id", "duration_ms", "request_body", "response_body", "name", "value"},
    **{f"sandbox.{name}": {"url"} for name in ("list_inbox_addresses", "add_inbox_address")},
    "sandbox.list_inbox": {"path"},
    "sandbox.read_inbox_message": {"path", "name", "value"},
    "webhooks.create": {"secret"},
    "webhooks.rotate_secret": {"secret", "old_secret_until"},
    **{f"connections.{verb}": {"url"} for verb in ("list", "read", "update")},
    **dict.fromkeys(("outgoing-mappings.create", "outgoing-mappings.replace"), OF_A_RUN),
    **dict.fromkeys(("invoices.send", "vendors.send", "receipts.send", "outgoing-mappings.send"), OF_A_SEND),
    **dict.fromkeys(("outgoing-logs.list", "outgoing-logs.read", "failed.list"), OF_A_SEND),
    "failed.update": OF_A_SEND | {"previous_idempotency_key"},
    "traces.read": OF_A_SEND,
    **dict.fromkeys(("webhooks.test", "deliveries.resend", "deliveries.discard"), OF_A_DELIVERY),
    **dict.fromkeys(("deliveries.list", "deliveries.read"), OF_A_DELIVERY | OF_AN_ATTEMPT),
}
REFUSED = {"tenants.create"}
SENT = [operation for operation in extension.operations if operation.id not in REFUSED]


def comparable(value: Any, varying: set[str], name: str = "") -> Any:
    """A document without what differs between sandboxes; a list stands for its first entry."""
    if isinstance(value, dict):
        return {key: comparable(item, varying, key) for key, item in value.items()}
    if isinstance(value, list):
        return [comparable(item, varying) for item in value[:1]]
    return "…" if name in varying else value


def call(caller: Integration, operation: Operation) -> Any:
    path = fill_path(operation.path, {**operation.sample_path})
    if operation.path.startswith("/api/tenants/"):
        path = fill_path(operation.path, {"id": caller.tenant})
    query = f"?{urlencode(operation.sample_query)}" if operation.sample_query else ""
    body = json.loads(encode(operation.sample)) if operation.sample is not None else None
    return caller.call(operation.method, path + query, body)


@pytest.mark.one_store
@pytest.mark.parametrize("operation", SENT, ids=lambda operation: operation.id)
def test_the_example_is_what_the_sample_is_answered_with(
    alice: Integration, operation: Operation, database: Database
) -> None:
    answer = call(alice, prepare(alice, operation, database))
    shown = exact(encode(envelope(operation.example, operation.outcome)))
    assert answer.status_code == operation.status
    given = exact(answer.data)
    if operation.id in {"sandbox.reset", "sandbox.restore_snapshot"}:
        assert given["data"].keys() == shown["data"].keys()
        assert shown["data"]["restored"].items() <= given["data"]["restored"].items()
    else:
        varying = VARYING | VARYING_WITH_TODAY.get(operation.id, set())
        assert comparable(given, varying) == comparable(shown, varying)


@pytest.mark.one_store
def test_every_success_of_the_document_has_an_example_and_words_of_its_own(app: Flask) -> None:
    document = app.test_client().get("/openapi.json").json
    for item in document["paths"].values():
        for operation in item.values():
            success = next(answer for status, answer in operation["responses"].items() if status < "300")
            assert "example" in success["content"]["application/json"], operation["operationId"]
            assert success["description"] not in {"", "Done", operation["summary"]}, operation["operationId"]
