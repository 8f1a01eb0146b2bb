"""What the operations on webhooks and deliveries answer to their samples."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from portal.api.operation import Answer, Done, Page

NOW = "2026-11-21T09:12:44Z"
SAMPLE = {
    "url": "https://example.com/hooks/slipway",
    "events": ["customer.*", "invoice.paid"],
    "description": "Keeps the ledger in step",
}
REPLACEMENT = SAMPLE | {"events": ["customer.*", "invoice.*"]}
CHANGE = {"events": ["customer.*", "invoice.*", "payment.received"]}
WEBHOOK: dict[str, Any] = {
    "id": 1,
    "public_id": "whk_a5d0c72f1be84963d1f07c4e",
    **SAMPLE,
    "active": True,
    "ordered": False,
    "status": "active",
    "held": 0,
    "closed_at": None,
    "failing_since": None,
    "old_secret_until": None,
    "created_at": NOW,
    "updated_at": NOW,
    "version": 1,
}
SECRET = {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
CHANGED = {"updated_at": NOW, "version": 2}
DELIVERY: dict[str, Any] = {
    "public_id": "dlv_7c01f4b82e6da953b0c4e71f",
    "kind": "webhook",
    "status": "pending",
    "type": "webhook.test",
    "subject": WEBHOOK["public_id"],
    "trace": "req_5f0d8c1b7a3e9d2460c8b1f7",
    "message_id": "evt_0c7b5f3e91a84d62c0b7f15e",
    "webhook_id": 1,
    "url": SAMPLE["url"],
    "attempts": 0,
    "answer_status": None,
    "reason": None,
    "reference": None,
    "created_at": NOW,
    "attempted_at": None,
    "next_attempt_at": NOW,
    "ended_at": None,
}
FAILED = DELIVERY | {
    "attempts": 1,
    "answer_status": 500,
    "reason": "Answered 500",
    "attempted_at": NOW,
    "next_attempt_at": "2026-11-21T09:12:49Z",
}
SENT_BODY = (
    '{"type":"webhook.test","timestamp":"2026-11-21T09:12:44Z","data":{"public_id":"whk_a5d0c72f1be84963d1f07c4e",'
    '"message":"This is a test. Nothing happened to any record."}}'
)
ATTEMPT: dict[str, Any] = {
    "number": 1,
    "made_at": NOW,
    "duration_ms": Decimal("84.127"),
    "url": SAMPLE["url"],
    "request_headers": [
        {"name": "Content-Type", "value": "application/json"},
        {"name": "User-Agent", "value": "Slipway-Webhooks/1"},
        {"name": "webhook-id", "value": DELIVERY["message_id"]},
        {"name": "webhook-timestamp", "value": "1795252364"},
        {"name": "webhook-signature", "value": "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="},
    ],
    "request_body": SENT_BODY,
    "answer_status": 500,
    "answer_headers": [{"name": "Content-Type", "value": "text/plain"}],
    "answer_body": "The ledger is closed for the night.",
    "failure": "Answered 500",
}

EXAMPLES: dict[str, Answer] = {
    "webhooks.list": Page([WEBHOOK], limit=20, page=1, total=1),
    "webhooks.create": Done({**WEBHOOK, **SECRET}),
    "webhooks.read": WEBHOOK,
    "webhooks.replace": Done(WEBHOOK | REPLACEMENT | CHANGED),
    "webhooks.update": Done(WEBHOOK | CHANGE | CHANGED),
    "webhooks.rotate_secret": Done({**WEBHOOK, **SECRET} | CHANGED | {"old_secret_until": "2026-11-22T09:12:44Z"}),
    "webhooks.test": Done(DELIVERY),
    "webhooks.resend": Done({"resent": 0, "next_from": None, "next_after": None}),
    "webhooks.delete": Done({"id": 1, "public_id": WEBHOOK["public_id"]}),
    "deliveries.list": Page([FAILED], limit=20, page=1, total=1),
    "deliveries.read": FAILED | {"body": SENT_BODY, "history": [ATTEMPT]},
    "deliveries.resend": Done(DELIVERY),
    "deliveries.discard": Done(DELIVERY | {"status": "discarded", "next_attempt_at": None, "ended_at": NOW}),
}
