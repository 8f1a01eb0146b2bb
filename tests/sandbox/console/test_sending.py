"""Sending: real requests, shown as they came back, and never anywhere else than to the API."""

from __future__ import annotations

import json

import pytest
from flask import Flask

from portal.docs.service import current_docs
from sandbox.console.drafts import can_be_sent, check, draft_sample, draft_typed
from tests.sandbox.console.conftest import SECRET_KEY, Visitor, code_in

HOSTILE = ["../customers", "..", ".", "//host", "1/payments", "..\\x", "a\0b", "1\r\nX-Evil: 1", "x" * 201, ""]


def test_the_form_comes_filled_with_the_sample(alice: Visitor) -> None:
    page = alice.get("/sandbox?operation=invoices.create")
    body = json.loads("".join(page.find_all("textarea", id="body")[0].itertext()))
    assert body["customer_id"] == 1
    assert alice.get("/sandbox?operation=customers.read").field("path.id") == "1"


def test_a_link_fills_the_form_and_sends_nothing(alice: Visitor) -> None:
    page = alice.get(
        "/sandbox?operation=incoming.receive&query.mapping=website-lead&body=%7B%22a%22%3A%3Cb%3E%00&role=x"
    )
    assert page.field("query.mapping") == "website-lead"
    assert "".join(page.find_all("textarea", id="body")[0].itertext()).strip() == '{"a":<b>\ufffd'
    assert (
        alice.client.get("/api/v2/sandbox/requests", headers={"x-api-key": alice.keys["administrator"]}).json["data"]
        == []
    )


def test_every_operation_of_the_document_can_be_chosen(app: Flask, alice: Visitor) -> None:
    with app.app_context():
        operations = [operation for operation in current_docs().reference.operations if can_be_sent(operation)]
    offered = [option.get("value") for option in alice.get("/sandbox").root.iter("option")]
    for operation in operations:
        assert operation.id in offered
        alice.get(f"/sandbox?operation={operation.id}")


def test_an_unknown_operation_is_not_found(alice: Visitor) -> None:
    alice.get("/sandbox?operation=customers.steal", status=404)
    alice.send("customers.steal", status=404)


def test_a_request_is_sent_for_real_and_its_answer_shown(alice: Visitor) -> None:
    page = alice.send("customers.create", body='{"account": "Jane", "email": "jane@example.com"}')
    assert "201 Created" in page.text
    assert '"id": 101' in code_in(page)
    listed = alice.client.get("/api/v2/customers/101", headers={"x-api-key": alice.keys["viewer"]})
    assert listed.json["data"]["account"] == "Jane"


def test_money_is_shown_exactly(alice: Visitor) -> None:
    assert '"amount": 1500.00' in code_in(alice.send("invoices.read", path__id="1"))


def test_the_role_decides(alice: Visitor) -> None:
    page = alice.send("customers.create", role="viewer", body="{}")
    assert "403 Forbidden" in page.text
    assert page.find_all("a", href="/errors/forbidden")


def test_without_a_key_the_call_is_unauthorized(alice: Visitor) -> None:
    assert "401 Unauthorized" in alice.send("customers.list", role="none").text


def test_a_refusal_brings_its_notice_and_its_page(alice: Visitor) -> None:
    page = alice.send("customers.create", body='{"email": "nonsense"}')
    assert "Check the fields" in page.text
    assert page.find_all("a", href="/errors/validation_failed")


def test_what_was_typed_is_kept(alice: Visitor) -> None:
    page = alice.send("customers.create", body='{"account": 5}\r\n')
    assert "".join(page.find_all("textarea", id="body")[0].itertext()).strip() == '{"account": 5}'


def test_a_body_that_is_not_json_is_sent_as_it_stands(alice: Visitor) -> None:
    assert "malformed_json" in alice.send("customers.create", body="{oh no").text


def test_the_same_call_is_given_without_the_key(alice: Visitor) -> None:
    page = alice.send("customers.create", body='{"account": "O\'Hara"}')
    assert 'curl "$SLIPWAY_URL/api/v2/customers"' in code_in(page)
    assert "Authorization: Bearer $SLIPWAY_KEY" in code_in(page)
    assert "O'\\''Hara" in code_in(page)
    assert not SECRET_KEY.search(page.html)


def test_script_in_an_answer_stays_text(alice: Visitor) -> None:
    script = "<script>alert(1)</script></pre>"
    alice.send("customers.create", body=json.dumps({"account": script}))
    page = alice.send("customers.read", path__id="101")
    assert script in code_in(page)
    assert script not in page.html


@pytest.mark.parametrize("value", HOSTILE)
def test_a_path_value_that_could_leave_its_place_is_not_sent(alice: Visitor, value: str) -> None:
    page = alice.send("customers.read", status=400, path__id=value)
    assert page.find_all("p", id="path-id-error")
    assert "Not sent" in page.text
    assert "No calls yet" in alice.get("/sandbox/requests").text


