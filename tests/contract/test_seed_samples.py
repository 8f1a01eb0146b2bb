"""The contract's own examples, word for word, against a fresh sandbox, and again after a reset."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from tests.conftest import Integration

exact = msgspec.json.Decoder(float_hook=Decimal).decode


@pytest.fixture(params=["fresh", "after a reset"])
def caller(request: pytest.FixtureRequest, alice: Integration) -> Integration:
    if request.param == "after a reset":
        assert (
            alice.post("/api/v2/customers", {"account": "Jane Smith", "email": "jane@example.com"}).status_code == 201
        )
        assert alice.delete("/api/v2/customers/101").status_code == 200
        assert alice.post("/api/v2/sandbox/reset").status_code == 200
    return alice


def test_the_first_page_of_customers_comes_back_as_printed(caller: Integration) -> None:
    body = caller.get("/api/v2/customers").json
    assert body["success"] is True
    assert body["meta"] == {"current_page": 1, "total_pages": 5, "total_records": 100}
    first = body["data"][0]
    assert first["id"] == 1
    assert first["account"] == "John Doe"
    assert first["email"] == "john@example.com"
    assert first["phone"] == "1234567890"
    assert first["created_at"] == "2024-01-15T10:00:00Z"


def test_a_customer_is_created(caller: Integration) -> None:
    sent = {"account": "Jane Smith", "email": "jane@example.com", "phone": "9876543210", "country": "US"}
    answer = caller.post("/api/v2/customers", sent)
    assert answer.status_code == 201
    created = answer.json["data"]
    assert created["id"] == 101
    assert {name: created[name] for name in sent} == sent
    assert caller.get("/api/v2/customers/101").json["data"] == created


def test_customers_are_created_replaced_changed_and_deleted(caller: Integration) -> None:
    caller.post("/api/v2/customers", {"account": "Jane Smith", "email": "jane@example.com", "city": "Pune"})
    assert caller.put("/api/v2/customers/101", {"account": "Jane S."}).json["data"]["city"] is None
    changed = caller.patch("/api/v2/customers/101", {"city": "Delhi"}).json["data"]
    assert (changed["account"], changed["city"], changed["version"]) == ("Jane S.", "Delhi", 3)
    assert caller.delete("/api/v2/customers/101").json["success"] is True
    assert caller.get("/api/v2/customers/101").status_code == 404


def test_validation_names_every_bad_field_at_once(caller: Integration) -> None:
    body = {
        "customer_id": 1,
        "due_date": "2024-02-15",
        "items": [{"description": "Web Development", "amount": 0}],
        "status": "Paid",
        "colour": "red",
    }
    answer = caller.post("/api/v2/invoices", body)
    assert answer.status_code == 400
    assert answer.json["message"] == "Validation failed"
    assert answer.json["code"] == "validation_failed"
    assert answer.json["errors"] == {
        "items.0.amount": "Amount must be greater than 0",
        "status": "Status is read-only",
        "colour": "Unknown field",
    }
    bad_email = caller.post("/api/v2/customers", {"account": "Jane", "email": "nonsense"})
    assert bad_email.json["errors"] == {"email": "Invalid email format"}


def test_invoice_one_is_as_the_contract_says(caller: Integration) -> None:
    invoice = exact(caller.get("/api/v2/invoices/1").data)["data"]
    assert invoice["invoice_number"] == "INV-2024-001"
    assert invoice["customer_id"] == 1
    assert invoice["status"] == "Unpaid"
    assert invoice["due_date"] == "2024-02-15"
    assert invoice["items"][0]["description"] == "Web Development"
    assert str(invoice["amount"]) == str(invoice["balance"]) == "1500.00"


@pytest.mark.parametrize("status", ["Unpaid", "Partially Paid", "Paid", "Void"])
def test_every_status_finds_invoices(caller: Integration, status: str) -> None:
    found = caller.get("/api/v2/invoices", query_string={"status": status}).json
    assert found["meta"]["total_records"] > 0
    assert {invoice["status"] for invoice in found["data"]} == {status}


def test_an_invoice_is_issued_and_paid(caller: Integration) -> None:
    sent = {
        "customer_id": 1,
        "due_date": "2024-02-15",
        "items": [{"description": "Web Development", "amount": 1500.00}],
    }
    issued = caller.post("/api/v2/invoices", sent)
    assert issued.status_code == 201, issued.text
    number = issued.json["data"]["id"]
    payment = {"amount": 500.00, "account_id": 1, "date": "2024-02-01", "method": "Bank Transfer"}
    paid = caller.post(f"/api/v2/invoices/{number}/payments", payment)
    assert paid.status_code == 201, paid.text
    after = exact(paid.data)["data"]["invoice"]
    assert (str(after["paid"]), str(after["balance"]), after["status"]) == ("500.00", "1000.00", "Partially Paid")
    too_much = caller.post(f"/api/v2/invoices/{number}/payments", {**payment, "amount": 1000.01})
    assert too_much.status_code == 400
    assert "amount" in too_much.json["errors"]
    rest = caller.post(f"/api/v2/invoices/{number}/payments", {**payment, "amount": 1000})
    assert rest.json["data"]["invoice"]["status"] == "Paid"


def test_products_are_listed_and_created(caller: Integration) -> None:
    assert caller.get("/api/v2/products?type=service").json["meta"]["total_records"] > 0
    sent = {"name": "Label printer", "price": 249.00, "type": "product", "tax_rate": 18}
    assert caller.post("/api/v2/products", sent).status_code == 201


@pytest.mark.parametrize("name", ["accounts", "categories", "departments"])
def test_reference_data_starts_at_one(caller: Integration, name: str) -> None:
    assert caller.get(f"/api/v2/{name}/1").json["data"]["id"] == 1
    assert caller.get(f"/api/v2/{name}").json["meta"]["total_records"] > 1
    assert caller.post(f"/api/v2/{name}", {"name": "New"}).status_code == 405


def test_the_financial_report_of_january_2024(caller: Integration) -> None:
    report = exact(caller.get("/api/v2/reports/financial?year=2024&month=1").data)["data"]
    assert {name: str(report[name]) for name in ("income", "expenses", "profit", "outstanding_invoices")} == {
        "income": "15000.00",
        "expenses": "5000.00",
        "profit": "10000.00",
        "outstanding_invoices": "3000.00",
    }


def test_the_sales_report_of_may_2026(caller: Integration) -> None:
    address = f"/api/tenants/{caller.tenant}/reports/sales?from=2026-05-01&to=2026-05-31"
    report = caller.get(address).json["data"]
    assert len(report["by_day"]) > 15
    csv = caller.get(address + "&format=csv")
    assert csv.mimetype == "text/csv"


def test_leads_of_the_tenant_can_be_read(caller: Integration) -> None:
    assert caller.get("/api/v2/leads").json["meta"]["total_records"] > 0


def test_a_visitor_leaves_a_lead(alice: Integration) -> None:
    answer = alice.client.post(
        "/api/public/leads",
        json={"source": "Website", "name": "Asha Rao", "email": "asha@buyers.example", "message": "Call me, please."},
    )
    assert answer.status_code == 201, answer.text
    assert "asha" not in str(answer.json["data"]).lower()


def test_a_guest_starts_a_chat_reads_and_closes_it(alice: Integration) -> None:
    client = alice.client
    started = client.post(
        "/api/v1/support/guest",
        json={
            "fullName": "Asha Rao",
            "email": "asha.chat@buyers.example",
            "phoneNumber": "+91 22 5550 0100",
            "message": "My import stops at row 12.",
        },
    )
    assert started.status_code == 201, started.text
    conversation = started.json["data"]
    base = f"/api/v1/support/guest/{conversation['public_id']}"
    guest = {"Authorization": f"Bearer {conversation['guest_token']}"}
    events = client.get(f"{base}/events?after=0", headers=guest).json["data"]
    assert "row 12" in str(events)
    message = {"message": "It says duplicate.", "client_msg_id": "m-1"}
    first = client.post(f"{base}/messages", json=message, headers=guest)
    again = client.post(f"{base}/messages", json=message, headers=guest)
    assert first.json["data"] == again.json["data"]
    assert client.post(f"{base}/close", headers=guest).status_code == 200
