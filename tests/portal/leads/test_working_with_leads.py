"""Leads as a resource of the Business API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Integration, SandboxMaker
from tests.portal.people import new_email

JANE = {"first_name": "Jane", "last_name": "Smith", "email": "jane@example.com", "source": "Referral"}


def create(caller: Integration, **fields: Any) -> dict[str, Any]:
    answer = caller.post("/api/v2/leads", JANE | {"email": new_email()} | fields)
    assert answer.status_code == 201, answer.get_json()
    data: dict[str, Any] = answer.get_json()["data"]
    return data


def emails(caller: Integration, **query: str) -> set[str]:
    rows = caller.get("/api/v2/leads", query_string=query | {"limit": "100"}).get_json()["data"]
    return {row["email"] for row in rows}


def test_a_lead_is_created_read_changed_replaced_and_deleted(alice: Integration) -> None:
    lead = create(alice, company="Example Trading")
    path = f"/api/v2/leads/{lead['public_id']}"
    assert lead["status"] == "New"
    assert alice.get(path).get_json()["data"] == lead
    assert alice.patch(path, {"status": "Contacted"}).get_json()["data"]["status"] == "Contacted"
    replaced = alice.put(path, JANE).get_json()["data"]
    assert (replaced["company"], replaced["status"], replaced["version"]) == (None, "New", 3)
    assert alice.delete(path).status_code == 200
    assert alice.get(path).status_code == 404


def test_leads_are_filtered_by_status_and_source_and_searched(alice: Integration) -> None:
    won = create(alice, status="Qualified", source="Word of mouth 7", company="Harbour Supplies Nine")
    other = create(alice)
    assert won["email"] in emails(alice, status="Qualified")
    assert other["email"] not in emails(alice, status="Qualified")
    assert emails(alice, source="Word of mouth 7") == {won["email"]}
    assert emails(alice, search="harbour supplies nine") == {won["email"]}
    assert emails(alice, search="%") == set()
    assert alice.get("/api/v2/leads?status=new").status_code == 400


@pytest.mark.parametrize("status", ["Open", "new", "", 1, None])
def test_a_status_outside_the_list_is_refused(alice: Integration, status: Any) -> None:
    answer = alice.post("/api/v2/leads", JANE | {"status": status})
    assert (answer.status_code, list(answer.get_json()["errors"])) == (400, ["status"])


def test_a_viewer_reads_leads_and_changes_none(alice: Integration, bob: Integration) -> None:
    path = f"/api/v2/leads/{create(alice)['id']}"
    assert bob.get(path).status_code == 200
    for answer in (bob.patch(path, {"status": "Lost"}), bob.delete(path), bob.post("/api/v2/leads", JANE)):
        assert (answer.status_code, answer.get_json()["required"]) == (403, "crm:write")


def test_mallory_cannot_touch_alices_lead(alice: Integration, mallory: Integration) -> None:
    path = f"/api/v2/leads/{create(alice)['public_id']}"
    calls = (mallory.get(path), mallory.put(path, JANE), mallory.patch(path, {"status": "Lost"}), mallory.delete(path))
    assert {answer.status_code for answer in calls} == {404}
    assert alice.get(path).get_json()["data"]["status"] == "New"


def test_leads_belong_to_every_plan(new_sandbox: SandboxMaker, as_role: Any) -> None:
    assert as_role(new_sandbox(plan="starter"), "sales").get("/api/v2/leads").status_code == 200


def test_a_lead_with_inquiries_can_be_deleted(alice: Integration, alices_sandbox: Any) -> None:
    email, headers = new_email(), {"X-Publishable-Key": alices_sandbox.tenant.publishable_id}
    body = {"name": "Jane Smith", "email": email}
    receipt = alice.client.post("/api/public/leads", json=body, headers=headers).get_json()["data"]["public_id"]
    assert alice.delete(f"/api/v2/leads/{receipt}").status_code == 200
    again = alice.client.post("/api/public/leads", json=body | {"message": "Again"}, headers=headers)
    assert again.status_code == 201
    assert alice.get(f"/api/v2/leads/{again.get_json()['data']['public_id']}").status_code == 200
