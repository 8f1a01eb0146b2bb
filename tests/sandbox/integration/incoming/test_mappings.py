"""Mappings: drafted, checked, published, retired; what cannot work is refused with its place."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from sandbox.integration.incoming.samples import PAYLOADS, VENDOR_CREATION, WEBSITE_LEAD
from tests.conftest import Integration

MAPPINGS = "/api/v2/integration/incoming-mappings"
LOGS = "/api/v2/integration/incoming-logs"
INCOMING = "/api/v1/integration/incoming"
ABC = PAYLOADS["vendor-creation"]
VENDOR = {"slug": "vendor-creation", "name": "Vendor creation", "target": "vendor", "is_default": True}


def changed(**rows: Any) -> dict[str, Any]:
    """The vendor mapping with some rows changed, each named by its field."""
    definition = copy.deepcopy(VENDOR_CREATION)
    definition["rows"] = [row | rows.get(row["field"], {}) for row in definition["rows"]]
    return {**VENDOR, **definition}


def test_a_mapping_receives_from_its_publication_on_and_its_live_version_never_changes(alice: Integration) -> None:
    made = alice.post(MAPPINGS, {"slug": "fairs", "name": "Fairs", "target": "lead", **WEBSITE_LEAD})
    assert made.status_code == 201, made.text
    mapping = made.json["data"]
    assert (mapping["draft_version"], mapping["live_version"], mapping["is_default"]) == (1, None, False)
    early = alice.post(f"{INCOMING}?mapping=fairs", PAYLOADS["website-lead"])
    assert (early.status_code, early.json["errorCode"]) == (404, "MAPPING_NOT_FOUND")
    one = f"{MAPPINGS}/{mapping['public_id']}"
    live = alice.post(f"{one}/publish").json["data"]
    assert (live["draft_version"], live["live_version"]) == (None, 1)
    assert alice.post(f"{INCOMING}?mapping=fairs", PAYLOADS["website-lead"]).status_code == 200

    stricter = copy.deepcopy(WEBSITE_LEAD)
    stricter["rows"][4]["required"] = True
    edited = alice.put(one, {"slug": "fairs", "name": "Trade fairs", "target": "lead", **stricter}).json["data"]
    assert (edited["draft_version"], edited["live_version"], edited["name"]) == (2, 1, "Trade fairs")
    anonymous = {**PAYLOADS["website-lead"], "email": "new@buyers.example", "company": ""}
    assert alice.post(f"{INCOMING}?mapping=fairs&dry_run=true", anonymous).status_code == 200
    assert alice.post(f"{one}/publish").json["data"]["live_version"] == 2
    assert alice.post(f"{INCOMING}?mapping=fairs", anonymous).json["errors"] == {"company": "company is required"}
    versions = alice.get(f"{one}/versions").json["data"]
    assert [(row["number"], row["status"]) for row in versions] == [(2, "live"), (1, "retired")]
    again = alice.post(f"{one}/draft", {"version": 1}).json["data"]
    assert again["draft_version"] == 3
    assert "required" not in again["rows"][4] or not again["rows"][4]["required"]
    assert alice.post(f"{one}/draft", {"version": 9}).status_code == 404
    assert alice.delete(one).status_code == 200
    assert alice.post(f"{INCOMING}?mapping=fairs", anonymous).status_code == 404


def test_everything_that_cannot_work_is_told_at_once_with_its_place(alice: Integration) -> None:
    row = {"source": "a", "field": "phone", "type": "string"}
    rows = [
        {"source": "vendorName", "field": "nonsense"},
        {"source": "gst", "field": "gst_no", "checks": [{"kind": "pattern", "pattern": "(?=a)b"}]},
        {"source": "x..y", "field": "email", "checks": [{"kind": "pattern", "pattern": r"(a)\1"}]},
        {"field": "city", "checks": [{"kind": "master", "master": "planets"}]},
        {**row, "transformations": [{"kind": "date_format", "format": "DD/QQ/YYYY"}]},
        {**row, "checks": [{"kind": "range"}, {"kind": "unique"}, {"kind": "master"}]},
        {"source": "n", "field": "contact_person", "type": "number"},
    ]
    wrong = {
        "rows": rows,
        "duplicates": {"fields": ["city", "name"], "action": "refuse"},
        "answers": {"created": {"http_status": 400}, "failed": {"http_status": 204}, "record_id": "password"},
    }
    found = alice.post(f"{MAPPINGS}/1/check", wrong).json["data"]
    assert not found["is_sound"]
    assert set(found["faults"]) == {
        "rows",
        "rows.0.field",
        "rows.1.checks.0.pattern",
        "rows.2.source",
        "rows.2.checks.0.pattern",
        "rows.3.source",
        "rows.3.checks.0.master",
        "rows.4.field",
        "rows.4.transformations.0.format",
        "rows.5.field",
        "rows.5.checks.0.min",
        "rows.5.checks.0.kind",
        "rows.5.checks.2.master",
        "rows.6.type",
        "duplicates.fields.0",
        "duplicates.fields.1",
        "answers.created.http_status",
        "answers.failed.http_status",
        "answers.record_id",
    }
    saved = alice.put(f"{MAPPINGS}/1", {**VENDOR, **wrong})
    assert (saved.status_code, saved.json["errors"]) == (400, found["faults"])
    assert alice.get(f"{MAPPINGS}/1").json["data"]["draft_version"] is None
    sound = alice.post(f"{MAPPINGS}/1/check", VENDOR_CREATION).json["data"]
    assert sound == {"is_sound": True, "faults": {}}


def test_slugs_and_the_default_are_held_by_one_mapping(alice: Integration) -> None:
    taken = alice.post(MAPPINGS, {**VENDOR, **VENDOR_CREATION})
    assert (taken.status_code, list(taken.json["errors"])) == (409, ["slug"])
    other = alice.post(MAPPINGS, {**VENDOR, "slug": "vendors-two", **VENDOR_CREATION}).json["data"]
    assert other["is_default"]
    assert [row["slug"] for row in alice.get(MAPPINGS).json["data"] if row["is_default"]] == ["vendors-two"]
    retarget = alice.put(f"{MAPPINGS}/1", {**VENDOR, "target": "lead", **WEBSITE_LEAD})
    assert list(retarget.json["errors"]) == ["target"]
    assert alice.post(f"{MAPPINGS}/1/publish").status_code == 409


def test_mappings_survive_a_reset_and_come_back_where_there_are_none(alice: Integration) -> None:
    alice.put(f"{MAPPINGS}/1", changed(city={"required": True}))
    alice.post(f"{MAPPINGS}/1/publish")
    kept = alice.post("/api/v2/sandbox/reset", {}).json["data"]["kept"]
    assert (kept["incoming_mappings"], kept["incoming_versions"]) == (5, 6)
    assert alice.get(f"{MAPPINGS}/1").json["data"]["live_version"] == 2
    for mapping in alice.get(MAPPINGS).json["data"]:
        assert alice.delete(f"{MAPPINGS}/{mapping['id']}").status_code == 200
    assert alice.post(INCOMING, ABC).json["errorCode"] == "MAPPING_NOT_FOUND"
    alice.post("/api/v2/sandbox/reset", {})
    assert alice.post(INCOMING, ABC).json["recordId"] == "VEND-1023"


def test_a_sample_is_tried_on_the_draft_or_on_what_is_live(alice: Integration) -> None:
    alice.put(f"{MAPPINGS}/1", changed(contact_person={"required": True, "code": "NO_CONTACT"}))
    payload = {name: value for name, value in ABC.items() if name != "contactPerson"}
    live = alice.post(f"{MAPPINGS}/1/run", {"payload": payload}).json["data"]
    assert (live["outcome"], live["status"], live["answers"][0]["recordId"]) == ("SUCCESS", 200, "VEND-1023")
    draft = alice.post(f"{MAPPINGS}/1/run", {"payload": payload, "version": "draft"}).json["data"]
    assert (draft["outcome"], draft["status"], draft["answers"][0]["errorCode"]) == ("FAILED", 400, "NO_CONTACT")
    assert alice.get("/api/v2/procurement/vendors").json["meta"]["total_records"] == 22
    assert alice.post(f"{MAPPINGS}/2/run", {"payload": {}, "version": "draft"}).status_code == 409
    assert list(alice.post(f"{MAPPINGS}/1/run", {"payload": "text"}).json["errors"]) == ["payload"]


def test_what_came_in_is_logged_with_what_became_of_it_and_no_secrets(alice: Integration, mallory: Integration) -> None:
    key = alice.key
    alice.post(INCOMING, ABC | {"password": "hunter2", "note": key}, headers={"X-Request-Id": "first"})
    alice.post(INCOMING, [ABC, ABC | {"gstNumber": "bad"}], headers={"X-Request-Id": "second"})
    alice.post(INCOMING, ABC | {"gstNumber": "bad"})
    alice.post(f"{INCOMING}?dry_run=true", ABC)
    lines = alice.get(LOGS).json["data"]
    assert [(line["outcome"], line["http_status"], line["record_count"]) for line in lines] == [
        ("FAILED", 400, 1),
        ("MIXED", 200, 2),
        ("SUCCESS", 200, 1),
    ]
    first = alice.get(f"{LOGS}/{lines[2]['public_id']}").json["data"]
    assert first["request_id"] == "first"
    assert first["key_id"] == key.split("_")[2]
    assert "ABC Traders" in first["body"]
    assert "hunter2" not in first["body"] and key not in first["body"]
    assert first["outcomes"][0]["record_id"] == "VEND-1023"
    second = alice.get(f"{LOGS}/second").json["data"]
    assert [row["outcome"] for row in second["outcomes"]] == ["DUPLICATE", "FAILED"]
    assert second["outcomes"][1]["code"] == "INVALID_GST"
    asked = {"outcome=FAILED": 1, "search=VEND-1023": 2, "search=INVALID_GST": 2, "mapping=website-lead": 0}
    for query, count in asked.items():
        assert len(alice.get(f"{LOGS}?{query}").json["data"]) == count, query
    assert alice.get(f"{LOGS}?date_to=2020-01-01").json["data"] == []
    assert mallory.get(f"{LOGS}/{first['public_id']}").status_code == 404
    alice.post("/api/v2/sandbox/reset", {})
    assert alice.get(LOGS).json["meta"]["total_records"] == 3


def test_past_payloads_show_what_a_draft_makes_better_and_worse(alice: Integration) -> None:
    assert alice.post(INCOMING, ABC).status_code == 200
    unknown = ABC | {"gstNumber": "27XYZAB1234F1Z5", "city": "Atlantis"}
    assert alice.post(INCOMING, unknown).status_code == 400
    assert alice.post(INCOMING, ABC | {"gstNumber": "x"}).status_code == 400
    wider = changed(city={"checks": []}, contact_person={"checks": [{"kind": "pattern", "pattern": "[A-Z]+"}]})
    alice.put(f"{MAPPINGS}/1", wider)
    found = alice.post(f"{MAPPINGS}/1/replay", {"last": 10}).json["data"]
    assert [one["verdict"] for one in found["payloads"]] == ["same", "same", "worse"]
    only_wider = changed(city={"checks": []}, name={"transformations": [{"kind": "case", "case": "upper"}]})
    alice.put(f"{MAPPINGS}/1", only_wider)
    found = alice.post(f"{MAPPINGS}/1/replay", {"last": 10}).json["data"]
    assert [one["verdict"] for one in found["payloads"]] == ["same", "better", "same"]
    assert [one["then"] for one in found["payloads"]] == ["FAILED", "FAILED", "SUCCESS"]
    assert (found["payloads"][1]["live_codes"], found["payloads"][1]["draft_codes"]) == (["UNKNOWN_CITY"], [])
    assert found["payloads"][2]["has_other_values"]
    assert (found["same"], found["better"], found["worse"], found["left_out"]) == (2, 1, 0, 0)
    assert alice.get("/api/v2/procurement/vendors").json["meta"]["total_records"] == 23
    assert alice.post(f"{MAPPINGS}/2/replay", {}).status_code == 409


def test_a_mapping_takes_its_log_along_when_its_slug_changes(alice: Integration, mallory: Integration) -> None:
    for each in (alice, mallory):
        assert each.post(INCOMING, ABC).status_code == 200
    renamed = {**changed(city={"required": True}), "slug": "suppliers"}
    assert alice.put(f"{MAPPINGS}/1", renamed).status_code == 200
    assert alice.post(f"{INCOMING}?mapping=suppliers", ABC).status_code == 409
    assert [row["mapping"] for row in alice.get(LOGS).json["data"]] == ["suppliers"] * 2
    assert len(alice.post(f"{MAPPINGS}/1/replay", {}).json["data"]["payloads"]) == 2
    newcomer = alice.post(MAPPINGS, changed() | {"is_default": False}).json["data"]
    assert alice.post(f"{MAPPINGS}/{newcomer['id']}/replay", {}).json["data"]["payloads"] == []
    assert [row["mapping"] for row in mallory.get(LOGS).json["data"]] == ["vendor-creation"]


@pytest.mark.one_store
def test_a_viewer_neither_reads_nor_writes_mappings(bob: Integration) -> None:
    for answer in (bob.get(MAPPINGS), bob.get(LOGS), bob.post(f"{MAPPINGS}/1/publish")):
        assert answer.status_code == 403
    sent = bob.post(INCOMING, ABC)
    assert (sent.status_code, sent.json["errorCode"], sent.json["required"]) == (403, "FORBIDDEN", "integration:write")
