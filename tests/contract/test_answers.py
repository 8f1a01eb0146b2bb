"""Envelope, parsers, limits, headers (contract sections 3 and 4; attacks 1 to 3, 8, 11, 22 to 24)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from portal.core.meter import charge
from portal.limits import API_KEY
from tests.conftest import Integration, runtime_of

LIST = "/api/v2/customers"
JSON = "application/json"


def test_every_answer_carries_its_number_and_the_limit(alice: Integration) -> None:
    for answer in (
        alice.get(LIST),
        alice.get("/api/v2/customers/999"),
        alice.client.get(LIST),
        alice.client.get("/api/v2/nothing"),
        alice.call("DELETE", LIST),
        alice.client.post("/api/public/leads", json={}),
    ):
        for name in ("X-Request-Id", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"):
            assert name in answer.headers, (answer.request.path, answer.status_code, name)
        if answer.status_code >= 400:
            assert answer.json["request_id"] == answer.headers["X-Request-Id"]
            assert answer.json["docs_url"].endswith(f"/errors/{answer.json['code']}")
            assert {"type", "title", "text", "display"} == set(answer.json["notice"])


def test_a_clients_own_request_id_is_kept_if_it_is_harmless(alice: Integration) -> None:
    assert alice.get(LIST, headers={"X-Request-Id": "my-id_1"}).headers["X-Request-Id"] == "my-id_1"
    for bad in ("a" * 65, "no spaces", "<script>", "é"):
        assert alice.get(LIST, headers={"X-Request-Id": bad}).headers["X-Request-Id"].startswith("req_")


@pytest.mark.parametrize(
    ("raw", "content_type", "status", "code"),
    [
        (b"{", JSON, 400, "malformed_json"),
        (b'{"account": "a", "account": "b"}', JSON, 400, "malformed_json"),
        (b'{"account": "\xff"}', JSON, 400, "malformed_json"),
        (b'{"account": NaN}', JSON, 400, "malformed_json"),
        (b"[" * 100_000, JSON, 400, "malformed_json"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, JSON, 400, "malformed_json"),
        (b'{"account": 1' + b"0" * 5000 + b"}", JSON, 400, "malformed_json"),
        (b'{"account": 1e999999999}', JSON, 400, "malformed_json"),
        (b"[]", JSON, 400, "validation_failed"),
        (b'"text"', JSON, 400, "validation_failed"),
        (b"null", JSON, 400, "validation_failed"),
        (b"", JSON, 400, "validation_failed"),
        (b'{"account": "Jane"}', "text/plain", 415, "unsupported_media_type"),
        (b'{"account": "Jane"}', None, 415, "unsupported_media_type"),
        (b'{"account": "' + b"a" * 1_100_000 + b'"}', JSON, 413, "payload_too_large"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(
    alice: Integration, raw: bytes, content_type: str | None, status: int, code: str
) -> None:
    answer = alice.call("POST", LIST, data=raw, content_type=content_type)
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.text
    assert alice.get(LIST).json["meta"]["total_records"] == 100


@pytest.mark.parametrize(
    "fields",
    [
        {"account": ""},
        {"account": "   "},
        {"account": None},
        {"account": 7},
        {"account": ["Jane"]},
        {"account": "a" * 121},
        {"account": "nul\x00"},
        {"account": "\ud800"},
        {"account": "escape\x1b"},
        {"account": "Z" + "\u0301" * 10_000},
        {"email": "a@b"},
        {"email": "a b@example.com"},
        {"email": "jane@example.com\r\nBcc: all@example.com"},
        {"phone": "call me"},
        {"country": "usa"},
        {"country": "XX"},
        {"id": 5},
        {"public_id": "cus_000000000000000000000000"},
        {"created_at": "2024-01-01T00:00:00Z"},
        {"tenant_id": 1},
        {"version": 9},
    ],
)
def test_a_bad_field_is_named_and_nothing_is_written(alice: Integration, fields: dict[str, object]) -> None:
    answer = alice.post(LIST, {"account": "Jane Smith", **fields})
    assert answer.status_code == 400, answer.text
    assert set(answer.json["errors"]) == set(fields)
    assert alice.get(LIST).json["meta"]["total_records"] == 100


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=-1",
        "page=x",
        "page=1.5",
        "page=²",
        "page=99999999999999999999",
        "limit=0",
        "limit=101",
        "limit=",
        "sort=password",
        "sort=account;drop",
        "sort=",
        "colour=red",
        "page=1&page=2",
        "search=" + "a" * 101,
        "search=%00",
        "=x",
    ],
)
def test_a_bad_query_is_refused(alice: Integration, query: str) -> None:
    answer = alice.get(f"{LIST}?{query}")
    assert answer.status_code == 400, answer.text
    assert answer.json["code"] == "validation_failed"


def test_thousands_of_parameters_are_refused_calmly(alice: Integration) -> None:
    answer = alice.get(f"{LIST}?" + "&".join(f"p{n}=1" for n in range(5000)))
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("search", "found"), [("john@example.com", 1), ("JOHN DOE", 1), ("%", 0), ("_", 0), ("\\", 0), ("{{7*7}}", 0)]
)
def test_a_search_is_literal(alice: Integration, search: str, found: int) -> None:
    assert alice.get(LIST, query_string={"search": search}).json["meta"]["total_records"] == found


def test_pages_are_stable_and_past_the_end_is_empty(alice: Integration) -> None:
    seen = [row["id"] for page in range(1, 6) for row in alice.get(f"{LIST}?page={page}").json["data"]]
    assert seen == list(range(1, 101))
    beyond = alice.get(f"{LIST}?page=6")
    assert (beyond.status_code, beyond.json["data"]) == (200, [])
    assert 'rel="next"' in alice.get(LIST).headers["Link"]
    names = [row["account"] for row in alice.get(f"{LIST}?sort=-account&limit=100").json["data"]]
    assert names == sorted(names, reverse=True) or len(set(names)) == 100


def test_methods_head_options_and_unknown_paths(alice: Integration) -> None:
    wrong = alice.call("DELETE", LIST)
    assert (wrong.status_code, wrong.json["code"]) == (405, "method_not_allowed")
    assert set(wrong.headers["Allow"].split(", ")) >= {"GET", "POST"}
    assert alice.call("HEAD", LIST).status_code == 200
    assert alice.call("HEAD", LIST).data == b""
    assert "POST" in alice.client.options(LIST).headers["Allow"]
    for path in (
        "/api/v2/nothing",
        "/api",
        "/api/",
        "/api/v2/customers/",
        "/api/v2//customers",
        "/api/v2/customers/1/x",
    ):
        answer = alice.get(path)
        assert answer.status_code == 404, path
        assert answer.json["code"] == "not_found"


def test_a_method_is_never_overridden(alice: Integration) -> None:
    answer = alice.get("/api/v2/customers/1", headers={"X-HTTP-Method-Override": "DELETE"})
    assert answer.status_code == 200
    assert alice.get("/api/v2/customers/1").status_code == 200


def test_problem_json_on_request(alice: Integration) -> None:
    answer = alice.get("/api/v2/customers/999", headers={"Accept": "application/problem+json"})
    assert answer.mimetype == "application/problem+json"
    assert answer.json["status"] == 404
    assert answer.json["code"] == "not_found"


def test_a_tenant_named_by_the_caller_is_never_obeyed(alice: Integration, mallory: Integration) -> None:
    named = {"X-Tenant": alice.tenant, "X-Tenant-Id": alice.tenant, "Host": f"{alice.tenant}.example.com"}
    mallory.post(LIST, {"account": "Mine"})
    assert mallory.get("/api/v2/customers/101", headers=named).json["data"]["account"] == "Mine"
    assert alice.get("/api/v2/customers/101").status_code == 404
    assert mallory.get(f"{LIST}?tenant={alice.tenant}").status_code == 400
    assert mallory.post(LIST, {"account": "x", "tenant": alice.tenant}).status_code == 400


@pytest.mark.parametrize(
    "reference", ["0", "-1", "1.0", "01", "1e0", "9" * 30, "cus_1", "inv_" + "0" * 24, "..", "%2e%2e", "%00", "１"]
)
def test_an_odd_id_is_not_found(alice: Integration, reference: str) -> None:
    assert alice.get(f"/api/v2/customers/{reference}").status_code == 404


def test_an_id_of_another_kind_is_refused(alice: Integration) -> None:
    product = alice.get("/api/v2/products/1").json["data"]["public_id"]
    assert alice.get(f"/api/v2/customers/{product}").status_code == 404
    body = {"customer_id": product, "due_date": "2024-02-15", "items": [{"description": "x", "amount": 1}]}
    assert alice.post("/api/v2/invoices", body).json["errors"] == {"customer_id": "No such customer"}


def test_a_duplicate_names_the_field_and_the_holder(alice: Integration) -> None:
    answer = alice.post(LIST, {"account": "Another", "email": "JOHN@example.com"})
    assert (answer.status_code, answer.json["code"]) == (409, "duplicate")
    assert answer.json["errors"].keys() == {"email"}
    assert answer.json["existing_id"] == 1


def test_a_customer_with_invoices_stays(alice: Integration) -> None:
    answer = alice.delete("/api/v2/customers/1")
    assert (answer.status_code, answer.json["code"]) == (409, "conflict")
    assert alice.get("/api/v2/customers/1").status_code == 200


def test_one_thousand_calls_an_hour_and_not_one_more(app: Flask, alice: Integration) -> None:
    charge(runtime_of(app).meter, API_KEY, alice.key.split("_")[2], 998)
    assert alice.get(LIST).headers["X-RateLimit-Remaining"] == "1"
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: alice.get(LIST).status_code, range(30)))
    assert sorted(set(statuses)) == [200, 429]
    assert statuses.count(200) == 1
    over = alice.get(LIST)
    assert over.json["code"] == "rate_limited"
    assert over.json["limit"] == "requests per API key and hour"
    assert 0 < int(over.headers["Retry-After"]) <= 3600


def test_forged_forwarding_headers_change_nothing(alice: Integration) -> None:
    first = alice.client.get(LIST, headers={"X-Forwarded-For": "1.2.3.4"})
    second = alice.client.get(LIST, headers={"X-Forwarded-For": "5.6.7.8"})
    left = [int(answer.headers["X-RateLimit-Remaining"]) for answer in (first, second)]
    assert left[0] - left[1] == 1


def test_money_is_written_exactly(alice: Integration) -> None:
    body = {"name": "Penny part", "price": 0.1, "sku": "P-1"}
    raw = alice.call("POST", "/api/v2/products", body).data
    assert b'"price":0.10' in raw
    for price in (0.001, -1, 10**13, True, "10"):
        assert alice.post("/api/v2/products", {"name": "x", "price": price}).status_code == 400


def test_exports_names_are_never_html(alice: Integration) -> None:
    alice.post(LIST, {"account": "<script>alert(1)</script>"})
    answer = alice.get("/api/v2/customers/101")
    assert answer.mimetype == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