@pytest.mark.parametrize("value", ["1?limit=1", "1#top", "%2e%2e", "1;x=1", "%00", "ü", "1 OR 1=1"])
def test_any_other_path_value_stays_in_its_place(alice: Visitor, value: str) -> None:
    assert "404 Not Found" in alice.send("customers.read", path__id=value).text
    assert "customers.read" in alice.get("/sandbox?again=" + _last_request(alice)).html


def test_query_values_stay_values(alice: Visitor) -> None:
    page = alice.send("customers.list", query__search="x&limit=1#y")
    assert "search=x%26limit%3D1%23y" in code_in(page)
    assert "200 OK" in page.text


def test_a_form_cannot_name_another_host_or_path(alice: Visitor) -> None:
    fields = {"url": "http://example.com/", "path": "/sandbox", "self_url": "http://example.com", "method": "DELETE"}
    assert "200 OK" in alice.send("customers.list", **fields).text


def test_a_role_the_console_has_no_key_for_is_refused(alice: Visitor) -> None:
    page = alice.send("customers.list", status=400, role="root")
    assert page.find_all("p", id="role-error")


def test_scripts_get_the_answer_alone(alice: Visitor) -> None:
    token = alice.get("/sandbox").field("csrf_token")
    data = {"csrf_token": token, "operation": "customers.list", "role": "viewer"}
    block = alice.client.post("/sandbox/requests", data=data, headers={"X-Partial": "1"}).get_data(as_text=True)
    assert block.lstrip().startswith('<section class="console-answer" id="answer"')
    assert "<html" not in block


def test_the_role_chosen_last_is_kept_for_the_next_operation(alice: Visitor) -> None:
    alice.send("customers.list", role="sales")
    chosen = [option for option in alice.get("/sandbox").root.iter("option") if option.get("selected") is not None]
    assert "sales" in [option.get("value") for option in chosen]


def test_a_busy_console_says_so_at_once(app: Flask, alice: Visitor) -> None:
    slots = app.extensions["console_slots"]
    taken = [slots for _ in range(4) if slots.acquire(blocking=False)]
    try:
        page = alice.send("customers.list", status=503)
    finally:
        for slot in taken:
            slot.release()
    assert "Try again" in page.text
    assert page.response.headers["Retry-After"]


def test_half_of_the_threads_are_left_to_answer(app: Flask) -> None:
    slots = app.extensions["console_slots"]
    taken = 0
    while slots.acquire(blocking=False):
        taken += 1
    for _ in range(taken):
        slots.release()
    assert taken == 4


def test_a_server_that_does_not_answer_is_told_from_a_refusal(app: Flask, alice: Visitor, unreachable: str) -> None:
    page = alice.send("customers.list")
    assert "No answer" in page.text
    assert "500" not in page.text


def test_headers_take_no_line_breaks(app: Flask, alice: Visitor) -> None:
    with app.app_context():
        operation = current_docs().reference.by_id["customers.list"]
        draft = draft_typed(operation, {"role": "viewer"})
        wrong = check(type(draft)(operation, "viewer", headers={"X-Note": "a\r\nX-Evil: 1"}), ["viewer"])
    assert list(wrong.errors) == ["header.X-Note"]


def test_the_tenant_in_a_path_is_the_visitors_own(app: Flask, alice: Visitor) -> None:
    with app.app_context():
        own = [
            operation
            for operation in current_docs().reference.operations
            if operation.path.startswith("/api/tenants/{")
        ]
        drafts = [draft_sample(operation, "administrator", alice.tenant, {}) for operation in own]
    assert all(alice.tenant in draft.filled_path for draft in drafts)


def test_a_guest_conversation_begun_in_the_console_goes_on_there(alice: Visitor) -> None:
    assert "Begin a conversation first" in alice.get("/sandbox?operation=guest-chat.post").text
    body = json.dumps({"fullName": "Jane", "email": f"{alice.tenant}@example.com", "message": "Hello"})
    assert "201 Created" in alice.send("guest-chat.start", body=body).text
    page = alice.get("/sandbox?operation=guest-chat.events")
    conversation = page.field("path.conversation")
    assert "Hello" in code_in(alice.send("guest-chat.events", path__conversation=conversation))
    assert "gst_" not in page.html


def test_public_calls_reach_the_visitors_sandbox_and_nobody_elses(alice: Visitor, mallory: Visitor) -> None:
    email = f"{alice.tenant}@example.com"
    body = json.dumps({"source": "website", "name": "Zoe Quick", "email": email, "message": "Hello"})
    assert "201 Created" in alice.send("public-leads.submit", body=body).text
    search = alice.tenant
    assert '"email": "' + email in code_in(alice.send("leads.list", query__search=search))
    assert '"email": "' + email not in code_in(mallory.send("leads.list", query__search=search))


def _last_request(visitor: Visitor) -> str:
    link = next(link for link in visitor.get("/sandbox/requests").links if link.startswith("/sandbox/requests/"))
    return link.rsplit("/", 1)[1]
