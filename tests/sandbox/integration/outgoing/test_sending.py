"""From a record to the partner's system: composed exactly, sent once, read by the connection's rules."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from portal.core.database import Database
from portal.tenancy.models import Tenant
from sandbox.delivery.models import Delivery
from sandbox.tenants import NewSandbox
from tests.conftest import Integration
from tests.sandbox.delivery.conftest import CourierMaker, bound
from tests.sandbox.delivery.sink import Sink
from tests.sandbox.integration.outgoing.conftest import ROOT, Connect, Map, row

pytestmark = pytest.mark.usefixtures("store")
SEED_ROWS = [
    row("invoiceNumber", "invoice_number", required=True),
    row("invoiceDate", "date", type="Date", format="DD/MM/YYYY"),
    row("amount", "amount", type="Number", required=True),
    row("customerName", "customer.account"),
    row("projectCode", constant="PRJ-7"),
    row("gstNumber", constant="27AAPFU0939F1ZV"),
]
Log = Callable[[], list[Delivery]]


@pytest.fixture
def log(database: Database, alices_sandbox: NewSandbox) -> Log:
    """Alice's sends, first to last."""

    def read() -> list[Delivery]:
        with database.transaction(write=False) as session:
            wanted = select(Delivery).where(Delivery.kind == "send").order_by(Delivery.id)
            return list(bound(session, alices_sandbox).scalars(wanted))

    return read


def exact(body: bytes) -> Any:
    return json.loads(body, parse_float=Decimal)


def send(caller: Integration, invoice: int = 1, **body: Any) -> dict[str, Any]:
    answer = caller.post(f"/api/v2/invoices/{invoice}/send", {"mapping": "test"} | body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json["data"])


def test_the_seeds_sample_arrives_with_the_partners_credential_and_exact_money(
    alice: Integration, connect: Connect, map_out: Map, partner: Sink, courier: CourierMaker, log: Log
) -> None:
    connection = connect(
        alice, method="PUT", headers=[{"name": "X-Api-Key", "value": "issued-by-partner", "secret": True}],
        reference_path="data.items[0].id",
    )  # fmt: skip
    map_out(alice, connection, rows=SEED_ROWS)
    partner.says = b'{"data": {"items": [{"id": 4711}]}}'
    sent = send(alice)
    assert (sent["status"], sent["attempts"], sent["subject"][:4]) == ("pending", 0, "inv_")
    courier().deliver_due()
    (arrival,) = partner.arrivals
    assert arrival.method == "PUT"
    assert exact(arrival.body) == {
        "invoiceNumber": "INV-2024-001",
        "invoiceDate": "15/01/2024",
        "amount": Decimal("1500.00"),
        "customerName": "John Doe",
        "projectCode": "PRJ-7",
        "gstNumber": "27AAPFU0939F1ZV",
    }
    assert b"1500.00" in arrival.body
    assert arrival.headers["x-api-key"] == "issued-by-partner"
    assert arrival.headers["content-type"] == "application/json"
    assert arrival.headers["idempotency-key"] == sent["idempotency_key"]
    (delivery,) = log()
    assert (delivery.status, delivery.reference, delivery.answer_status) == ("delivered", "4711", 200)


def test_an_event_sends_the_record_once_in_its_own_transaction(
    alice: Integration, connect: Connect, map_out: Map, partner: Sink, courier: CourierMaker, log: Log
) -> None:
    connection = connect(alice)
    map_out(alice, connection, events=["invoice.approved", "invoice.voided"], manual=False)
    map_out(alice, connection, slug="vendors", source="vendor", rows=[row("v", "vendor_code")],
            events=["vendor.created"])  # fmt: skip
    assert alice.post("/api/v2/invoices/1/approve", headers={"X-Request-Id": "approving"}).status_code == 200
    assert alice.post("/api/v2/invoices/1/approve").status_code == 409
    vendor = {"name": "New Vendor", "gst_no": "27ABCDE1234F1Z5"}
    assert alice.post("/api/v2/procurement/vendors", vendor).status_code == 201
    refused = alice.post("/api/v2/procurement/vendors", {"name": "New Vendor"})
    assert refused.status_code == 400
    courier().deliver_due()
    bodies = [json.loads(arrival.body) for arrival in partner.arrivals]
    assert sorted(bodies, key=str) == [{"invoiceNumber": "INV-2024-001"}, {"v": "VEND-1023"}]
    own = [delivery for delivery in log() if delivery.type in {"test", "vendors"}]
    assert [delivery.status for delivery in own] == ["delivered", "delivered"]
    assert own[0].trace == "approving"


