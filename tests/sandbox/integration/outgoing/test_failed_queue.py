"""The Failed Queue: inspected, edited, tried again under the same key, or a new one if the body differs, discarded."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Integration
from tests.sandbox.delivery.conftest import CourierMaker
from tests.sandbox.delivery.sink import Sink
from tests.sandbox.integration.outgoing.conftest import ROOT, Connect, Map, row

FAILED, LOGS = f"{ROOT}/failed", f"{ROOT}/outgoing-logs"
Unfit = Callable[..., tuple[dict[str, Any], dict[str, Any]]]
pytestmark = pytest.mark.usefixtures("store")


def fail(caller: Integration, partner: Sink, courier: CourierMaker, *invoices: int) -> list[dict[str, Any]]:
    """Sends that the partner refuses for good."""
    partner.decide = lambda arrival: (400, {})
    partner.says = b'{"error": "no such project", "you sent": "s3cret!"}'
    sent = [caller.post(f"/api/v2/invoices/{id_}/send", {"mapping": "test"}).json["data"] for id_ in invoices]
    courier().deliver_due()
    partner.decide = lambda arrival: (200, {})
    partner.says = b'{"id": "P-1"}'
    return sent


def test_a_refused_send_is_edited_and_retried_under_a_key_of_its_own(
    alice: Integration, bob: Integration, mallory: Integration, connect: Connect, map_out: Map, partner: Sink,
    courier: CourierMaker,
) -> None:  # fmt: skip
    map_out(alice, connect(alice, reference_path="id", headers=[{"name": "X-Key", "value": "s3cret!", "secret": True}]))
    (sent,) = fail(alice, partner, courier, 1)
    (listed,) = alice.get(FAILED).json["data"]
    assert (listed["public_id"], listed["retryable"], listed["answer_status"]) == (sent["public_id"], False, 400)
    assert listed["reason"] == "Answered 400"
    path = f"{FAILED}/{sent['public_id']}"
    for caller, status in ((bob, 403), (mallory, 404)):
        assert caller.patch(path, {"body": "{}"}).status_code == status
        assert caller.get(f"{LOGS}/{sent['public_id']}").status_code == status
    for wrong in ('{"a": 1', "[]", "7", '{"a": 1, "a": 2}', '{"a": NaN}', '{"a": "\ud800"}', " "):
        assert "body" in alice.patch(path, {"body": wrong}).json["errors"], wrong
    body = '{"invoiceNumber": "INV-2024-001", "amount": 1500.00}'
    same = alice.patch(path, {"body": alice.get(f"{LOGS}/{sent['public_id']}").json["data"]["body"]}).json["data"]
    assert (same["idempotency_key"], same["previous_idempotency_key"]) == (sent["idempotency_key"], None)
    edited = alice.patch(path, {"body": body}).json["data"]
    assert (edited["status"], edited["body"]) == ("failed", body)
    assert edited["idempotency_key"] != edited["previous_idempotency_key"] == sent["idempotency_key"]
    answer = alice.post(f"{FAILED}/retry", {"ids": [sent["public_id"]]})
    assert answer.json["data"] == {"matched": 1, "done": 1, "refused": []}
    courier().deliver_due()
    first, second = partner.arrivals
    keys = [arrival.headers["idempotency-key"] for arrival in (first, second)]
    assert keys == [sent["idempotency_key"], edited["idempotency_key"]]
    assert second.body.decode() == body
    whole = alice.get(f"{LOGS}/{sent['public_id']}").json["data"]
    assert (whole["status"], whole["reference"], whole["attempts"]) == ("delivered", "P-1", 2)
    assert [one["public_id"] for one in alice.get(f"{LOGS}?search={keys[0]}").json["data"]] == [sent["public_id"]]
    assert [attempt["answer_status"] for attempt in whole["history"]] == [400, 200]
    assert "no such project" in whole["history"][0]["answer_body"]
    assert "s3cret!" not in json.dumps(whole)
    assert alice.patch(path, {"body": body}).status_code == 409
    assert alice.get(FAILED).json["data"] == []


def test_many_are_retried_or_discarded_by_id_and_by_filter(
    alice: Integration, mallory: Integration, connect: Connect, map_out: Map, partner: Sink, courier: CourierMaker
) -> None:
    map_out(alice, connect(alice))
    sent = fail(alice, partner, courier, 1, 2, 3, 4)
    ids = [one["public_id"] for one in sent]
    for body in ({}, {"ids": ids, "filter": {}}, {"ids": []}, {"ids": ["dlv_x"]}):
        assert alice.post(f"{FAILED}/retry", body).status_code == 400
    unknown = mallory.post(f"{FAILED}/discard", {"ids": ids[:1]})
    assert unknown.json["errors"] == {"ids.0": "No such send"}
    assert mallory.post(f"{FAILED}/discard", {"filter": {}}).json["data"]["matched"] == 0
    assert alice.post(f"{FAILED}/discard", {"ids": ids[:1]}).json["data"]["done"] == 1
    assert alice.post(f"{FAILED}/retry", {"filter": {"mapping": "other"}}).json["data"]["matched"] == 0
    assert alice.post(f"{FAILED}/retry", {"filter": {"date_from": "2999-01-01"}}).json["data"]["matched"] == 0
    retried = alice.post(f"{FAILED}/retry", {"filter": {"mapping": "test", "date_to": "2999-01-01"}})
    assert retried.json["data"]["done"] == 3
    assert alice.post(f"{FAILED}/retry", {"ids": ids}).json["data"] == {"matched": 0, "done": 0, "refused": []}
    courier().deliver_due()
    statuses = {one["public_id"]: one["status"] for one in alice.get(LOGS).json["data"]}
    assert [statuses[id_] for id_ in ids] == ["discarded", "delivered", "delivered", "delivered"]


def test_what_lacked_a_value_goes_out_once_the_record_has_it(
    alice: Integration, connect: Connect, map_out: Map, partner: Sink, courier: CourierMaker
) -> None:
    made = alice.post("/api/v2/customers", {"account": "No Mail"}).json["data"]
    rows = [row("name", "account", required=True), row("email", "email", required=True)]
    mapping = map_out(alice, connect(alice), source="customer", rows=rows)
    sent = alice.post(f"{ROOT}/outgoing-mappings/{mapping['id']}/send", {"record": made["id"]}).json["data"]
    retry = {"ids": [sent["public_id"]]}
    refused = alice.post(f"{FAILED}/retry", retry).json["data"]["refused"]
    assert refused == [{"public_id": sent["public_id"], "reason": "email is required, and email has no value"}]
    blocked = alice.patch(f"{FAILED}/{sent['public_id']}", {"body": '{"name": "No Mail"}', "retry": True})
    assert blocked.json["errors"] == {"retry": "email is required"}
    alice.patch(f"/api/v2/customers/{made['id']}", {"email": "mail@buyers.example"})
    assert alice.post(f"{FAILED}/retry", retry).json["data"]["done"] == 1
    courier().deliver_due()
    (arrival,) = partner.arrivals
    assert json.loads(arrival.body) == {"name": "No Mail", "email": "mail@buyers.example"}
    assert arrival.headers["idempotency-key"] == sent["idempotency_key"]


@pytest.fixture
def unfit(alice: Integration, connect: Connect, map_out: Map) -> Unfit:
    """A customer whose zip cannot be the Number that a mapping wants, though it does not require it, and its send."""

    def make(**connection: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        made = alice.post("/api/v2/customers", {"account": "Odd", "zip": "AB-1"}).json["data"]
        rows = [row("name", "account", required=True), row("code", "zip", type="Number")]
        mapping = map_out(alice, connect(alice, **connection), source="customer", rows=rows)
        return made, alice.post(f"{ROOT}/outgoing-mappings/{mapping['id']}/send", {"record": made["id"]}).json["data"]

    return make


def bodies(partner: Sink) -> list[Any]:
    return [json.loads(arrival.body) for arrival in partner.arrivals]


def test_what_never_went_out_is_composed_anew_and_refused_on_what_is_still_wrong(
    alice: Integration, unfit: Unfit, partner: Sink, courier: CourierMaker
) -> None:
    made, sent = unfit()
    id_ = sent["public_id"]
    assert sent["reason"] == "code: zip is not a number"
    resend = alice.post(f"/api/v2/deliveries/{id_}/resend")
    assert (resend.status_code, resend.json["code"]) == (409, "conflict")
    assert "code: zip is not a number" in resend.json["message"]
    still = alice.post(f"{FAILED}/retry", {"ids": [id_]}).json["data"]
    assert still["refused"] == [{"public_id": id_, "reason": "code: zip is not a number"}]
    assert alice.get(f"{LOGS}/{id_}").json["data"]["status"] == "failed"
    alice.patch(f"/api/v2/customers/{made['id']}", {"zip": "10001"})
    assert alice.post(f"{FAILED}/retry", {"ids": [id_]}).json["data"]["done"] == 1
    courier().deliver_due()
    assert bodies(partner) == [{"name": "Odd", "code": 10001}]


def test_a_single_resend_composes_anew_what_never_went_out(
    alice: Integration, unfit: Unfit, partner: Sink, courier: CourierMaker
) -> None:
    made, sent = unfit()
    alice.patch(f"/api/v2/customers/{made['id']}", {"zip": "10001"})
    assert alice.post(f"/api/v2/deliveries/{sent['public_id']}/resend").status_code == 200
    courier().deliver_due()
    assert bodies(partner) == [{"name": "Odd", "code": 10001}]


def test_an_edited_body_is_never_overwritten(
    alice: Integration, unfit: Unfit, partner: Sink, courier: CourierMaker
) -> None:
    made, sent = unfit()
    id_ = sent["public_id"]
    alice.patch(f"/api/v2/customers/{made['id']}", {"zip": "10001"})
    assert alice.patch(f"{FAILED}/{id_}", {"body": '{"code": 7}'}).status_code == 200
    refused = [{"public_id": id_, "reason": "name is required"}]
    assert alice.post(f"{FAILED}/retry", {"ids": [id_]}).json["data"]["refused"] == refused
    assert "name is required" in alice.post(f"/api/v2/deliveries/{id_}/resend").json["message"]
    assert alice.get(f"{LOGS}/{id_}").json["data"]["body"] == '{"code": 7}'
    assert alice.patch(f"{FAILED}/{id_}", {"body": '{"name": "Own"}', "retry": True}).status_code == 200
    courier().deliver_due()
    assert bodies(partner) == [{"name": "Own"}]


def test_what_can_no_longer_be_composed_stays_with_its_reason(
    alice: Integration, unfit: Unfit, partner: Sink, courier: CourierMaker
) -> None:
    made, sent = unfit()
    assert alice.delete(f"/api/v2/customers/{made['id']}").status_code == 200
    reason = "code: zip is not a number; the record was deleted meanwhile"
    for _ in range(2):
        refused = alice.post(f"{FAILED}/retry", {"ids": [sent["public_id"]]}).json["data"]["refused"]
        assert refused == [{"public_id": sent["public_id"], "reason": reason}]
    mapping = alice.get(f"{ROOT}/outgoing-mappings?search=test").json["data"][-1]
    assert alice.delete(f"{ROOT}/outgoing-mappings/{mapping['id']}").status_code == 200
    (left,) = alice.post(f"{FAILED}/retry", {"ids": [sent["public_id"]]}).json["data"]["refused"]
    assert left["reason"].endswith("the mapping was deleted meanwhile")
    courier().deliver_due()
    assert partner.arrivals == []


@pytest.mark.one_store
def test_a_filter_may_reach_to_the_last_day_there_is(alice: Integration, unfit: Unfit) -> None:
    unfit()
    for act in ("retry", "discard"):
        answer = alice.post(f"{FAILED}/{act}", {"filter": {"date_from": "0001-01-01", "date_to": "9999-12-31"}})
        assert answer.status_code == 200, answer.text
        assert answer.json["data"]["matched"] == 1


def test_the_log_is_filtered_searched_and_exported_without_formulas(
    alice: Integration, mallory: Integration, connect: Connect, map_out: Map, partner: Sink, courier: CourierMaker
) -> None:
    map_out(alice, connect(alice, reference_path="id"))
    partner.says = b'{"id": "=HYPERLINK(1)"}'
    for id_ in (1, 2):
        alice.post(f"/api/v2/invoices/{id_}/send", {"mapping": "test"}, headers={"X-Request-Id": f"call-{id_}"})
    courier().deliver_due()
    fail(alice, partner, courier, 3)

    def count(query: str) -> int:
        return len(alice.get(f"{LOGS}?{query}").json["data"])

    assert [count(f"status={status}") for status in ("delivered", "failed", "held")] == [2, 1, 0]
    assert [count(f"search={text}") for text in ("INV-2024-001", "call-2", "hyperlink", "%25")] == [1, 1, 2, 0]
    assert [count(f"mapping={slug}") for slug in ("test", "other")] == [3, 0]
    assert [count("date_to=2020-01-01"), count("date_from=2020-01-01")] == [0, 3]
    assert alice.get(f"{LOGS}?status=odd").status_code == 400
    exported = alice.get(f"{LOGS}?format=csv&status=delivered&limit=1")
    assert exported.mimetype == "text/csv" and exported.text.startswith("\ufeffcreated_at,")
    lines = list(csv.DictReader(io.StringIO(exported.data.decode("utf-8-sig"))))
    assert [line["reference"] for line in lines] == ["'=HYPERLINK(1)"] * 2
    acts = alice.get("/api/v2/audit?action=outgoing-logs.list").json["data"]
    assert len(acts) == 1
    assert mallory.get(LOGS).json["data"] == []


def test_a_trace_leads_from_the_call_to_the_last_attempt(
    alice: Integration, mallory: Integration, connect: Connect, map_out: Map, partner: Sink, courier: CourierMaker
) -> None:
    map_out(alice, connect(alice), source="vendor", rows=[row("code", "vendor_code")], events=["vendor.created"])
    body = {
        "vendorName": "Acme", "gstNumber": "27ABCDE1234F1Z5", "contactPerson": "Asha", "mobile": "9876543210",
        "email": "asha@vendors.example", "city": "Mumbai",
    }  # fmt: skip
    answer = alice.post("/api/v1/integration/incoming", body, headers={"X-Request-Id": "inbound-1"})
    assert answer.json["recordId"] == "VEND-1023", answer.text
    courier().deliver_due()
    trace = alice.get(f"{ROOT}/traces/inbound-1").json["data"]
    assert [one["operation"] for one in trace["calls"]] == ["incoming.receive"]
    assert [one["outcome"] for one in trace["incoming"]] == ["SUCCESS"]
    vendor = next(one["public_id"] for one in trace["records"] if one["table"] == "vendors")
    assert [(one["type"], one["subject"]) for one in trace["events"]] == [("vendor.created", vendor)]
    (delivery,) = trace["deliveries"]
    assert (delivery["subject"], delivery["status"], delivery["kind"]) == (vendor, "delivered", "send")
    assert [one["answer_status"] for one in delivery["attempts"]] == [200]
    for caller, id_ in ((mallory, "inbound-1"), (alice, "unknown"), (alice, "a b"), (alice, "x" * 70)):
        assert caller.get(f"{ROOT}/traces/{id_}").status_code == 404
