"""What the inbox's operations answer to their samples."""

from __future__ import annotations

from typing import Any

from portal.api.operation import Answer, Done, Page

NOW = "2026-11-21T09:12:44Z"
STAMPS = {"created_at": NOW, "updated_at": NOW, "version": 1}
SAMPLE_ID = "ibm_7b1f0c94d85ae2639c4f10d7"
TOKEN = "w1Qm7sVt9aXkR4cZ0bYf3uLhJ6eNpDgo"  # noqa: S105 — an example's
DEFAULT: dict[str, Any] = {
    "id": 1,
    "public_id": "ibx_25e0b7d4c19f68a3b0d5e81c",
    "name": "Default",
    "url": f"https://developers.example.com/inbox/{TOKEN}",
    **STAMPS,
}
LEDGER = DEFAULT | {
    "id": 2,
    "public_id": "ibx_c4d8017ab92e5f63d1f7048b",
    "name": "Ledger",
    "url": "https://developers.example.com/inbox/Zr5TgYb8Hn2UjMk7QaWs1EdCx4RfVt9P",
}
PLAN = {"status": 503, "headers": {"Retry-After": "5"}, "times": 2}
BODY = (
    '{"type":"webhook.test","timestamp":"2026-11-21T09:12:44Z","data":{"public_id":"whk_a5d0c72f1be84963d1f07c4e",'
    '"message":"This is a test. Nothing happened to any record."}}'
)
PLANNED: dict[str, Any] = {
    "id": 1,
    "public_id": "iba_90f3d7e1b52c486a07d9c3fb",
    "address": 1,
    "behaviour": "answer",
    "status": 503,
    "headers": {"Retry-After": "5"},
    "delay_ms": 0,
    "times": 2,
    "used": 0,
    **STAMPS,
}
MESSAGE: dict[str, Any] = {
    "public_id": SAMPLE_ID,
    "address": 1,
    "method": "POST",
    "path": f"/inbox/{TOKEN}",
    "size": len(BODY),
    "verdict": "verified",
    "webhook_id": "evt_0c7b5f3e91a84d62c0b7f15e",
    "answer_status": 503,
    "delay_ms": 0,
    "received_at": NOW,
}
WHOLE = {
    "headers": [
        {"name": "Content-Type", "value": "application/json"},
        {"name": "Webhook-Id", "value": MESSAGE["webhook_id"]},
        {"name": "Webhook-Timestamp", "value": "1795252364"},
        {"name": "Webhook-Signature", "value": "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="},
    ],
    "body": BODY,
    "is_cut": False,
}
EXAMPLES: dict[str, Answer] = {
    "list_inbox_addresses": Page([DEFAULT], limit=20, page=1, total=1),
    "add_inbox_address": Done(LEDGER),
    "plan_inbox_answer": Done(PLANNED),
    "list_inbox_answers": Page([PLANNED], limit=20, page=1, total=1),
    "take_back_inbox_answer": Done({"id": 1, "public_id": PLANNED["public_id"]}),
    "list_inbox": Page([MESSAGE], limit=20, page=1, total=1),
    "read_inbox_message": MESSAGE | WHOLE,
    "clear_inbox": Done({"removed": 1}),
    "delete_inbox_address": Done({"id": 1, "public_id": DEFAULT["public_id"]}),
}