def test_the_body_is_frozen_when_it_is_triggered(
    alice: Integration, connect: Connect, map_out: Map, partner: Sink, courier: CourierMaker
) -> None:
    map_out(alice, connect(alice), slug="c", source="customer", rows=[row("name", "account")],
            events=["customer.updated"])  # fmt: skip
    for name in ("First", "Second"):
        assert alice.patch("/api/v2/customers/5", {"account": name}).status_code == 200
    courier(threads=1).deliver_due()
    assert [json.loads(arrival.body)["name"] for arrival in partner.arrivals] == ["First", "Second"]


@pytest.mark.parametrize(
    ("status", "is_tried_again"),
    [(408, True), (425, True), (429, True), (500, True), (502, True), (503, True), (504, True)]
    + [(status, False) for status in (302, 400, 401, 403, 404, 409, 422)],
)
@pytest.mark.one_store
def test_the_contracts_table_of_answers(
    alice: Integration,
    connect: Connect,
    map_out: Map,
    partner: Sink,
    courier: CourierMaker,
    make_due: Callable[[], None],
    log: Log,
    status: int,
    is_tried_again: bool,
) -> None:
    map_out(alice, connect(alice))
    partner.decide = lambda arrival: (status if len(partner.arrivals) < 2 else 200, {"Location": partner.url})
    send(alice)
    courier().deliver_due()
    (delivery,) = log()
    assert (delivery.status, delivery.answer_status) == ("pending" if is_tried_again else "failed", status)
    make_due()
    with_pause = courier()
    if status not in (429, 502, 504):
        with_pause.deliver_due()
        keys = {arrival.headers["idempotency-key"] for arrival in partner.arrivals}
        assert (len(partner.arrivals), len(keys)) == (2 if is_tried_again else 1, 1)


