"""Leads become customers, once, in one way (contract section 5)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.core.database import Database
from portal.core.events import Event
from sandbox.tenants import NewSandbox
from tests.conftest import Integration
from tests.portal.people import new_email

LIST = "/api/v2/leads"
JANE = {"first_name": "Jane", "last_name": "Smith", "company": "Example Trading", "phone": "9876543210"}


def enter(caller: Integration, **fields: Any) -> dict[str, Any]:
    answer = caller.post(LIST, JANE | {"email": new_email()} | fields)
    assert answer.status_code == 201, answer.text
    data: dict[str, Any] = answer.json["data"]
    return data


def read(caller: Integration, lead: dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = caller.get(f"{LIST}/{lead['id']}").json["data"]
    return data


def convert(caller: Integration, lead: dict[str, Any]) -> Any:
    return caller.post(f"{LIST}/{lead['id']}/convert")


def customers_of(caller: Integration) -> int:
    return int(caller.get("/api/v2/customers?limit=1").json["meta"]["total_records"])


def events_of(database: Database, new: NewSandbox) -> list[Event]:
    with database.transaction(write=False) as session:
        session.bind_tenant(new.tenant.id)
        return list(session.scalars(select(Event).order_by(Event.id)))


def test_a_lead_becomes_a_customer(alice: Integration) -> None:
    lead = enter(alice)
    assert lead["customer_id"] is None
    answer = convert(alice, lead)
    assert answer.status_code == 201, answer.text
    customer = answer.json["data"]
    assert answer.headers["Location"] == f"/api/v2/customers/{customer['id']}"
    assert alice.get(f"/api/v2/customers/{customer['id']}").json["data"] == customer
    assert (customer["account"], customer["email"], customer["phone"]) == (
        *("Example Trading", lead["email"]),
        "9876543210",
    )
    after = read(alice, lead)
    assert (after["status"], after["customer_id"]) == ("Converted", customer["id"])
    assert after["version"] == lead["version"] + 1


@pytest.mark.parametrize(
    ("names", "account"),
    [
        ({"first_name": "Jane", "last_name": "Smith"}, "Jane Smith"),
        ({"first_name": "J" * 120, "last_name": "S" * 120}, "J" * 120),
    ],
)
def test_without_a_company_the_customer_has_the_persons_name(
    alice: Integration, names: dict[str, str], account: str
) -> None:
    lead = enter(alice, company=None, phone=None, **names)
    assert convert(alice, lead).json["data"]["account"] == account


def test_who_gave_one_name_only_is_converted_too(alice: Integration, alices_sandbox: NewSandbox) -> None:
    headers = {"X-Publishable-Key": alices_sandbox.tenant.publishable_id or ""}
    body = {"name": "Cher", "email": new_email()}
    receipt = alice.client.post("/api/public/leads", json=body, headers=headers).get_json()["data"]["public_id"]
    assert alice.post(f"{LIST}/{receipt}/convert").json["data"]["account"] == "Cher"


def test_a_second_conversion_names_the_customer(alice: Integration) -> None:
    lead = enter(alice)
    customer, count = convert(alice, lead).json["data"], customers_of(alice)
    alice.patch(f"/api/v2/customers/{customer['id']}", {"email": new_email()})
    refused = convert(alice, lead)
    assert (refused.status_code, refused.json["code"]) == (409, "lead_already_converted")
    assert refused.json["customer_id"] == customer["id"]
    assert customers_of(alice) == count


def test_forty_clients_convert_one_lead_to_one_customer(
    alice: Integration, database: Database, alices_sandbox: NewSandbox
) -> None:
    lead, before = enter(alice), customers_of(alice)
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda _: convert(alice, lead), range(40)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 39
    assert {answer.json["code"] for answer in answers if answer.status_code == 409} == {"lead_already_converted"}
    assert customers_of(alice) == before + 1
    kinds = [event.type for event in events_of(database, alices_sandbox)]
    assert (kinds.count("lead.converted"), kinds.count("customer.created")) == (1, 1)


def test_two_leads_of_one_email_make_one_customer(alice: Integration) -> None:
    email = new_email()
    leads = [enter(alice, email=email) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda lead: convert(alice, lead), leads))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert {answer.json["code"] for answer in answers if answer.status_code == 409} == {"duplicate"}


def test_a_customer_of_the_same_email_is_named_and_nothing_made(alice: Integration) -> None:
    lead, before = enter(alice, email="JOHN@example.com"), customers_of(alice)
    refused = convert(alice, lead)
    assert (refused.status_code, refused.json["code"], refused.json["existing_id"]) == (409, "duplicate", 1)
    assert list(refused.json["errors"]) == ["email"]
    assert (customers_of(alice), read(alice, lead)) == (before, lead)


def test_converted_is_no_status_to_be_set_by_hand(alice: Integration) -> None:
    lead = enter(alice)
    path, whole = f"{LIST}/{lead['id']}", JANE | {"email": lead["email"], "status": "Converted"}
    refused = [alice.post(LIST, whole), alice.put(path, whole), alice.patch(path, {"status": "Converted"})]
    assert {answer.status_code for answer in refused} == {400}
    assert all(list(answer.json["errors"]) == ["status"] for answer in refused)
    assert all("POST /api/v2/leads/{id}/convert" in answer.json["errors"]["status"] for answer in refused)
    assert alice.patch(path, {"customer_id": 1}).json["errors"] == {"customer_id": "Customer id is read-only"}
    assert read(alice, lead) == lead


def test_a_converted_lead_stays_converted(alice: Integration) -> None:
    lead = enter(alice)
    convert(alice, lead)
    path, whole = f"{LIST}/{lead['id']}", JANE | {"email": lead["email"]}
    refused = [alice.patch(path, {"status": "Lost"}), alice.put(path, whole)]
    assert {(answer.status_code, answer.json["code"]) for answer in refused} == {(409, "conflict")}
    assert read(alice, lead)["status"] == "Converted"
    assert alice.patch(path, {"phone": "111222333"}).json["data"]["phone"] == "111222333"
    replaced = alice.put(path, whole | {"status": "Converted"})
    assert (replaced.status_code, replaced.json["data"]["customer_id"]) == (200, read(alice, lead)["customer_id"])


def test_a_converted_leads_customer_may_be_deleted_and_so_may_the_lead(alice: Integration) -> None:
    first, second = enter(alice), enter(alice)
    customer = convert(alice, first).json["data"]["id"]
    assert alice.delete(f"/api/v2/customers/{customer}").status_code == 200
    after = read(alice, first)
    assert (after["status"], after["customer_id"]) == ("Converted", None)
    refused = convert(alice, first)
    assert (refused.json["code"], "customer_id" in refused.json) == ("lead_already_converted", False)
    kept = convert(alice, second).json["data"]["id"]
    assert alice.delete(f"{LIST}/{second['id']}").status_code == 200
    assert alice.get(f"/api/v2/customers/{kept}").status_code == 200


def test_a_lost_lead_may_still_be_converted(alice: Integration) -> None:
    assert convert(alice, enter(alice, status="Lost")).status_code == 201


def test_a_further_inquiry_joins_the_open_lead_and_not_the_converted_one(
    alice: Integration, alices_sandbox: NewSandbox, client: FlaskClient
) -> None:
    headers = {"X-Publishable-Key": alices_sandbox.tenant.publishable_id or ""}
    email = new_email()

    def inquire(message: str) -> None:
        body = {"name": "Jane Smith", "email": email, "message": message}
        assert client.post("/api/public/leads", json=body, headers=headers).status_code == 201

    inquire("First")
    inquire("Second")
    (lead,) = alice.get(LIST, query_string={"search": email}).json["data"]
    assert convert(alice, lead).status_code == 201
    inquire("Third")
    found = alice.get(LIST, query_string={"search": email}).json["data"]
    assert sorted(row["status"] for row in found) == ["Converted", "New"]


def test_a_viewer_converts_nothing_and_sales_does(
    alice: Integration,
    bob: Integration,
    alices_sandbox: NewSandbox,
    as_role: Callable[[NewSandbox, str], Integration],
) -> None:
    lead = enter(alice)
    refused = convert(bob, lead)
    assert (refused.status_code, refused.json["required"], read(alice, lead)) == (403, "crm:write", lead)
    assert convert(as_role(alices_sandbox, "sales"), lead).status_code == 201


def test_mallory_converts_none_of_alices_leads(alice: Integration, mallory: Integration) -> None:
    lead, before = enter(alice), customers_of(mallory)
    assert mallory.post(f"{LIST}/{lead['public_id']}/convert").status_code == 404
    assert (read(alice, lead), customers_of(mallory)) == (lead, before)


def test_events_carry_what_the_document_says_whoever_caused_them(
    alice: Integration, alices_sandbox: NewSandbox, database: Database, client: FlaskClient
) -> None:
    headers = {"X-Publishable-Key": alices_sandbox.tenant.publishable_id or ""}
    inquiry = {"name": "Jane Smith", "email": "jane@example.com", "message": "First"}
    client.post("/api/public/leads", json=inquiry, headers=headers)
    lead = alice.get(f"{LIST}?search=jane@example.com").json["data"][0]
    client.post("/api/public/leads", json=inquiry | {"message": "Second"}, headers=headers)
    alice.patch(f"{LIST}/{lead['id']}", {"status": "Qualified"})
    customer = convert(alice, lead).json["data"]
    alice.delete(f"{LIST}/{lead['id']}")
    events = events_of(database, alices_sandbox)
    assert [event.type for event in events] == [
        *("lead.created", "lead.touched", "lead.updated"),
        *("customer.created", "lead.converted", "lead.deleted"),
    ]
    document = alice.client.get("/openapi.json").json
    for event in events:
        reference = document["webhooks"][event.type]["post"]["requestBody"]["content"]["application/json"]["schema"]
        name = reference["properties"]["data"]["$ref"].rpartition("/")[2]
        assert set(event.payload) == set(document["components"]["schemas"][name]["properties"]), event.type
    payload = events[0].payload
    assert {name: payload[name] for name in lead if name != "id"} == {name: lead[name] for name in payload}
    assert events[4].payload["customer_id"] == customer["public_id"] == events[3].payload["public_id"]


def test_seeded_leads_that_were_converted_name_the_customer_of_their_email(alice: Integration) -> None:
    rows = alice.get(f"{LIST}?limit=100").json["data"]
    converted = [row for row in rows if row["status"] == "Converted"]
    assert len(converted) == 16
    for row in rows:
        assert (row["customer_id"] is not None) == (row["status"] == "Converted")
    for row in converted:
        assert alice.get(f"/api/v2/customers/{row['customer_id']}").json["data"]["email"] == row["email"]
