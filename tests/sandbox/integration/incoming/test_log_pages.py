"""Incoming Logs: found again by every filter, masked, exported, and tried on the draft from there."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.integration.incoming.samples import PAYLOADS
from tests.conftest import Integration
from tests.sandbox.console.conftest import Visitor, code_in
from tests.sandbox.integration.incoming.forms import ROOT, complaints, mapping_path

LOGS = f"{ROOT}/incoming/logs"
SEND = "/api/v1/integration/incoming?mapping="
ABC = PAYLOADS["vendor-creation"]


def test_what_came_in_is_found_shown_and_exported(new_visitor: Callable[[], Visitor]) -> None:
    alice, mallory = new_visitor(), new_visitor()
    for visitor in (alice, mallory):
        visitor.open_sandbox()
    assert "Nothing came in yet" in alice.get(LOGS).text
    program = Integration(alice.client, alice.keys["administrator"], alice.tenant)
    program.post(f"{SEND}vendor-creation&dry_run=true", ABC)
    good = program.post(f"{SEND}vendor-creation", ABC | {"password": "hunter2", "note": "<script>"}).json["requestId"]
    bad = program.post(f"{SEND}vendor-creation", [ABC, ABC | {"gstNumber": "=1+1"}]).headers["X-Request-Id"]
    lead = program.post(f"{SEND}website-lead", PAYLOADS["website-lead"]).json["requestId"]

    found = {
        "": [lead, bad, good],
        "outcome=MIXED": [bad],
        "mapping=website-lead": [lead],
        "search=INVALID_GST": [bad],
        "search=hunter2": [],
        f"search={good}": [good],
        "date_from=2999-01-01": [],
        "date_to=2999-01-01&mapping=vendor-creation": [bad, good],
        "page=2": [],
    }
    for query, expected in found.items():
        page = alice.get(f"{LOGS}?{query}")
        shown = [request_id for request_id in (lead, bad, good) if request_id in page.text]
        assert shown == expected, query
    wrong = alice.get(f"{LOGS}?outcome=GREAT&date_from=31.12.2024&page=1")
    assert "date_from" in complaints(wrong) and "No such message" in wrong.text

    link = next(link for link in alice.get(LOGS).links if link.startswith(f"{LOGS}/ims_"))
    page = alice.get(f"{LOGS}/{bad}")
    assert "INVALID_GST" in page.text and "VEND-1023" in page.text and f"{ROOT}/traces/{bad}" in page.links
    assert '"outcome": "DUPLICATE"' in code_in(page) or "DUPLICATE" in code_in(page)
    page = alice.get(f"{LOGS}/{good}")
    assert "hunter2" not in page.html and "<script>" in code_in(page) and alice.keys["administrator"] not in page.html
    assert any("/try?message=ims_" in link for link in page.links)
    for path in (link, f"{LOGS}/{good}"):
        mallory.get(path, 404)
    assert "hunter2" not in alice.get(next(link for link in page.links if "/try?message=" in link)).html

    table = alice.client.get(f"{LOGS}.csv?mapping=vendor-creation")
    lines = table.get_data(as_text=True).splitlines()
    assert table.mimetype == "text/csv" and len(lines) == 3 and "attachment" in table.headers["Content-Disposition"]
    assert lines[0].startswith("\ufeffpublic_id,request_id,mapping") and bad in lines[1]
    acts = program.get("/api/v2/audit?action=incoming-logs.list").json["data"]
    assert len(acts) == 1
    assert len(mallory.client.get(f"{LOGS}.csv").get_data(as_text=True).splitlines()) == 1


def test_a_message_outlives_its_mapping(new_visitor: Callable[[], Visitor]) -> None:
    alice = new_visitor()
    alice.open_sandbox()
    program = Integration(alice.client, alice.keys["administrator"], alice.tenant)
    request_id = program.post(f"{SEND}website-lead", PAYLOADS["website-lead"]).json["requestId"]
    mapping = mapping_path(alice, "Website lead").rpartition("/")[2]
    assert program.delete(f"/api/v2/integration/incoming-mappings/{mapping}").status_code == 200
    page = alice.get(f"{LOGS}/{request_id}")
    assert "SUCCESS" in page.text and not any("/try?message=" in link for link in page.links)
    assert request_id in alice.get(f"{LOGS}?mapping=website-lead").text