def test_a_silent_partner_is_tried_again(
    alice: Integration, connect: Connect, map_out: Map, courier: CourierMaker, log: Log
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        map_out(alice, connect(alice, url=f"http://127.0.0.1:{silent.getsockname()[1]}/"))
        send(alice)
        courier().deliver_due()
    (delivery,) = log()
    assert (delivery.status, delivery.attempts, delivery.answer_status) == ("pending", 1, None)
    assert "does not accept connections" in (delivery.reason or "")
    (shown,) = alice.get(f"{ROOT}/outgoing-logs").json["data"]
    assert shown["retryable"] is True


def test_response_rules_decide_what_a_success_is(
    alice: Integration, connect: Connect, map_out: Map, partner: Sink, courier: CourierMaker, log: Log
) -> None:
    rules = {"success_statuses": [200, 409], "status_path": "$.result.ok", "status_equals": "true"}
    map_out(alice, connect(alice, **rules))
    for invoice, status, says in (
        (1, 409, '{"result": {"ok": true}}'),
        (2, 200, '{"result": {"ok": false}}'),
        (3, 201, "{}"),
        (4, 200, "<"),
    ):
        partner.decide = lambda arrival, status=status: (status, {})
        partner.says = says.encode()
        send(alice, invoice)
        courier().deliver_due()
    assert [delivery.status for delivery in log()] == ["delivered", "failed", "failed", "failed"]
    assert log()[1].reason == "Answered with 'false' at $.result.ok, where 'true' means success"
    assert "nothing at $.result.ok" in (log()[3].reason or "")


def test_a_missing_required_value_is_not_sent_and_named_in_the_failed_queue(
    alice: Integration, connect: Connect, map_out: Map, partner: Sink, courier: CourierMaker, log: Log
) -> None:
    made = alice.post("/api/v2/customers", {"account": "No Mail"}).json["data"]
    rows = [row("party.name", "account", required=True), row("party.email", "email", required=True)]
    rows += [row("party.phone", "phone"), row("code", "zip", type="Number", required=True)]
    mapping = map_out(alice, connect(alice), source="customer", rows=rows)
    path = f"{ROOT}/outgoing-mappings/{mapping['id']}"
    shown = alice.post(f"{path}/preview", {"record": made["id"]}).json["data"]
    assert (shown["would_send"], shown["body"]) == (False, {"party": {"name": "No Mail"}})
    sent = alice.post(f"{path}/send", {"record": made["public_id"]}).json["data"]
    assert sent["status"] == "failed"
    assert sent["reason"] == "party.email is required, and email has no value; code is required, and zip has no value"
    alice.patch(f"/api/v2/customers/{made['id']}", {"email": "a@buyers.example", "zip": "AB-1"})
    again = alice.post(f"{path}/send", {"record": made["id"]}).json["data"]
    assert again["reason"] == "code: zip is not a number"
    courier().deliver_due()
    assert partner.arrivals == []
    assert [delivery.attempts for delivery in log()] == [0, 0]


def test_a_connection_that_is_off_holds_and_one_that_is_deleted_discards(
    alice: Integration, connect: Connect, map_out: Map, partner: Sink, courier: CourierMaker, log: Log
) -> None:
    connection = connect(alice, active=False)
    mapping = map_out(alice, connection)
    assert send(alice)["status"] == "held"
    courier().deliver_due()
    assert partner.arrivals == []
    alice.patch(f"{ROOT}/connections/{connection['id']}", {"active": True})
    courier().deliver_due()
    assert len(partner.arrivals) == 1
    send(alice)
    alice.patch(f"{ROOT}/connections/{connection['id']}", {"active": False})
    alice.delete(f"{ROOT}/outgoing-mappings/{mapping['id']}")
    assert alice.delete(f"{ROOT}/connections/{connection['id']}").status_code == 200
    courier().deliver_due()
    assert len(partner.arrivals) == 1
    assert [delivery.status for delivery in log()] == ["delivered", "discarded"]


def test_a_lowered_plan_sends_nothing_more(
    alice: Integration,
    connect: Connect,
    map_out: Map,
    partner: Sink,
    courier: CourierMaker,
    database: Database,
    alices_sandbox: NewSandbox,
) -> None:
    map_out(alice, connect(alice))
    send(alice)
    with database.transaction() as session:
        session.get_one(Tenant, alices_sandbox.tenant.id).plan = "growth"
    courier().deliver_due()
    assert partner.arrivals == []
    refused = alice.post("/api/v2/invoices/1/send")
    assert (refused.status_code, refused.json["upgrade"]["module"]) == (403, "integration")


def test_which_mapping_sends_is_said_or_plain(
    alice: Integration, mallory: Integration, connect: Connect, map_out: Map
) -> None:
    one, other = connect(alice), connect(alice, name="Other")
    map_out(alice, one)
    map_out(alice, other, slug="second")
    path = "/api/v2/invoices/1/send"
    ambiguous = alice.post(path)
    assert ambiguous.status_code == 400 and "second" in ambiguous.json["errors"]["mapping"]
    chosen = alice.post(path, {"connection_id": other["id"]}).json["data"]
    assert (chosen["mapping"], chosen["connection_id"]) == ("second", other["id"])
    for body in ({"mapping": "third"}, {"connection_id": 999_999}, {"connection_id": one["public_id"][:-1] + "z"}):
        assert alice.post(path, body).status_code == 400
    assert mallory.post(path, {"connection_id": one["public_id"]}).json["errors"] == {
        "connection_id": "No such connection"
    }
    off = alice.patch(f"{ROOT}/outgoing-mappings/{map_out(alice, one, slug='off')['id']}", {"active": False})
    assert off.status_code == 200
    assert alice.post(path, {"mapping": "off"}).status_code == 409
