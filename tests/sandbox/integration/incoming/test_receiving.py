"""Records of external systems: received by a mapping, answered in the shape they expect (contract section 7)."""

from __future__ import annotations

import time
from typing import Any

import pytest

from sandbox.integration.incoming.samples import PAYLOADS
from tests.conftest import Integration

INCOMING = "/api/v1/integration/incoming"
ABC = PAYLOADS["vendor-creation"]


def send(caller: Integration, body: Any, mapping: str = "vendor-creation", query: str = "", **details: Any) -> Any:
    return caller.post(f"{INCOMING}?mapping={mapping}{query}", body, **details)


def test_the_sample_is_saved_once_and_then_a_duplicate(alice: Integration) -> None:
    first = alice.post(INCOMING, ABC)
    assert first.status_code == 200, first.text
    seed = {"status": "success", "message": "Record saved successfully", "recordId": "VEND-1023"}
    assert seed.items() <= first.json.items()
    assert first.json["requestId"] == first.headers["X-Request-Id"]
    vendor = alice.get("/api/v2/procurement/vendors/23").json["data"]
    assert (vendor["vendor_code"], vendor["gst_no"], vendor["city"]) == ("VEND-1023", ABC["gstNumber"], "Mumbai")
    second = send(alice, ABC)
    assert (second.status_code, second.json["errorCode"]) == (409, "DUPLICATE")
    assert (second.json["outcome"], second.json["recordId"]) == ("DUPLICATE", "VEND-1023")
    assert second.json["errors"] == {"gstNumber": "A vendor with this GST number exists already"}
    events = alice.get("/api/v2/events?type=vendor.created").json["data"]
    assert [event["subject"] for event in events] == [vendor["public_id"]]


def test_what_is_wrong_is_told_with_the_mappings_own_code(alice: Integration) -> None:
    bad = send(alice, ABC | {"gstNumber": "27ABCDE"})
    assert bad.status_code == 400
    seed = {"status": "error", "errorCode": "INVALID_GST", "message": "GST number is invalid"}
    assert seed.items() <= bad.json.items()
    assert bad.json["errors"] == {"gstNumber": "GST number is invalid"}
    several = send(alice, {"gstNumber": "", "city": "Atlantis", "email": "nobody", "mobile": "call me"})
    assert several.json["errorCode"] == "MISSING_FIELD"
    assert set(several.json["errors"]) == {"vendorName", "gstNumber", "city", "email", "mobile"}
    assert alice.get("/api/v2/procurement/vendors").json["meta"]["total_records"] == 22


def test_a_dry_run_tells_everything_and_writes_nothing(alice: Integration) -> None:
    dry = send(alice, ABC, query="&dry_run=true")
    assert dry.status_code == 200
    assert {"status": "success", "recordId": "VEND-1023", "dryRun": True}.items() <= dry.json.items()
    assert dry.json["values"]["gst_no"] == ABC["gstNumber"]
    assert {verdict["verdict"] for verdict in dry.json["fields"]} == {"ok"}
    effects = dry.json["effects"]
    assert effects["events"] == ["vendor.created"]
    assert effects["numbers"] == {"vendors": [23, 23], "vendors:code": [23, 23]}
    assert [(row["table"], row["verb"]) for row in effects["records"]] == [("vendors", "created")]
    assert effects["records"][0]["fields"]["vendor_code"] == [None, "VEND-1023"]
    assert alice.get("/api/v2/procurement/vendors").json["meta"]["total_records"] == 22
    assert alice.get("/api/v2/events?type=vendor.created").json["data"] == []
    assert alice.get("/api/v2/audit?action=incoming.receive").json["data"] == []
    assert send(alice, ABC).json["recordId"] == "VEND-1023"


@pytest.mark.parametrize("slug", PAYLOADS)
def test_every_mapping_of_the_seed_takes_its_sample(alice: Integration, slug: str) -> None:
    payload = PAYLOADS[slug]
    for query in ("&dry_run=true", ""):
        answer = send(alice, payload, slug, query)
        assert answer.status_code == 200, answer.text
        rows = answer.json if isinstance(payload, list) else [answer.json]
        assert [row["outcome"] for row in rows] == ["SUCCESS"] * len(rows), answer.text


