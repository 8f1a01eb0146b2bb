"""The log by API: what was called, filtered, and one call whole with its secrets masked."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask

from portal.limits import vouch_for_visitor
from tests.conftest import Integration

REQUESTS = "/api/v2/sandbox/requests"
CUSTOMERS = "/api/v2/customers"


def listed(caller: Integration, query: str = "") -> list[dict[str, Any]]:
    answer = caller.get(f"{REQUESTS}?{query}")
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json["data"]
    return rows


def test_the_newest_comes_first_with_what_it_was(alice: Integration) -> None:
    alice.get(f"{CUSTOMERS}/1")
    alice.post(CUSTOMERS, {"account": ""}, headers={"X-Request-Id": "mine-1"})
    newest, oldest = listed(alice)
    assert newest.keys() == oldest.keys()
    assert "request_body" not in newest
    assert newest == newest | {
        "request_id": "mine-1",
        "operation": "customers.create",
        "method": "POST",
        "path": CUSTOMERS,
        "status": 400,
        "code": "validation_failed",
        "scenario": None,
        "key_id": alice.key.split("_")[2],
        "role": "administrator",
        "source": "api",
    }
    assert newest["duration_ms"] > 0
    assert (oldest["operation"], oldest["status"], oldest["code"]) == ("customers.read", 200, None)


def test_each_filter_keeps_what_it_says(app: Flask, alice: Integration, bob: Integration) -> None:
    alice.get(f"{CUSTOMERS}/1")
    alice.get(f"{CUSTOMERS}/999")
    alice.post(CUSTOMERS, {"account": "New"})
    bob.post(CUSTOMERS, {"account": "New"}, headers={"X-Request-Id": "bobs"})
    with app.test_request_context(environ_base={"REMOTE_ADDR": "127.0.0.1"}):
        vouched = vouch_for_visitor()
    alice.get(CUSTOMERS, headers=vouched)

    def statuses(query: str) -> list[int]:
        return [row["status"] for row in listed(alice, query) if row["operation"].startswith("customers.")]

    assert statuses("status=4xx") == [403, 404]
    assert statuses("status=404") == [404]
    assert statuses("status=2xx") == [200, 201, 200]
    assert statuses("method=POST") == [403, 201]
    assert statuses("operation=customers.read") == [404, 200]
    assert statuses("code=forbidden") == [403]
    assert statuses("request_id=bobs") == [403]
    assert statuses("source=console") == [200]
    assert statuses("since=2020-01-01T00:00:00Z&operation=customers.create") == [403, 201]
    assert statuses("since=2999-01-01T00:00:00Z") == []


@pytest.mark.parametrize(
    "query",
    [
        *("status=9xx", "status=40", "status=abc", "status=%C2%B9xx", "method=BREW", "source=mars", "since=yesterday"),
        *("request_id=a%20b", "code=%00", "operation=%27", "sort=path", "limit=0", "tenant=other"),
    ],
)
def test_a_bad_filter_is_refused(alice: Integration, query: str) -> None:
    answer = alice.get(f"{REQUESTS}?{query}")
    assert (answer.status_code, answer.json["code"]) == (400, "validation_failed")


def test_pages_and_a_walk_see_every_call_once(alice: Integration) -> None:
    for number in range(7):
        alice.get(f"{CUSTOMERS}/{number + 1}", headers={"X-Request-Id": f"call-{number}"})
    seen = [
        row["request_id"]
        for page in (1, 2, 3)
        for row in listed(alice, f"operation=customers.read&limit=3&page={page}")
    ]
    assert seen == [f"call-{number}" for number in range(6, -1, -1)]
    walked, cursor = [], ""
    while cursor is not None:
        answer = alice.get(f"{REQUESTS}?operation=customers.read&limit=3&cursor={quote(cursor)}").json
        walked += [row["request_id"] for row in answer["data"]]
        cursor = answer["meta"]["next_cursor"]
    assert walked == seen


def test_one_call_is_shown_whole_and_its_secrets_masked(alice: Integration) -> None:
    body = {"account": "New", "phone": alice.key}
    sent = alice.post(CUSTOMERS, body, headers={"X-Request-Id": "mine-2", "X-Note": "kept"})
    whole = alice.get(f"{REQUESTS}/mine-2").json["data"]
    assert whole["status"] == sent.status_code
    assert json.loads(whole["request_body"])["account"] == "New"
    assert json.loads(whole["response_body"])["code"] == sent.json["code"]
    headers = {header["name"]: header["value"] for header in whole["request_headers"]}
    assert headers["X-Note"] == "kept"
    assert "••••" in headers["Authorization"]
    answered = {header["name"]: header["value"] for header in whole["response_headers"]}
    assert answered["X-RateLimit-Limit"] == "1000"
    assert alice.key.split("_")[-1] not in json.dumps(whole)


def test_of_one_id_the_latest_is_shown(alice: Integration) -> None:
    for number in (1, 2):
        alice.get(f"{CUSTOMERS}/{number}", headers={"X-Request-Id": "same"})
    assert alice.get(f"{REQUESTS}/same").json["data"]["path"] == f"{CUSTOMERS}/2"


def test_a_strangers_call_is_unknown(alice: Integration, mallory: Integration) -> None:
    alice.get(f"{CUSTOMERS}/1", headers={"X-Request-Id": "hers"})
    for request_id in ("hers", "nobodys", "a b", "%00", "x" * 65):
        answer = mallory.get(f"{REQUESTS}/{request_id}")
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert not [row for row in listed(mallory) if row["request_id"] == "hers"]


def test_it_outlives_a_reset(alice: Integration) -> None:
    alice.get(f"{CUSTOMERS}/1", headers={"X-Request-Id": "before"})
    alice.post("/api/v2/sandbox/reset")
    assert alice.get(f"{REQUESTS}/before").status_code == 200


def test_who_may_read_it(alice: Integration, bob: Integration, house: Integration) -> None:
    assert bob.get(REQUESTS).json["code"] == "forbidden"
    assert bob.get(f"{REQUESTS}/any").json["code"] == "forbidden"
    refused = house.get(REQUESTS)
    assert (refused.status_code, refused.json["code"]) == (409, "conflict")
    before = alice.get(CUSTOMERS).headers["X-RateLimit-Remaining"]
    assert alice.get(REQUESTS).headers["X-RateLimit-Remaining"] == before
