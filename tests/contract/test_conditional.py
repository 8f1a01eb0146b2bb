"""Entity tags, If-None-Match and If-Match (contract section 4, RFC 9110)."""

from __future__ import annotations

import pytest

from tests.conftest import Integration

CUSTOMER = "/api/v2/customers/1"


def test_a_record_and_a_list_carry_strong_tags(alice: Integration) -> None:
    for path in (CUSTOMER, "/api/v2/customers", "/api/v2/reports/financial?year=2024&month=1"):
        tag = alice.get(path).headers["ETag"]
        assert tag.startswith('"')
        assert tag == alice.get(path).headers["ETag"]


def test_what_still_stands_is_not_sent_again(alice: Integration) -> None:
    first = alice.get(CUSTOMER)
    again = alice.get(CUSTOMER, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert "X-RateLimit-Remaining" in again.headers
    assert alice.get(CUSTOMER, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_tag_changes_with_its_record_and_its_list(alice: Integration) -> None:
    record, page = alice.get(CUSTOMER).headers["ETag"], alice.get("/api/v2/customers").headers["ETag"]
    alice.patch(CUSTOMER, {"phone": "5550100"})
    for path, tag in ((CUSTOMER, record), ("/api/v2/customers", page)):
        assert alice.get(path, headers={"If-None-Match": tag}).status_code == 200


def test_an_invoices_tag_changes_when_it_is_paid(alice: Integration) -> None:
    tag = alice.get("/api/v2/invoices/1").headers["ETag"]
    alice.post("/api/v2/invoices/1/payments", {"amount": 1, "account_id": 1})
    assert alice.get("/api/v2/invoices/1").headers["ETag"] != tag


def test_answers_to_changes_carry_the_tag_a_reader_would_get(alice: Integration) -> None:
    made = alice.post("/api/v2/customers", {"account": "Jane"})
    assert made.headers["ETag"] == alice.get("/api/v2/customers/101").headers["ETag"]
    changed = alice.patch("/api/v2/customers/101", {"city": "Pune"}, headers={"If-Match": made.headers["ETag"]})
    assert changed.status_code == 200
    assert changed.headers["ETag"] == alice.get("/api/v2/customers/101").headers["ETag"] != made.headers["ETag"]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_change_to_something_else_than_was_read_is_refused(alice: Integration, method: str) -> None:
    read = alice.get(CUSTOMER)
    alice.patch(CUSTOMER, {"phone": "5550100"})
    body = None if method == "DELETE" else {"account": "Mine"}
    late = alice.call(method, CUSTOMER, body, headers={"If-Match": read.headers["ETag"]})
    assert (late.status_code, late.json["code"]) == (412, "precondition_failed")
    now = alice.get(CUSTOMER)
    assert late.json["current"] == now.headers["ETag"]
    assert now.json["data"]["account"] == "John Doe"
    fresh = alice.call(method, CUSTOMER, body, headers={"If-Match": late.json["current"]})
    assert fresh.status_code in {200, 409}


def test_if_match_minds_actions_too(alice: Integration) -> None:
    stale = {"If-Match": '"stale"'}
    answer = alice.post("/api/v2/invoices/1/payments", {"amount": 1, "account_id": 1}, headers=stale)
    assert answer.status_code == 412
    assert alice.get("/api/v2/invoices/1").json["data"]["paid"] == 0


def test_a_star_matches_any_record_and_no_missing_one(alice: Integration) -> None:
    anything = {"If-Match": "*"}
    assert alice.patch(CUSTOMER, {"phone": "5550100"}, headers=anything).status_code == 200
    assert alice.patch("/api/v2/customers/999", {"phone": "5550100"}, headers=anything).status_code == 404


def test_a_weak_tag_never_matches_a_change(alice: Integration) -> None:
    weak = "W/" + alice.get(CUSTOMER).headers["ETag"]
    assert alice.patch(CUSTOMER, {"phone": "5550100"}, headers={"If-Match": weak}).status_code == 412


def test_bad_fields_come_before_a_stale_tag(alice: Integration) -> None:
    assert alice.patch(CUSTOMER, {"phone": "x"}, headers={"If-Match": '"stale"'}).status_code == 400


def test_head_answers_as_get_without_a_body(alice: Integration) -> None:
    got, headed = alice.get(CUSTOMER), alice.call("HEAD", CUSTOMER)
    assert (headed.status_code, headed.data) == (200, b"")
    assert headed.headers["ETag"] == got.headers["ETag"]
    assert headed.headers["Content-Length"] == got.headers["Content-Length"]
    assert alice.call("HEAD", CUSTOMER, headers={"If-None-Match": got.headers["ETag"]}).status_code == 304