def test_a_second_record_changes_the_first_or_leaves_it_as_the_rule_says(alice: Integration) -> None:
    lead = PAYLOADS["website-lead"]
    first = send(alice, lead, "website-lead").json
    dry = send(alice, {**lead, "company": "Rao Trading"}, "website-lead", "&dry_run=true").json
    assert (dry["recordId"], dry["message"]) == (first["recordId"], "Record updated successfully")
    (change,) = dry["effects"]["records"]
    assert (change["verb"], change["fields"]) == ("changed", {"company": ["Rao Exports", "Rao Trading"]})
    assert dry["effects"]["events"] == ["lead.updated"]
    second = send(alice, {"firstName": "Asha", "lastName": "Rao", "email": "ASHA.RAO@buyers.example"}, "website-lead")
    assert (second.status_code, second.json["outcome"], second.json["recordId"]) == (200, "SUCCESS", first["recordId"])
    kept = alice.get(f"/api/v2/leads/{first['recordId']}").json["data"]
    assert (kept["company"], kept["phone"]) == ("Rao Exports", "+91 98765 43210")
    punches = PAYLOADS["biometric-attendance"]
    assert [row["outcome"] for row in send(alice, punches, "biometric-attendance").json] == ["SUCCESS"] * 2
    again = send(alice, punches, "biometric-attendance")
    assert [(row["status"], row["outcome"]) for row in again.json] == [("success", "DUPLICATE")] * 2
    assert again.json[0]["message"] == "Record exists already and was left as it is"


def test_the_books_refuse_through_a_mapping_as_they_do_without(alice: Integration) -> None:
    paid = PAYLOADS["invoice-update"]
    too_much = {**paid, "payment": {"amount": "9,999.00", "date": "01-02-2024", "mode": "NEFT"}}
    answer = send(alice, too_much, "invoice-update")
    assert answer.json["errors"] == {"payment.amount": "Amount must not exceed the balance of 1500.00"}
    assert send(alice, {**paid, "invoiceNo": "INV-1999-001"}, "invoice-update").json["errors"] == {
        "invoiceNo": "No such invoice"
    }
    assert send(alice, paid, "invoice-update").json["recordId"] == "INV-2024-001"
    twice = send(alice, paid, "invoice-update")
    assert (twice.status_code, twice.json["recordId"]) == (409, "INV-2024-001")
    invoice = alice.get("/api/v2/invoices/1").json["data"]
    assert (invoice["paid"], invoice["notes"]) == (500.0, "Paid by NEFT")
    closed = send(alice, {"invoiceNo": "INV-2024-001", "remarks": "x"}, "invoice-update")
    assert (closed.status_code, closed.json["errorCode"]) == (400, "INVOICE_PAID")

    delivery = PAYLOADS["goods-receipt"]
    before = alice.get("/api/v2/inventory/stock/19").json["data"]["qty"]
    wrong = {**delivery, "supplierCode": "VEND-9", "lines": [*delivery["lines"], {"itemCode": "NONE", "quantity": 0}]}
    assert set(send(alice, wrong, "goods-receipt").json["errors"]) == {"lines.1.quantity"}
    wrong["lines"][1]["quantity"] = 1
    assert send(alice, wrong, "goods-receipt").json["errors"] == {
        "supplierCode": "No such vendor",
        "lines.1.itemCode": "No such product",
    }
    assert send(alice, delivery, "goods-receipt").json["message"] == "Goods receipt posted"
    assert send(alice, delivery, "goods-receipt").status_code == 409
    assert alice.get("/api/v2/inventory/stock/19").json["data"]["qty"] == before + 40


def test_a_pattern_takes_no_longer_for_a_malicious_value(alice: Integration) -> None:
    rows = [
        {"source": "name", "field": "name", "required": True},
        {"source": "gst", "field": "gst_no", "checks": [{"kind": "pattern", "pattern": "(([A-Z]+)+)+[0-9]{1,500}"}]},
    ]
    body = {"slug": "slow", "name": "Slow", "target": "vendor", "rows": rows}
    made = alice.post("/api/v2/integration/incoming-mappings", body)
    assert made.status_code == 201, made.text
    alice.post(f"/api/v2/integration/incoming-mappings/{made.json['data']['id']}/publish")
    started = time.perf_counter()
    answers = send(alice, [{"name": "x", "gst": "A" * 4999 + "!"}] * 20, "slow").json
    assert {row["errorCode"] for row in answers} == {"INVALID_FORMAT"}
    assert time.perf_counter() - started < 60, "tried every way to match"
