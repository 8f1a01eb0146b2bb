"""Many at once, and records that go wrong in the middle: the others stand (attacks 22 to 26, 28)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import patch

import pytest
from flask import Flask

from portal.api.exchanges import list_exchanges
from portal.core.database import Database
from sandbox.integration.incoming import receiving
from sandbox.integration.incoming.samples import PAYLOADS
from sandbox.resources import vendors as vendor_module
from sandbox.tenants import NewSandbox
from tests.conftest import Integration

INCOMING = "/api/v1/integration/incoming"
VENDORS = "/api/v2/procurement/vendors"
ABC = PAYLOADS["vendor-creation"]


def vendor(number: int, **fields: Any) -> dict[str, Any]:
    return {**ABC, "vendorName": f"Vendor {number}", "gstNumber": f"27ABCDE{number:04d}F1Z5", **fields}


def test_forty_equal_payloads_at_once_make_one_record(app: Flask, alice: Integration) -> None:
    def once(_: int) -> Any:
        return Integration(app.test_client(), alice.key, alice.tenant).post(INCOMING, ABC)

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(once, range(40)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 39
    assert [answer.json["outcome"] for answer in answers].count("SUCCESS") == 1
    assert {answer.json["recordId"] for answer in answers} == {"VEND-1023"}
    assert alice.get(VENDORS).json["meta"]["total_records"] == 23
    assert alice.get("/api/v2/integration/incoming-logs").json["meta"]["total_records"] == 40


def test_one_key_sent_by_many_at_once_makes_one_record(app: Flask, alice: Integration) -> None:
    def once(_: int) -> Any:
        mine = Integration(app.test_client(), alice.key, alice.tenant)
        return mine.post(INCOMING, ABC, headers={"Idempotency-Key": "order-1"})

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(once, range(16)))
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert {answer.json["errorCode"] for answer in answers if answer.status_code == 409} <= {"IDEMPOTENCY_IN_PROGRESS"}
    again = once(0)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json["recordId"] == "VEND-1023"
    other = alice.post(INCOMING, vendor(2), headers={"Idempotency-Key": "order-1"})
    assert (other.status_code, other.json["errorCode"]) == (422, "IDEMPOTENCY_MISMATCH")
    failed = alice.post(INCOMING, {}, headers={"Idempotency-Key": "order-2"})
    corrected = alice.post(INCOMING, vendor(3), headers={"Idempotency-Key": "order-2"})
    assert (failed.status_code, corrected.status_code) == (400, 200)


def test_a_poison_record_harms_no_other_and_leaves_no_trace(alice: Integration) -> None:
    create = vendor_module.create_vendor

    def poisoned(session: Any, body: Any) -> Any:
        made = create(session, body)
        session.flush()
        if body.name == "Vendor 3":
            raise RuntimeError("poison")
        return made

    sent: list[Any] = [vendor(1), vendor(2, gstNumber="x"), "text", vendor(3), vendor(1), vendor(4)]
    object.__setattr__(vendor_module.vendors, "create", poisoned)
    try:
        answer = alice.post(INCOMING, sent)
    finally:
        object.__setattr__(vendor_module.vendors, "create", create)
    assert answer.status_code == 200
    outcomes = [(row["outcome"], row.get("errorCode"), row.get("recordId")) for row in answer.json]
    assert outcomes == [
        ("SUCCESS", None, "VEND-1023"),
        ("FAILED", "INVALID_GST", None),
        ("FAILED", "INVALID_RECORD", None),
        ("FAILED", "INTERNAL_ERROR", None),
        ("DUPLICATE", "DUPLICATE", "VEND-1023"),
        ("SUCCESS", None, "VEND-1024"),
    ]
    assert [row["id"] for row in alice.get(f"{VENDORS}?sort=-id&limit=2").json["data"]] == [24, 23]
    events = alice.get("/api/v2/events?type=vendor.created").json["data"]
    assert [event["data"]["vendor_code"] for event in events] == ["VEND-1024", "VEND-1023"]
    (act,) = alice.get("/api/v2/audit?action=incoming.receive").json["data"]
    assert [change["verb"] for change in act["changes"] if change["table"] == "vendors"] == ["created", "created"]
    assert alice.get("/api/v2/integration/incoming-logs").json["data"][0]["outcome"] == "MIXED"


def test_a_poison_record_that_comes_alone_is_logged_as_our_fault(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    with patch.object(receiving, "_body_of", side_effect=KeyError):
        answer = alice.post(INCOMING, ABC)
    assert (answer.status_code, answer.json["errorCode"]) == (500, "INTERNAL_ERROR")
    with database.transaction(write=False) as session:
        session.bind_tenant(alices_sandbox.tenant.id)
        assert [each.code for each in list_exchanges(session)] == ["internal_error"]


@pytest.mark.parametrize(
    ("raw", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "MALFORMED_JSON"),
        (b'{"a": 1, "a": 2}', "application/json", 400, "MALFORMED_JSON"),
        (b'{"a": "\xff"}', "application/json", 400, "MALFORMED_JSON"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "application/json", 400, "MALFORMED_JSON"),
        (b"", "application/json", 400, "VALIDATION_FAILED"),
        (b"null", "application/json", 400, "VALIDATION_FAILED"),
        (b'"text"', "application/json", 400, "VALIDATION_FAILED"),
        (b"[]", "application/json", 400, "VALIDATION_FAILED"),
        (b"[" + b"{}," * 500 + b"{}]", "application/json", 400, "VALIDATION_FAILED"),
        (b"{}", "text/plain", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b'{"a": "' + b"a" * 5_300_000 + b'"}', "application/json", 413, "PAYLOAD_TOO_LARGE"),
    ],
)
@pytest.mark.one_store
def test_what_cannot_be_read_is_refused_in_the_same_shape(
    alice: Integration, raw: bytes, content_type: str, status: int, code: str
) -> None:
    answer = alice.call("POST", INCOMING, data=raw, content_type=content_type)
    assert (answer.status_code, answer.json["errorCode"]) == (status, code), answer.text
    assert {"status": "error", "outcome": "FAILED"}.items() <= answer.json.items()
    assert "success" not in answer.json and "notice" not in answer.json


@pytest.mark.one_store
def test_guards_refuse_in_the_same_shape(alice: Integration, app: Flask) -> None:
    bare = app.test_client().post(INCOMING, json=ABC)
    assert (bare.status_code, bare.json["errorCode"]) == (401, "UNAUTHORIZED")
    assert bare.json["requestId"] == bare.headers["X-Request-Id"]
    assert bare.json["docs_url"].endswith("/errors/unauthorized")
    assert bare.headers["WWW-Authenticate"] == "Bearer"
    unknown = alice.post(f"{INCOMING}?mapping=nothing", ABC)
    assert (unknown.status_code, unknown.json["errorCode"]) == (404, "MAPPING_NOT_FOUND")
    header = alice.post(INCOMING, {}, headers={"X-Integration-Mapping": "website-lead"})
    assert set(header.json["errors"]) == {"firstName", "lastName", "email"}
    both = alice.post(f"{INCOMING}?mapping=vendor-creation", ABC, headers={"X-Integration-Mapping": "website-lead"})
    assert (both.status_code, list(both.json["errors"])) == (400, ["mapping"])
    asked = alice.post(f"{INCOMING}?dry_run=perhaps&colour=red", ABC)
    assert set(asked.json["errors"]) == {"dry_run", "colour"}
    for name, status in (("rate_limited", 429), ("unavailable", 503), ("server_error", 500)):
        acted = alice.post(INCOMING, ABC, headers={"X-Sandbox-Scenario": name})
        assert (acted.status_code, acted.json["status"]) == (status, "error"), acted.text


def test_hostile_values_are_refused_by_name(alice: Integration) -> None:
    hostile: dict[str, Any] = {
        "nul\x00": "vendorName",
        "\ud800": "vendorName",
        "Z" + "\u0301" * 1000: "vendorName",
        "a" * 300_000: "vendorName",
    }
    for value, name in hostile.items():
        for query in ("?dry_run=true", ""):
            answer = alice.post(INCOMING + query, vendor(1, **{name: value}))
            assert (answer.status_code, list(answer.json["errors"])) == (400, [name]), answer.text
    for odd in ({}, [], True, 10**39, {"a": [1]}):
        answer = alice.post(INCOMING, vendor(1, gstNumber=odd))
        assert (answer.status_code, list(answer.json["errors"])) == (400, ["gstNumber"]), answer.text
    assert alice.get(VENDORS).json["meta"]["total_records"] == 22
