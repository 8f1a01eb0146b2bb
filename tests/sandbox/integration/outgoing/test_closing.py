"""What a partner's answers do to its connection: slower, or closed; and which of its words are kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from portal.core.clock import system_now
from portal.core.database import Database
from portal.core.outgoing import OutgoingClient
from sandbox.delivery.models import Lane
from sandbox.delivery.worker import Courier
from sandbox.integration.outgoing.models import Connection
from sandbox.tenants import NewSandbox
from tests.conftest import Integration
from tests.sandbox.console.conftest import Visitor
from tests.sandbox.delivery.conftest import CourierMaker, bound
from tests.sandbox.delivery.sink import Sink
from tests.sandbox.integration.outgoing.conftest import ROOT, Connect, Map

LOGS = f"{ROOT}/outgoing-logs"
Paused = Callable[[dict[str, Any]], bool]
pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture
def is_paused(database: Database, alices_sandbox: NewSandbox) -> Paused:
    """Whether nothing is sent to a connection for the moment."""

    def read(connection: dict[str, Any]) -> bool:
        with database.transaction(write=False) as session:
            place = select(Connection.endpoint_id).where(Connection.id == connection["id"])
            endpoint = bound(session, alices_sandbox).scalar(place)
            lane = session.get_one(Lane, (alices_sandbox.tenant.id, endpoint))
        return lane.paused_until is not None and lane.paused_until > system_now()

    return read


def send(caller: Integration, invoice: int = 1, **body: Any) -> dict[str, Any]:
    answer = caller.post(f"/api/v2/invoices/{invoice}/send", {"mapping": "test"} | body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json["data"])


def read(caller: Integration, sent: dict[str, Any]) -> dict[str, Any]:
    return dict(caller.get(f"{LOGS}/{sent['public_id']}").json["data"])


@pytest.mark.parametrize(
    ("status", "is_overwhelmed"), [(429, True), (502, True), (504, True), (500, False), (503, False), (400, False)]
)
@pytest.mark.one_store
def test_an_overwhelmed_partner_is_sent_less(
    alice: Integration, connect: Connect, map_out: Map, partner: Sink, courier: CourierMaker, is_paused: Paused,
    status: int, is_overwhelmed: bool,
) -> None:  # fmt: skip
    connection = connect(alice)
    map_out(alice, connection)
    partner.decide = lambda arrival: (status, {})
    send(alice)
    courier().deliver_due()
    assert is_paused(connection) == is_overwhelmed


def test_a_connection_that_answers_410_is_closed_and_what_follows_is_held(
    alice: Integration, connect: Connect, map_out: Map, partner: Sink, courier: CourierMaker
) -> None:
    connection = connect(alice)
    map_out(alice, connection)
    partner.decide = lambda arrival: (410, {})
    first = send(alice)
    courier().deliver_due()
    assert (read(alice, first)["status"], read(alice, first)["reason"]) == ("held", "Answered 410")
    path = f"{ROOT}/connections/{connection['id']}"
    shown = alice.get(path).json["data"]
    assert (shown["active"], shown["status"], shown["held"], shown["failing_since"]) == (False, "gone", 1, None)
    assert shown["closed_at"] is not None
    acts = [act["action"] for act in alice.get("/api/v2/audit").json["data"]]
    assert "connections.disabled_as_gone" in acts
    assert send(alice, 2)["status"] == "held"
    courier().deliver_due()
    assert len(partner.arrivals) == 1
    partner.decide = lambda arrival: (200, {})
    assert alice.patch(path, {"active": True}).status_code == 200
    courier().deliver_due()
    assert len(partner.arrivals) == 3
    assert read(alice, first)["status"] == "delivered"
    (shown,) = alice.get(f"{ROOT}/connections?search=Partner").json["data"]
    assert (shown["status"], shown["held"], shown["closed_at"]) == ("active", 0, None)


def test_a_connection_that_takes_nothing_tells_since_when_and_one_switched_off_that_it_was(
    alice: Integration, connect: Connect, map_out: Map, partner: Sink, courier: CourierMaker
) -> None:
    connection = connect(alice)
    map_out(alice, connection)
    path = f"{ROOT}/connections/{connection['id']}"
    assert (connection["status"], connection["held"], connection["failing_since"]) == ("active", 0, None)
    partner.decide = lambda arrival: (500, {})
    send(alice)
    courier(waits=(3600,)).deliver_due()
    failing = alice.get(path).json["data"]
    assert failing["status"] == "active" and failing["failing_since"] is not None
    send(alice, 2)
    courier(waits=()).deliver_due()
    closed = alice.get(path).json["data"]
    assert (closed["status"], closed["active"]) == ("failing", False)
    assert alice.patch(path, {"active": True}).json["data"]["status"] == "active"
    off = alice.patch(path, {"active": False}).json["data"]
    assert (off["status"], off["held"], off["failing_since"]) == ("off", 1, None)
    read_only = alice.patch(path, {"status": "active"})
    assert read_only.status_code == 400 and "status" in read_only.json["errors"]


@pytest.mark.one_store
def test_a_send_to_an_address_that_is_not_public_is_not_tried_again_and_says_so(
    alice: Integration, connect: Connect, map_out: Map, partner: Sink, database: Database
) -> None:
    map_out(alice, connect(alice))
    sent = send(alice)
    client = OutgoingClient([])
    Courier(database, client).deliver_due()
    client.close()
    shown = read(alice, sent)
    assert (shown["status"], shown["attempts"], shown["answer_status"]) == ("failed", 1, None)
    assert "not public" in shown["reason"]
    assert shown["retryable"] is False
    assert partner.arrivals == []


@pytest.mark.one_store
def test_410_is_a_success_where_the_connection_says_so(
    alice: Integration, connect: Connect, map_out: Map, partner: Sink, courier: CourierMaker
) -> None:
    map_out(alice, connect(alice, success_statuses=[200, 410]))
    partner.decide = lambda arrival: (410, {})
    sent = send(alice)
    courier().deliver_due()
    assert read(alice, sent)["status"] == "delivered"


@pytest.mark.parametrize("path", ["reference_path", "status_path"])
def test_a_secret_that_a_partner_sends_back_is_hidden_before_its_words_are_cut(
    alice: Integration, connect: Connect, map_out: Map, partner: Sink, courier: CourierMaker, path: str
) -> None:
    token = "Bearer " + "0123456789abcdef" * 40
    rule = {"status_equals": "done"} if path == "status_path" else {}
    headers = [{"name": "Authorization", "value": token, "secret": True}]
    map_out(alice, connect(alice, headers=headers, **{path: "headers.Authorization"}, **rule))
    for said in (token, token.removeprefix("Bearer "), "x" * 60 + token):
        partner.says = json.dumps({"headers": {"Authorization": said}}).encode()
        sent = send(alice)
        courier().deliver_due()
        shown = read(alice, sent)
        assert "0123456789" not in json.dumps(shown)
        assert "•" in (shown["reference"] or "") + (shown["reason"] or "")


@pytest.mark.one_store
def test_long_words_of_a_partner_are_still_cut(
    alice: Integration, connect: Connect, map_out: Map, partner: Sink, courier: CourierMaker
) -> None:
    rules = {"reference_path": "id", "status_path": "status", "status_equals": "done"}
    map_out(alice, connect(alice, **rules))
    partner.says = json.dumps({"id": "i" * 5000, "status": "s" * 5000}).encode()
    sent = send(alice)
    courier().deliver_due()
    shown = read(alice, sent)
    assert shown["reference"] == "i" * 200
    assert len(shown["reason"]) < 200


@pytest.mark.one_store
def test_a_secret_too_short_to_tell_anything_is_hidden_in_its_header_only(
    alice: Integration, connect: Connect, map_out: Map, partner: Sink, courier: CourierMaker
) -> None:
    headers = [
        {"name": "X-Env", "value": "1", "secret": True},
        {"name": "X-Key", "value": "abcdef", "secret": True},
        {"name": "X-Longer", "value": "abcdef-and-more", "secret": True},
    ]
    map_out(alice, connect(alice, headers=headers, reference_path="id"))
    partner.says = b'{"id": "P-1101", "said": ["abcdef-and-more", "abcdef"]}'
    sent = send(alice)
    courier().deliver_due()
    shown = read(alice, sent)
    (attempt,) = shown["history"]
    assert shown["reference"] == "P-1101"
    assert "INV-2024-001" in attempt["request_body"]
    assert "P-1101" in attempt["answer_body"]
    assert "abcdef" not in attempt["answer_body"] and "and-more" not in attempt["answer_body"]
    assert {one["name"]: one["value"] for one in attempt["request_headers"]}["X-Env"] != "1"


def test_the_page_of_a_closed_connection_says_why_since_when_and_what_waits(
    new_visitor: Callable[[], Visitor], partner: Sink, courier: CourierMaker
) -> None:
    alice = new_visitor()
    alice.open_sandbox()
    form = {"name": "Partner", "url": partner.url, "method": "POST", "timeout": "5"}
    listed = alice.post("/sandbox/integration/connections", form | {"active": "1"})
    place = [link for link in listed.links if link.startswith("/sandbox/integration/connections/con_")][-1]
    fields = {"name": "To partner", "slug": "to-partner", "source": "invoice", "manual": "1", "active": "1"}
    fields |= {"connection_id": "3", "rows.0.field": "invoice_number", "rows.0.parameter": "number"}
    fields["do"] = "publish"
    saved = alice.post("/sandbox/integration/outgoing", fields)
    actions = [(form.get("action") or "").partition("#")[0] for form in saved.find_all("form")]
    editor = next(action for action in actions if "omp_" in action)
    cases = (("1", 500, "Its last messages failed"), ("2", 410, "It answered 410 Gone"))
    for invoice, status, said in cases:
        partner.decide = lambda arrival, status=status: (status, {})
        alice.post(f"{editor}/send", {"record": invoice})
        courier().deliver_due()
        assert said in alice.get(place).text
    page = alice.get(place).text
    assert "This connection gets nothing at present" in page and "2 messages are held" in page
    assert "since" in page
    alice.post(place, form)
    alice.post(place, form | {"active": "1"})
    assert "gets nothing" not in alice.get(place).text
    alice.post(place, form)
    assert "It was switched off." in alice.get(place).text
