"""The pages of outgoing calls: worked without JavaScript, whose credential it is, nobody else's."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from tests.sandbox.console.conftest import Visitor, code_in
from tests.sandbox.delivery.conftest import CourierMaker
from tests.sandbox.delivery.sink import Sink

ROOT = "/sandbox/integration"
WHOSE = "For calls out, the partner issues the credential; you enter it here."
pytestmark = pytest.mark.usefixtures("store")


def rows(*given: dict[str, str]) -> dict[str, str]:
    return {f"rows.{n}.{name}": value for n, row in enumerate(given) for name, value in row.items()}


def test_a_partner_is_connected_mapped_sent_to_and_retried_by_hand(
    new_visitor: Callable[[], Visitor], partner: Sink, courier: CourierMaker
) -> None:
    alice, mallory = new_visitor(), new_visitor()
    alice.open_sandbox()
    mallory.open_sandbox()
    assert WHOSE in alice.get(f"{ROOT}/connections").text
    form = {"name": "Partner <b>", "url": partner.url, "method": "POST", "timeout": "5", "active": "1"}
    key = {"headers-0-name": "X-Key", "headers-0-value": "issued-by-them", "headers-0-secret": "1"}
    refused = alice.post(f"{ROOT}/connections", form | {"headers-0-name": "Host", "headers-0-value": "x"}, status=400)
    assert "Host cannot be set here" in refused.text
    more = alice.post(f"{ROOT}/connections", form | key | {"act": "rows"})
    assert len(more.find_all("input", type="checkbox")) > 6
    listed = alice.post(f"{ROOT}/connections", form | key)
    assert "Partner <b>" in listed.text and "issued-by-them" not in listed.html
    place = next(link for link in listed.links if link.startswith(f"{ROOT}/connections/con_"))
    place = [link for link in listed.links if link.startswith(f"{ROOT}/connections/con_")][-1]
    assert "issued-by-them" not in alice.get(place).html
    assert mallory.client.get(place).status_code == 404
    alice.post(place, form | {"headers-0-name": "X-Key", "headers-0-secret": "1"})

    fields = {"name": "To partner", "slug": "to-partner", "source": "invoice", "manual": "1", "active": "1"}
    fields |= {"connection_id": "3"} | rows({"field": "invoice_number", "parameter": "number", "required": "1"})
    wrong = fields | rows({"field": "invoice_number", "parameter": "number", "type": "Number"},
                          {"field": "date", "parameter": "number", "type": "Boolean"})  # fmt: skip
    fields["do"] = "publish"
    page = alice.post(f"{ROOT}/outgoing", wrong, status=400)
    assert "date cannot become a Boolean" in page.text and "Row 1 fills number already" in page.text
    preview = alice.post(f"{ROOT}/outgoing", fields | {"do": "preview", "record": "2"})
    assert '"INV-2024-002"' in code_in(preview)
    assert "No such invoice" in alice.post(f"{ROOT}/outgoing", fields | {"do": "preview", "record": "x"}).text
    saved = alice.post(f"{ROOT}/outgoing", fields)
    assert '"INV-2024-001"' in code_in(saved)
    actions = [(form.get("action") or "").partition("#")[0] for form in saved.find_all("form")]
    editor = next(action for action in actions if "omp_" in action)

    nameless = alice.post(
        editor, fields | {"seen": saved.field("seen")} | rows({"parameter": "", "field": "date"}), status=400
    )
    assert "Row 1, parameter : Parameter is required" in nameless.text
    stale = alice.post(editor, fields | {"name": "Ours", "seen": "0"}, status=409)
    assert "It was saved by somebody else meanwhile" in stale.text
    assert alice.get(editor).field("name") == "To partner"
    renamed = alice.post(editor, fields | {"name": "Ours", "seen": stale.field("seen")})
    assert "Mapping saved" in renamed.text

    partner.decide = lambda arrival: (404, {})
    sent = alice.post(f"{editor}/send", {"record": "1"})
    assert "pending" in sent.text
    courier().deliver_due()
    queue = alice.get(f"{ROOT}/failed")
    (box,) = [node for node in queue.find_all("input", type="checkbox") if node.get("name") == "id"]
    failed = f"{ROOT}/failed/{box.get('value')}"
    assert "Body is not valid JSON" in alice.post(failed, {"body": "{"}, status=400).text.replace("The body", "Body")
    assert mallory.client.get(failed).status_code == 404
    partner.decide = lambda arrival: (200, {})
    alice.post(failed, {"body": '{"number": "INV-1"}', "act": "retry"})
    courier().deliver_due()
    first, second = partner.arrivals
    key = first.headers["idempotency-key"]
    assert key != second.headers["idempotency-key"]
    assert second.headers["x-key"] == "issued-by-them"
    assert json.loads(second.body) == {"number": "INV-1"}
    detail = alice.get(f"{ROOT}/outgoing/logs/{box.get('value')}")
    assert "delivered" in detail.text and "issued-by-them" not in detail.html
    assert "Attempt 2" in detail.text
    assert f"Previous idempotency key {key}" in detail.text

    asked = alice.post(f"{editor}/send", {"record": "1"})
    assert "was delivered in this version already" in asked.text and "Send again" in asked.text
    courier().deliver_due()
    assert len(partner.arrivals) == 2
    again = alice.post(f"{editor}/send", {"record": "1", "act": "again"})
    assert f"Previous idempotency key {second.headers['idempotency-key']}" in again.text
    twice = alice.post(f"{editor}/send", {"record": "1"})
    assert "on its way already" in twice.text
    courier().deliver_due()
    assert len(partner.arrivals) == 3


def test_the_log_the_queue_the_settings_and_traces_are_sound_pages(
    new_visitor: Callable[[], Visitor], partner: Sink, courier: CourierMaker
) -> None:
    alice = new_visitor()
    alice.open_sandbox()
    for path in ("outgoing", "outgoing/new", "connections/new", "settings", "outgoing/logs", "failed"):
        page = alice.get(f"{ROOT}/{path}")
        assert len(page.find_all("h1")) == 1
    alice.send("invoices.approve", path__id="1")
    logs = alice.get(f"{ROOT}/outgoing/logs?status=pending&mapping=invoice-to-project-portal&search=INV-2024-001")
    line = next(link for link in logs.links if "/outgoing/logs/dlv_" in link)
    trace = next(link for link in alice.get(line).links if "/traces/" in link)
    shown = alice.get(trace).text
    assert "invoice.approved" in shown and "invoice-to-project-portal" in shown
    assert "must be a date" in alice.get(f"{ROOT}/outgoing/logs?date_from=soon").text
    exported = alice.client.get(f"{ROOT}/outgoing/logs?format=csv")
    assert exported.mimetype == "text/csv" and "invoice-to-project-portal" in exported.text
    settings = alice.get(f"{ROOT}/settings")
    assert WHOSE in settings.text and "tried again after 5 s, 5 min, 30 min, 2 h" in settings.text
    action = next(
        form.get("action") for form in settings.find_all("form") if "/settings/con_" in str(form.get("action"))
    )
    assert "Timeout must be from 1 to 15" in alice.post(str(action), {"timeout": "99"}).text
    assert re.search(r"Project portal off", alice.post(str(action), {"timeout": "9"}).text)
    alice.post(f"{ROOT}/failed", {"act": "discard all"})
    assert alice.client.get(f"{ROOT}/traces/unknown").status_code == 404


def test_a_plan_without_integration_is_told_so(new_visitor: Callable[[], Visitor]) -> None:
    alice = new_visitor()
    alice.open_sandbox("growth")
    for path in ("outgoing", "connections", "settings", "outgoing/logs", "failed", "traces/x"):
        assert "Upgrade required" in alice.get(f"{ROOT}/{path}", 403).text


def test_lines_transformations_and_versions_are_edited_tried_and_published(
    new_visitor: Callable[[], Visitor], partner: Sink, courier: CourierMaker
) -> None:
    alice = new_visitor()
    alice.open_sandbox()
    form = {"name": "Partner", "url": partner.url, "method": "POST", "timeout": "5", "active": "1"}
    alice.post(f"{ROOT}/connections", form)
    fields = {"name": "Lines", "slug": "lines", "source": "invoice", "manual": "1", "active": "1", "connection_id": "3"}
    number = {"rows.0.field": "invoice_number", "rows.0.parameter": "number", "rows.0.type": "String"}
    bad = number | {"rows.1.field": "items", "rows.1.parameter": "positionen[0].text", "rows.1.type": "List"}
    for act in ("preview", "save", "publish"):
        refused = alice.post(f"{ROOT}/outgoing", fields | bad | {"do": act}, status=400)
        assert "give the row the type List" in refused.text
    more = alice.post(f"{ROOT}/outgoing", fields | bad | {"do": "add rows.1.rows"})
    assert more.field("rows.1.rows.0.parameter") == ""
    inner = {"rows.1.rows.0.field": "amount", "rows.1.rows.0.parameter": "preis", "rows.1.rows.0.type": "String"}
    lines = bad | {"rows.1.parameter": "positionen"} | inner
    chosen = lines | {"rows.1.rows.0.new_step": "number_format", "do": "add rows.1.rows.0.transformations"}
    step = alice.post(f"{ROOT}/outgoing", fields | chosen)
    assert step.field("rows.1.rows.0.transformations.0.kind") == "number_format"
    at = "rows.1.rows.0.transformations.0"
    lines |= {f"{at}.kind": "number_format", f"{at}.decimal": ",", f"{at}.thousands": "."}
    shown = alice.post(f"{ROOT}/outgoing", fields | lines | {"do": "preview", "record": "1"})
    assert '"preis": "1.500,00"' in code_in(shown)
    assert "The mapping can work" in alice.post(f"{ROOT}/outgoing", fields | lines | {"do": "check"}).text
    saved = alice.post(f"{ROOT}/outgoing", fields | lines | {"do": "save"})
    assert "Draft saved" in saved.text and "nothing is sent until it is published" in saved.text
    editor = next(link for link in saved.links if link.endswith("/try")).removesuffix("/try")
    assert "Publish it, then repeat" in alice.post(f"{editor}/send", {"record": "1"}).text
    live = alice.post(editor, fields | lines | {"do": "publish", "seen": saved.field("seen")})
    assert "Version 1 is live" in live.text
    alice.post(f"{editor}/send", {"record": "1"})
    courier().deliver_due()
    assert json.loads(partner.arrivals[0].body) == {"number": "INV-2024-001", "positionen": [{"preis": "1.500,00"}]}
    draft = alice.post(editor, fields | number | {"do": "save", "seen": live.field("seen")})
    assert "the live version sends until it is published" in draft.text
    tried = alice.get(f"{editor}/try?version=draft&record=1&last=5")
    assert "positionen" not in code_in(tried) and "differs" in tried.text
    assert "positionen" in code_in(alice.get(f"{editor}/try?version=live&record=1"))
    discarded = alice.post(f"{editor}/discard", {})
    assert "Draft discarded" in discarded.text
    again = alice.post(f"{editor}/versions/1/draft", {})
    assert "Version 1 is now the draft, as version 2" in again.text
    renamed = alice.post(editor, fields | lines | {"name": "Renamed", "do": "publish", "seen": again.field("seen")})
    assert "Version 2 is live" in renamed.text
    same = alice.post(editor, fields | lines | {"do": "save", "seen": renamed.field("seen")})
    assert "Mapping saved" in same.text and "What stands here is live" in same.text
