"""Draft, live and retired versions of outgoing mappings."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Integration
from tests.sandbox.delivery.conftest import CourierMaker
from tests.sandbox.delivery.sink import Sink
from tests.sandbox.integration.outgoing.conftest import ROOT, Connect, Map, row

pytestmark = pytest.mark.usefixtures("store")
NUMBER, AMOUNT = row("number", "invoice_number"), row("amount", "amount", type="Number")


def versions(caller: Integration, mapping: dict[str, Any]) -> list[tuple[int, str, list[str]]]:
    found = caller.get(f"{ROOT}/outgoing-mappings/{mapping['id']}/versions").json["data"]
    return [(one["number"], one["status"], [line["parameter"] for line in one["rows"]]) for one in found]


def test_a_mapping_that_mentions_no_version_is_live_and_each_change_retires_the_one_before(
    alice: Integration, connect: Connect, map_out: Map
) -> None:
    mapping = map_out(alice, connect(alice), rows=[NUMBER])
    assert (mapping["live_version"], mapping["draft_version"], mapping["version"]) == (1, None, 1)
    path = f"{ROOT}/outgoing-mappings/{mapping['id']}"
    assert alice.patch(path, {"rows": [NUMBER]}).json["data"]["version"] == 1
    assert alice.patch(path, {"name": "Renamed"}).json["data"]["live_version"] == 1
    changed = alice.patch(path, {"rows": [AMOUNT]}).json["data"]
    assert (changed["live_version"], changed["rows"][0]["parameter"]) == (2, "amount")
    assert versions(alice, mapping) == [(2, "live", ["amount"]), (1, "retired", ["number"])]


def test_a_draft_is_tried_on_records_and_sends_once_it_is_published(
    alice: Integration, mallory: Integration, connect: Connect, map_out: Map, partner: Sink, courier: CourierMaker
) -> None:
    mapping = map_out(alice, connect(alice), rows=[NUMBER])
    path = f"{ROOT}/outgoing-mappings/{mapping['id']}"
    saved = alice.patch(path, {"rows": [AMOUNT], "as_draft": True})
    assert saved.status_code == 200, saved.text
    shown = saved.json["data"]
    assert (shown["live_version"], shown["draft_version"], shown["rows"][0]["parameter"]) == (1, 2, "number")
    bodies = {
        version: alice.post(f"{path}/preview", {"record": 1, "version": version}).json["data"]["body"]
        for version in ("live", "draft")
    }
    assert bodies == {"live": {"number": "INV-2024-001"}, "draft": {"amount": 1500.0}}
    alice.post("/api/v2/invoices/1/send", {"mapping": "test"})
    replayed = alice.post(f"{path}/replay", {"last": 5}).json["data"]
    assert (replayed["same"], replayed["left_out"]) == (1, 0)
    assert replayed["records"][0]["has_other_body"] is True
    for verb in ("publish", "replay", "draft"):
        body = {"version": 1} if verb == "draft" else {"last": 1} if verb == "replay" else None
        assert mallory.post(f"{path}/{verb}", body).status_code == 404
    assert mallory.get(f"{path}/versions").status_code == 404
    assert alice.post(f"{path}/publish").json["data"]["live_version"] == 2
    assert alice.post(f"{path}/publish").status_code == 409
    assert alice.post(f"{path}/preview", {"record": 1, "version": "draft"}).status_code == 409
    alice.post("/api/v2/invoices/2/send", {"mapping": "test"})
    courier().deliver_due()
    assert sorted(list(json.loads(arrival.body)) for arrival in partner.arrivals) == [["amount"], ["number"]]
    again = alice.post(f"{path}/draft", {"version": 1}).json["data"]
    assert (again["live_version"], again["draft_version"]) == (2, 3)
    assert alice.post(f"{path}/draft", {"version": 99}).status_code == 404
    assert versions(alice, mapping)[0] == (3, "draft", ["number"])


def test_a_mapping_that_begins_as_a_draft_sends_nothing_until_it_is_published(
    alice: Integration, connect: Connect, map_out: Map, partner: Sink, courier: CourierMaker
) -> None:
    triggers = {"events": ["invoice.approved"], "schedule": "*/30 * * * *"}
    mapping = map_out(alice, connect(alice), rows=[NUMBER], as_draft=True, **triggers)
    assert (mapping["live_version"], mapping["draft_version"], mapping["next_run_at"]) == (None, 1, None)
    assert [line["parameter"] for line in mapping["rows"]] == ["number"]
    assert alice.post("/api/v2/invoices/1/approve").status_code == 200
    refused = alice.post("/api/v2/invoices/1/send", {"mapping": "test"})
    assert (refused.status_code, "Publish it" in refused.json["message"]) == (409, True)
    alice.post("/api/v2/sandbox/clock", {"advance": "PT5H"})
    path = f"{ROOT}/outgoing-mappings/{mapping['id']}"
    published = alice.post(f"{path}/publish").json["data"]
    assert published["next_run_at"] is not None
    assert alice.post("/api/v2/invoices/67/approve").status_code == 200
    courier().deliver_due()
    assert [json.loads(arrival.body) for arrival in partner.arrivals] == [{"number": "INV-2024-067"}]


@pytest.mark.one_store
def test_a_draft_sends_the_same_kind_of_record_as_what_is_live(
    alice: Integration, connect: Connect, map_out: Map
) -> None:
    mapping = map_out(alice, connect(alice), rows=[NUMBER])
    path = f"{ROOT}/outgoing-mappings/{mapping['id']}"
    other = {"source": "customer", "rows": [row("name", "account")]}
    assert "source" in alice.patch(path, other | {"as_draft": True}).json["errors"]
    assert alice.patch(path, other).status_code == 200
    assert alice.post(f"{path}/draft", {"version": 1}).status_code == 400
    assert alice.delete(path).status_code == 200
    assert alice.get(f"{path}/versions").status_code == 404
