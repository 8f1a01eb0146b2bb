"""Fields of a record that equal what is stored count as unchanged: no refusal, no event (contract section 7)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Integration

MAPPINGS = "/api/v2/integration/incoming-mappings"
VENDORS = "/api/v2/procurement/vendors"


def publish(alice: Integration, target: str, fields: list[str], rule: dict[str, Any] | None = None) -> str:
    """A mapping whose parameters are named as the fields that they fill."""
    numbers, days = {"payment_amount"}, {"due_date", "date", "payment_date"}
    rows = [
        {"source": name, "field": name, "type": "number" if name in numbers else "date" if name in days else "string"}
        for name in fields
    ]
    slug = f"repeat-{target.replace('_', '-')}"
    body = {"slug": slug, "name": "Repeat", "target": target, "rows": rows}
    made = alice.post(MAPPINGS, body | ({"duplicates": rule} if rule else {}))
    assert made.status_code == 201, made.text
    alice.post(f"{MAPPINGS}/{made.json['data']['id']}/publish")
    return f"/api/v1/integration/incoming?mapping={slug}"


def events(alice: Integration, type_: str) -> int:
    return len(alice.get(f"/api/v2/events?type={type_}").json["data"])


def test_a_second_payment_may_repeat_what_the_invoice_says(alice: Integration) -> None:
    path = publish(alice, "invoice_update", ["invoice_number", "date", "due_date", "notes", "payment_amount"])
    paid = {"invoice_number": "INV-2024-001", "due_date": "2024-02-15", "payment_amount": 500}
    first, second = alice.post(path, paid), alice.post(path, paid | {"date": "2024-01-15", "payment_amount": 250})
    assert (first.status_code, second.status_code) == (200, 200), second.text
    invoice = alice.get("/api/v2/invoices/1").json["data"]
    assert (invoice["paid"], invoice["due_date"], invoice["version"]) == (750.0, "2024-02-15", 3)
    assert events(alice, "invoice.updated") == 0 and events(alice, "payment.received") == 2
    assert alice.post(path, {"invoice_number": "INV-2024-001", "due_date": "2024-02-15"}).status_code == 200
    assert alice.get("/api/v2/invoices/1").json["data"] == invoice
    for other in ({"due_date": "2024-02-16"}, {"notes": "Late"}):
        refused = alice.post(path, paid | other)
        assert (refused.status_code, refused.json["errorCode"]) == (400, "INVOICE_PAID")
    assert alice.get("/api/v2/invoices/1").json["data"] == invoice
    assert alice.post(path, {"invoice_number": "INV-2024-001"}).json["errors"] == {
        "invoice_number": "Nothing is said of the invoice: neither a payment nor a change"
    }


@pytest.mark.parametrize("state", ["approve", "void"])
@pytest.mark.one_store
def test_a_closed_invoice_may_be_named_with_what_it_says(alice: Integration, state: str) -> None:
    path = publish(alice, "invoice_update", ["invoice_number", "due_date", "payment_amount"])
    alice.post(f"/api/v2/invoices/1/{state}")
    answer = alice.post(path, {"invoice_number": "INV-2024-001", "due_date": "2024-02-15"})
    assert answer.json["outcome"] == "SUCCESS", answer.text
    assert alice.post(path, {"invoice_number": "INV-2024-001", "due_date": "2024-03-15"}).json["outcome"] == "FAILED"


@pytest.mark.one_store
def test_a_record_that_changes_nothing_keeps_its_version_and_announces_nothing(alice: Integration) -> None:
    rule = {"fields": ["gst_no"], "action": "update"}
    vendors = publish(alice, "vendor", ["name", "gst_no", "city"], rule)
    vendor = {"name": "Repeat Traders", "gst_no": "27ABCDE1234F1Z5", "city": "Mumbai"}
    leads = publish(
        alice, "lead", ["first_name", "last_name", "email", "company"], {"fields": ["email"], "action": "update"}
    )
    lead = {"first_name": "Asha", "last_name": "Rao", "email": "asha@buyers.example", "company": "Rao"}
    for path, body in ((vendors, vendor), (leads, lead)):
        assert alice.post(path, body).json["outcome"] == "SUCCESS"
    before = [alice.get(f"{place}?sort=-id&limit=1").json["data"][0] for place in (VENDORS, "/api/v2/leads")]
    for path, body in ((vendors, vendor), (leads, lead)):
        again = alice.post(path, body).json
        assert (again["outcome"], again["message"]) == ("SUCCESS", "Record updated successfully")
    assert [alice.get(f"{place}?sort=-id&limit=1").json["data"][0] for place in (VENDORS, "/api/v2/leads")] == before
    assert events(alice, "lead.updated") == 0
    alice.post(leads, lead | {"company": "Rao Exports"})
    assert events(alice, "lead.updated") == 1
