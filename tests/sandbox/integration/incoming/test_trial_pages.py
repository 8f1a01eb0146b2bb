"""Trying a mapping on its page: what would happen is told in full, and nothing of it is kept."""

from __future__ import annotations

import json
from collections.abc import Callable

from sandbox.integration.incoming.samples import PAYLOADS
from tests.conftest import Integration
from tests.sandbox.console.conftest import Visitor, code_in
from tests.sandbox.integration.incoming.forms import mapping_path, press, typed_in

SEND = "/api/v1/integration/incoming?mapping=vendor-creation"
VENDORS = "/api/v2/procurement/vendors?limit=1"
ABC = PAYLOADS["vendor-creation"]


def test_a_dry_run_tells_verdicts_effects_and_the_answer_and_keeps_nothing(
    new_visitor: Callable[[], Visitor],
) -> None:
    alice = new_visitor()
    alice.open_sandbox()
    program = Integration(alice.client, alice.keys["administrator"], alice.tenant)
    path = f"{mapping_path(alice, 'Vendor creation')}/try"
    typed = typed_in(alice.get(path), f"{path}#result")
    assert json.loads(typed["body"]) == ABC and typed["version"] == "live"

    page = alice.post(path, {"version": "live", "body": typed["body"], "do": "run"})
    assert '"recordId": "VEND-1023"' in code_in(page) and "dryRun" not in code_in(page)
    for words in ("vendors:code 23", "vendor.created", "27ABCDE1234F1Z5", "What would change", "Nothing was written"):
        assert words in page.text
    bad = alice.post(
        path, {"version": "live", "body": json.dumps(ABC | {"gstNumber": "x", "city": "<b>"}), "do": "run"}
    )
    assert '"errorCode": "INVALID_GST"' in code_in(bad) and "UNKNOWN_CITY" in bad.text
    assert "Nothing would change in the ERP" in bad.text and "400 Bad Request" in bad.text

    page = alice.post(path, {"version": "live", "body": json.dumps([ABC, "x"]), "do": "preview"})
    assert "2 records read" in page.text and '"gst_no": "27ABCDE1234F1Z5"' in code_in(page)
    page = alice.post(path, {"version": "live", "body": "mine", "do": "sample"})
    assert "for the mapping's own sample" in page.text and typed_in(page, f"{path}#result")["body"] == "mine"
    assert program.get(VENDORS).json["meta"]["total_records"] == 22
    assert program.get("/api/v2/events?type=vendor.created").json["data"] == []


def test_a_body_that_cannot_be_read_is_kept_with_what_is_wrong(new_visitor: Callable[[], Visitor]) -> None:
    alice = new_visitor()
    alice.open_sandbox()
    path = f"{mapping_path(alice, 'Vendor creation')}/try"
    for body, words in (
        ('{"a": 1,', "not valid JSON"),
        ('{"a": 1, "a": 2}', "stands twice"),
        ("7", "must be a JSON object, or an array of them"),
        ("[]", "1 to 500 records"),
        ("[" * 200_000, "nested deeper"),
    ):
        page = alice.post(path, {"version": "live", "body": body, "do": "run"}, 400)
        assert words in page.text and typed_in(page, f"{path}#result")["body"] == body
    alice.post(path, {"version": "draft", "body": "{}", "do": "run"}, 409)


def test_replay_holds_the_draft_against_what_came_in(new_visitor: Callable[[], Visitor]) -> None:
    alice = new_visitor()
    alice.open_sandbox()
    program = Integration(alice.client, alice.keys["administrator"], alice.tenant)
    path = mapping_path(alice, "Vendor creation")
    assert "There is no draft to hold" in alice.get(f"{path}/try").text
    alice.post(f"{path}/replay", {"last": "5"}, 409)
    program.post(SEND, ABC | {"gstNumber": "27ABCDE1234F1Z5 "})
    failed = program.post(SEND, ABC | {"city": "Atlantis", "gstNumber": "27ABCDE1234F1Z6"})
    assert failed.status_code == 400
    page = press(alice, alice.get(path), path, "remove rows.5")
    press(alice, page, path, "save")
    page = alice.post(f"{path}/replay", {"last": "5", "body": "kept", "version": "draft"})
    assert typed_in(page, f"{path}/try#result")["body"] == "kept"
    rows = [" ".join(" ".join(row.itertext()).split()) for row in page.root.iter("tr")][1:]
    assert "better FAILED FAILED UNKNOWN_CITY SUCCESS" in rows[0] and "same SUCCESS DUPLICATE" in rows[1]
    logged = program.get("/api/v2/integration/incoming-logs").json["data"][0]
    page = alice.get(f"{path}/try?message={logged['public_id']}")
    typed = typed_in(page, f"{path}/try#result")
    assert json.loads(typed["body"])["city"] == "Atlantis" and typed["version"] == "draft"
    alice.get(f"{path}/try?message=ims_{'0' * 24}", 404)
