"""One record in one version goes to one connection by one mapping once, whatever triggers it (contract section 7)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from portal.core.database import Database
from sandbox.integration.outgoing.models import OutgoingMapping
from sandbox.integration.outgoing.sending import outlet_of, send_records
from sandbox.resources.invoice_records import Invoice
from sandbox.tenants import NewSandbox
from tests.conftest import Integration
from tests.sandbox.delivery.conftest import CourierMaker, bound
from tests.sandbox.delivery.sink import Sink
from tests.sandbox.integration.outgoing.conftest import ROOT, Connect, Map, row

CLOCK = "/api/v2/sandbox/clock"
FAILED, LOGS = f"{ROOT}/failed", f"{ROOT}/outgoing-logs"
APPROVED = {"events": ["invoice.approved"], "schedule": "*/30 * * * *"}
pytestmark = pytest.mark.usefixtures("store")


def run_schedule(caller: Integration) -> None:
    moved = caller.post(CLOCK, {"advance": "PT5H"})
    assert moved.status_code == 200, moved.text


def sends(caller: Integration, query: str = "mapping=test") -> list[dict[str, Any]]:
    """The log of sends, oldest first."""
    return list(reversed(caller.get(f"{LOGS}?{query}&limit=100").json["data"]))


def keys_of(partner: Sink) -> list[str]:
    return [arrival.headers["idempotency-key"] for arrival in partner.arrivals]


def refuse(partner: Sink, status: int = 400) -> None:
    partner.decide = lambda arrival: (status, {})


def take(partner: Sink) -> None:
    partner.decide = lambda arrival: (200, {})


def test_what_an_event_sent_no_schedule_sends_again(
    alice: Integration, connect: Connect, map_out: Map, partner: Sink, courier: CourierMaker
) -> None:
    map_out(alice, connect(alice), **APPROVED)
    assert alice.post("/api/v2/invoices/67/approve").status_code == 200
    courier().deliver_due()
    run_schedule(alice)
    courier().deliver_due()
    assert [json.loads(arrival.body)["invoiceNumber"] for arrival in partner.arrivals] == ["INV-2024-067"]
    (sent,) = sends(alice)
    assert (sent["status"], sent["record_version"]) == (
        "delivered",
        alice.get("/api/v2/invoices/67").json["data"]["version"],
    )


def test_what_a_schedule_sent_goes_again_only_in_a_later_version(
    alice: Integration, connect: Connect, map_out: Map, partner: Sink, courier: CourierMaker
) -> None:
    map_out(alice, connect(alice), **APPROVED)
    assert alice.patch("/api/v2/invoices/67", {"notes": "Changed"}).status_code == 200
    for _ in range(2):
        run_schedule(alice)
    assert alice.post("/api/v2/invoices/67/approve").status_code == 200
    run_schedule(alice)
    courier().deliver_due()
    versions = [one["record_version"] for one in sends(alice)]
    assert (len(keys_of(partner)), versions) == (2, [versions[0], versions[0] + 1])


def test_what_failed_is_retried_and_not_sent_by_schedule_too(
    alice: Integration, connect: Connect, map_out: Map, partner: Sink, courier: CourierMaker
) -> None:
    map_out(alice, connect(alice), **APPROVED)
    refuse(partner)
    assert alice.post("/api/v2/invoices/67/approve").status_code == 200
    courier().deliver_due()
    take(partner)
    run_schedule(alice)
    courier().deliver_due()
    assert [one["status"] for one in sends(alice)] == ["failed"]
    assert alice.post(f"{FAILED}/retry", {"filter": {}}).json["data"]["done"] == 1
    run_schedule(alice)
    courier().deliver_due()
    assert [one["status"] for one in sends(alice)] == ["delivered"]
    assert (len(keys_of(partner)), len(set(keys_of(partner)))) == (2, 1)


def test_several_events_about_one_version_send_it_once(
    alice: Integration, connect: Connect, map_out: Map, partner: Sink, courier: CourierMaker
) -> None:
    """A quote's conversion, and a payment that settles an invoice, tell of one record twice at most once a version."""
    events = ["invoice.created", "invoice.updated", "invoice.approved", "invoice.paid", "invoice.voided"]
    map_out(alice, connect(alice), events=events, schedule="*/30 * * * *")
    due = {"customer_id": 1, "due_date": "2099-01-01", "items": [{"description": "Work", "amount": 10}]}
    made = alice.post("/api/v2/invoices", due).json["data"]
    assert alice.post(f"/api/v2/invoices/{made['id']}/approve").status_code == 200
    payment = {"type": "Income", "account_id": 1, "amount": 10, "category_id": 1, "date": made["date"],
               "invoice_id": made["id"]}  # fmt: skip
    assert alice.post("/api/v2/transactions", payment).status_code == 201
    run_schedule(alice)
    courier().deliver_due()
    found = Counter((one["subject"], one["record_version"]) for one in sends(alice))
    assert set(found.values()) == {1}
    assert [version for subject, version in sorted(found) if subject == made["public_id"]] == [1, 2, 3]


