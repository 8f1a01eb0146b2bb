"""Return Status Rules: the usual answers, and a mapping's own, kept in its draft until it is published."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.integration.incoming.samples import PAYLOADS
from tests.conftest import Integration
from tests.sandbox.console.conftest import Visitor
from tests.sandbox.integration.incoming.forms import ROOT, complaints, mapping_path, press, typed_in

STATUSES = f"{ROOT}/statuses"
SEND = "/api/v1/integration/incoming?mapping=vendor-creation"
ABC = PAYLOADS["vendor-creation"]


def test_a_mapping_answers_by_rules_of_its_own_once_they_are_published(new_visitor: Callable[[], Visitor]) -> None:
    alice = new_visitor()
    alice.open_sandbox()
    program = Integration(alice.client, alice.keys["administrator"], alice.tenant)
    page = alice.get(STATUSES)
    for words in ("SUCCESS", "FAILED", "DUPLICATE", "a value is missing or not valid", "recordId"):
        assert words in page.text
    path = f"{STATUSES}/{mapping_path(alice, 'Vendor creation').rpartition('/')[2]}"
    assert typed_in(page, path)["answers.record_id"] == "vendor_code"

    wrong = {
        "answers__created__http_status": "404",
        "answers__duplicate__http_status": "soon",
        "answers__failed__error_code": "no good",
        "answers__updated__status": "two words",
    }
    page = press(alice, page, path, "save", 400, **wrong)
    assert set(complaints(page)) == {
        "answers.duplicate.http_status",
        "answers.failed.error_code",
        "answers.updated.status",
    }
    assert typed_in(page, path)["answers.created.http_status"] == "404"
    (notice,) = page.find_all("div", id="notice")
    assert {link.get("href"): "".join(link.itertext()) for link in notice.iter("a")} == {
        "#answers-duplicate-http-status": "Duplicate, HTTP status",
        "#answers-failed-error-code": "Failed, errorCode",
        "#answers-updated-status": "Updated, status",
    }
    assert [form.get("action") for form in page.find_all("form", method="post")] == [f"{path}#notice"]
    assert alice.client.get(path).location == f"{STATUSES}?mapping=vendor-creation"
    rules = {
        "answers__created__http_status": "201",
        "answers__created__status": "OK",
        "answers__created__message": "Angelegt",
        "answers__duplicate__http_status": "200",
        "answers__failed__error_code": "BAD_VENDOR",
        "answers__updated__status": "",
        "answers__record_id": "gst_no",
    }
    page = press(alice, page, path, "save", **rules)
    assert "Draft saved" in page.text and "answers once it is published" in page.text
    assert program.post(f"{SEND}&dry_run=true", ABC).status_code == 200
    assert "Version 2 is live" in press(alice, page, path, "publish").text
    created, again, bad = (program.post(SEND, body) for body in (ABC, ABC, {"vendorName": "x"}))
    said = {"status": "OK", "message": "Angelegt", "recordId": ABC["gstNumber"], "outcome": "SUCCESS"}
    assert created.status_code == 201 and said.items() <= created.json.items()
    assert (again.status_code, again.json["outcome"]) == (200, "DUPLICATE")
    assert (bad.status_code, bad.json["errorCode"]) == (400, "BAD_VENDOR")


def test_the_editor_keeps_the_answers_and_the_answers_keep_the_rows(new_visitor: Callable[[], Visitor]) -> None:
    alice = new_visitor()
    alice.open_sandbox()
    editor = mapping_path(alice, "Website lead")
    path = f"{STATUSES}/{editor.rpartition('/')[2]}"
    press(alice, alice.get(editor), editor, "save", rows__4__source="firm")
    press(alice, alice.get(f"{STATUSES}?mapping=website-lead"), path, "save", answers__created__message="Danke")
    press(alice, alice.get(editor), editor, "save", rows__3__source="telephone")
    typed = typed_in(alice.get(editor), editor)
    assert (typed["rows.3.source"], typed["rows.4.source"]) == ("telephone", "firm")
    page = alice.get(f"{STATUSES}?mapping=website-lead")
    assert typed_in(page, path)["answers.created.message"] == "Danke"
    assert "Vendor creation" in alice.get(f"{STATUSES}?mapping=nonsense").text
    alice.post(f"{STATUSES}/imp_{'0' * 24}", {}, 404)
