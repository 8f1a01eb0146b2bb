"""A status that only an action reaches cannot be set by hand, whichever way the request comes in."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Integration
from tests.portal.people import new_email

INTEGRATION = "/api/v2/integration"
READ_ONLY = [
    ("/api/v2/invoices", "Paid"),
    ("/api/v2/quotes", "Converted"),
    (f"{INTEGRATION}/connections", "active"),
    (f"{INTEGRATION}/outgoing-mappings", "live"),
    (f"{INTEGRATION}/incoming-mappings", "live"),
]
LEAD = {"first_name": "Jane", "last_name": "Smith", "status": "Converted"}


@pytest.mark.parametrize(("path", "status"), READ_ONLY)
def test_a_status_that_only_actions_reach_is_read_only(alice: Integration, path: str, status: str) -> None:
    before = alice.get(f"{path}/1").get_json()["data"]
    for answer in (alice.put(f"{path}/1", {"status": status}), alice.post(path, {"status": status})):
        assert answer.status_code == 400
        assert "status" in answer.get_json()["errors"], answer.get_json()
    assert alice.get(f"{path}/1").get_json()["data"] == before


def test_a_webhooks_status_is_read_only(alice: Integration) -> None:
    webhook = {"url": "https://example.com/hook", "events": ["customer.created"]}
    assert "status" in alice.post("/api/v2/webhooks", webhook | {"status": "active"}).get_json()["errors"]


def test_a_batch_makes_no_converted_lead(alice: Integration) -> None:
    answer = alice.post("/api/v2/batch/leads", {"leads": [LEAD | {"email": new_email()}]}).get_json()
    (outcome,) = answer["data"]["outcomes"]
    assert (outcome["status"], list(outcome["errors"])) == ("failed", ["status"])


@pytest.mark.parametrize("exists", [False, True], ids=["new", "known"])
def test_a_mapping_makes_no_converted_lead(alice: Integration, exists: bool) -> None:
    rows: list[dict[str, Any]] = [
        {"source": name, "field": name, "required": name != "status"}
        for name in ("first_name", "last_name", "email", "status")
    ]
    mapping = {"name": "Leads", "slug": "leads-in", "target": "lead", "rows": rows}
    mapping["duplicates"] = {"fields": ["email"], "action": "update"}
    made = alice.post(f"{INTEGRATION}/incoming-mappings", mapping)
    assert made.status_code == 201, made.get_json()
    alice.post(f"{INTEGRATION}/incoming-mappings/{made.get_json()['data']['id']}/publish")
    lead = LEAD | {"email": new_email()}
    if exists:
        alice.post("/api/v2/leads", lead | {"status": "New"})
    answer = alice.post("/api/v1/integration/incoming?mapping=leads-in", lead)
    assert (answer.status_code, list(answer.get_json()["errors"])) == (400, ["status"]), answer.get_json()
    found = alice.get("/api/v2/leads", query_string={"search": lead["email"]}).get_json()["data"]
    assert [row["status"] for row in found] == (["New"] if exists else [])