CHANGES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "customer": ("/api/v2/customers", {"account": "One"}, {"account": "Two"}),
    "lead": (
        "/api/v2/leads",
        {"first_name": "Ann", "last_name": "One", "email": "ann.one@buyers.example"},
        {"company": "Two"},
    ),
    "product": ("/api/v2/products", {"name": "One", "price": 1}, {"name": "Two"}),
    "vendor": ("/api/v2/procurement/vendors", {"name": "One", "gst_no": "27ABCDE1234F1Z5"}, {"city": "Mumbai"}),
    "quote": (
        "/api/v2/quotes",
        {"customer_id": 1, "valid_until": "2099-01-01", "items": [{"description": "Work", "amount": 10}]},
        {"notes": "Two"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("source", CHANGES)
def test_every_kind_of_record_goes_once_in_each_version(
    alice: Integration, connect: Connect, map_out: Map, courier: CourierMaker, source: str
) -> None:
    path, body, change = CHANGES[source]
    verbs = ["created"] if source == "vendor" else ["created", "updated"]
    events = [f"{source}.{verb}" for verb in verbs]
    map_out(alice, connect(alice), source=source, rows=[row("id", "public_id")], events=events, schedule="*/30 * * * *")
    made = alice.post(path, body)
    assert made.status_code == 201, made.text
    run_schedule(alice)
    assert alice.patch(f"{path}/{made.json['data']['id']}", change).status_code == 200
    run_schedule(alice)
    own = [one for one in sends(alice) if one["subject"] == made.json["data"]["public_id"]]
    assert [one["record_version"] for one in own] == [1, 2]


def test_two_mappings_and_two_connections_each_get_their_own(
    alice: Integration, connect: Connect, map_out: Map, partner: Sink, courier: CourierMaker
) -> None:
    first, second = connect(alice), connect(alice, name="Other")
    mapping = map_out(alice, first, **APPROVED)
    map_out(alice, first, slug="other", **APPROVED)
    assert alice.post("/api/v2/invoices/67/approve").status_code == 200
    moved = alice.patch(f"{ROOT}/outgoing-mappings/{mapping['id']}", {"connection_id": second["id"]})
    assert moved.status_code == 200, moved.text
    run_schedule(alice)
    courier().deliver_due()
    own = [one for one in sends(alice, "search=INV-2024-067") if one["mapping"] in ("test", "other")]
    found = Counter((one["mapping"], one["connection_id"]) for one in own)
    assert found == {("test", first["id"]): 1, ("other", first["id"]): 1, ("test", second["id"]): 1}


def test_a_reset_begins_anew(
    alice: Integration, connect: Connect, map_out: Map, partner: Sink, courier: CourierMaker
) -> None:
    map_out(alice, connect(alice), **APPROVED)
    for _ in range(2):
        assert alice.post("/api/v2/invoices/67/approve").status_code == 200
        courier().deliver_due()
        assert alice.post("/api/v2/sandbox/reset").status_code == 200
    assert len(set(keys_of(partner))) == 2


def test_a_restored_version_is_known_as_sent_or_not_as_it_was(
    alice: Integration, connect: Connect, map_out: Map, partner: Sink, courier: CourierMaker
) -> None:
    map_out(alice, connect(alice), **APPROVED)
    assert alice.post("/api/v2/invoices/67/approve").status_code == 200
    taken = alice.post("/api/v2/sandbox/snapshots", {"name": "Approved"}).json["data"]
    for _ in range(2):
        assert alice.post("/api/v2/invoices/1/approve").status_code == 200
        courier().deliver_due()
        restored = alice.post(f"/api/v2/sandbox/snapshots/{taken['public_id']}/restore")
        assert restored.status_code == 200, restored.text
    run_schedule(alice)
    courier().deliver_due()
    found = Counter(json.loads(arrival.body)["invoiceNumber"] for arrival in partner.arrivals)
    assert found == {"INV-2024-067": 1, "INV-2024-001": 2}


def press(caller: Integration, id_: int = 67) -> dict[str, Any]:
    answer = caller.post(f"/api/v2/invoices/{id_}/send", {"mapping": "test"})
    assert answer.status_code == 201, answer.text
    return dict(answer.json["data"])


def test_send_pressed_while_a_version_is_under_way_adds_nothing(
    alice: Integration, connect: Connect, map_out: Map, partner: Sink, courier: CourierMaker
) -> None:
    map_out(alice, connect(alice), **APPROVED)
    assert alice.post("/api/v2/invoices/67/approve").status_code == 200
    assert press(alice)["public_id"] == press(alice)["public_id"] == sends(alice)[0]["public_id"]
    courier().deliver_due()
    assert len(keys_of(partner)) == 1


def test_send_pressed_again_after_a_success_is_a_send_of_its_own_linked_to_the_first(
    alice: Integration, connect: Connect, map_out: Map, partner: Sink, courier: CourierMaker
) -> None:
    map_out(alice, connect(alice), **APPROVED)
    first = press(alice)
    courier().deliver_due()
    second = press(alice)
    courier().deliver_due()
    run_schedule(alice)
    courier().deliver_due()
    assert keys_of(partner) == [first["idempotency_key"], second["idempotency_key"]]
    assert (first["previous_idempotency_key"], second["previous_idempotency_key"]) == (None, first["idempotency_key"])


def test_send_pressed_after_a_failure_is_a_retry_under_the_same_key(
    alice: Integration, connect: Connect, map_out: Map, partner: Sink, courier: CourierMaker
) -> None:
    map_out(alice, connect(alice), **APPROVED)
    refuse(partner)
    first = press(alice)
    courier().deliver_due()
    take(partner)
    assert press(alice)["public_id"] == first["public_id"]
    courier().deliver_due()
    assert (len(keys_of(partner)), len(set(keys_of(partner)))) == (2, 1)
    assert [one["status"] for one in sends(alice)] == ["delivered"]


def test_a_success_retires_what_failed_of_the_same_version(
    alice: Integration, connect: Connect, map_out: Map, partner: Sink, courier: CourierMaker
) -> None:
    mapping = map_out(alice, connect(alice), **APPROVED)
    refuse(partner)
    first = press(alice)
    courier().deliver_due()
    other = press(alice, 66)
    courier().deliver_due()
    rows = [row("number", "invoice_number")]
    assert alice.patch(f"{ROOT}/outgoing-mappings/{mapping['id']}", {"rows": rows}).status_code == 200
    second = press(alice)
    assert second["previous_idempotency_key"] == first["idempotency_key"] != second["idempotency_key"]
    refused = alice.post(f"{FAILED}/retry", {"ids": [first["public_id"]]}).json["data"]["refused"]
    assert second["public_id"] in refused[0]["reason"]
    take(partner)
    courier().deliver_due()
    found = {one["public_id"]: one for one in sends(alice)}
    assert found[second["public_id"]]["status"] == "delivered"
    assert found[first["public_id"]]["status"] == "discarded"
    assert second["public_id"] in found[first["public_id"]]["reason"]
    assert found[other["public_id"]]["status"] == "failed"


def test_what_never_went_out_is_not_composed_anew_where_its_present_version_went_out(
    alice: Integration, connect: Connect, map_out: Map, partner: Sink, courier: CourierMaker
) -> None:
    rows = [row("name", "account", required=True), row("email", "email", required=True)]
    map_out(alice, connect(alice), source="customer", rows=rows, events=["customer.created", "customer.updated"])
    made = alice.post("/api/v2/customers", {"account": "No Mail"}).json["data"]
    assert alice.patch(f"/api/v2/customers/{made['id']}", {"email": "mail@buyers.example"}).status_code == 200
    failed, later = sends(alice)
    (refused,) = alice.post(f"{FAILED}/retry", {"filter": {}}).json["data"]["refused"]
    assert refused["public_id"] == failed["public_id"]
    assert later["public_id"] in refused["reason"]
    courier().deliver_due()
    assert len(keys_of(partner)) == 1


def test_presses_and_runs_at_once_send_a_version_once(
    alice: Integration, connect: Connect, map_out: Map, partner: Sink, courier: CourierMaker
) -> None:
    map_out(alice, connect(alice), **APPROVED)
    assert alice.patch("/api/v2/invoices/67", {"notes": "Changed"}).status_code == 200
    acts: list[Callable[[], object]] = [lambda: press(alice)] * 8 + [lambda: run_schedule(alice)] * 2
    with ThreadPoolExecutor(len(acts)) as pool:
        for done in [pool.submit(act) for act in acts]:
            done.result()
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(courier().deliver_due) for _ in range(2)]:
            done.result()
    assert len(keys_of(partner)) == 1


def test_the_database_lets_one_of_two_triggers_have_a_version(
    alice: Integration, connect: Connect, map_out: Map, database: Database, alices_sandbox: NewSandbox
) -> None:
    mapping_id = map_out(alice, connect(alice))["id"]

    def trigger(_: int) -> int:
        with database.transaction() as session:
            own = bound(session, alices_sandbox)
            mapping = own.get_one(OutgoingMapping, (own.owner_id, mapping_id))
            record = own.get_one(Invoice, (own.owner_id, 67))
            return len(send_records(own, outlet_of(own, mapping), [record]))

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(trigger, range(6))) == 1
    assert len(sends(alice)) == 1
