"""Outgoing mappings: what cannot work is refused when it is saved, with the row named; schedules run by the clock."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from flask import Flask

from portal.core.database import Database
from portal.core.jobs import run_due_jobs
from portal.tenancy.models import Tenant
from sandbox.integration.outgoing.running import queue_scheduled_sends
from sandbox.integration.outgoing.schedules import next_run, wrong_schedule
from sandbox.tenants import NewSandbox
from tests.conftest import Integration
from tests.sandbox.delivery.conftest import CourierMaker
from tests.sandbox.delivery.sink import Sink
from tests.sandbox.integration.outgoing.conftest import ROOT, Connect, Map, row

PATH = f"{ROOT}/outgoing-mappings"
CLOCK = "/api/v2/sandbox/clock"


@pytest.mark.one_store
def test_everything_that_cannot_work_is_refused_with_its_row(alice: Integration, connect: Connect) -> None:
    connection = connect(alice)["id"]

    def errors(**fields: Any) -> dict[str, str]:
        usual = {"name": "A", "slug": "a", "connection_id": connection, "source": "invoice"}
        body = usual | {"rows": [row("n", "invoice_number")]} | fields
        answer = alice.post(PATH, body)
        assert answer.status_code == 400, answer.text
        return dict(answer.json["errors"])

    wrong_rows = [
        row("a", "invoice_number", type="Number"),
        row("b", "date", type="Number"),
        row("c", "no_such"),
        row("d"),
        row("e", "amount", constant="1"),
        row("f", constant="x1", type="Number"),
        row("g", constant="2024-02-30", type="Date"),
        row("h", "due_date", type="Date", format="HH:mm"),
        row("i", "amount", format="YYYY"),
        row("j", "customer.account", type="Boolean"),
        row("a", "notes"),
        row("a.b", "notes"),
        row("k", "customer_id"),
        row("l", "approved_at", type="Date", format="T"),
    ]
    found = errors(rows=wrong_rows)
    assert found == {
        "rows.1.type": "date cannot become a Number; it can become String or Date",
        "rows.2.field": "no_such is no field of an invoice",
        "rows.3.field": "Give either a field or a constant",
        "rows.4.field": "Give either a field or a constant",
        "rows.5.constant": "Constant is not a number",
        "rows.6.constant": "Constant must be a date such as 2024-02-15",
        "rows.7.format": "Format asks for the time of day, which this field does not have",
        "rows.8.format": "Only a Date has a format, not a String",
        "rows.9.type": "customer.account cannot become a Boolean; it can become String or Number",
        "rows.10.parameter": "Row 1 fills a already",
        "rows.11.parameter": "a.b cannot stand inside a, which row 1 fills",
        "rows.12.field": "customer_id is no field of an invoice",
        "rows.13.format": found["rows.13.format"],
    }
    for parameter in ("", "a..b", ".a", "a b", "ä", "a." * 9 + "a", "a\nb"):
        assert set(errors(rows=[row(parameter, "notes")])) == {"rows.0.parameter"}, parameter
    assert set(errors(rows=[])) == {"rows"}
    both = errors(events=["vendor.created", "invoice.paid", "invoice.paid", "invoice.deleted"], connection_id=99_999)
    assert set(both) == {"events.0", "events.2", "events.3", "connection_id"}
    for schedule in ("* * * *", "61 * * * *", "0 0 30 2 *", "0 0 0 0 0 0", "hourly", "0 6 * * 1-5 2030", "🙂 * * * *"):
        assert set(errors(schedule=schedule)) == {"schedule"}, schedule
    assert set(errors(manual=False)) == {"manual"}
    assert set(errors(slug="A b")) == {"slug"}


def test_a_slug_is_taken_once_and_a_patch_keeps_the_rest(
    alice: Integration, mallory: Integration, connect: Connect, map_out: Map
) -> None:
    connection = connect(alice)
    rows = [row("n", "invoice_number", required=True), row("d", "date", type="Date")]
    made = map_out(alice, connection, rows=rows)
    again = {"name": "B", "slug": "test", "connection_id": connection["id"], "source": "invoice", "rows": rows}
    assert alice.post(PATH, again).json["code"] == "duplicate"
    assert mallory.post(PATH, again | {"connection_id": connection["public_id"]}).json["errors"] == {
        "connection_id": "No such connection"
    }
    changed = alice.patch(f"{PATH}/{made['id']}", {"rows": [row("x", "amount", type="Number")]}).json["data"]
    assert changed["rows"][0]["required"] is False
    moved = alice.patch(f"{PATH}/{made['id']}", {"source": "vendor"})
    assert moved.json["errors"] == {"rows.0.field": "amount is no field of a vendor"}
    assert alice.patch(f"{PATH}/{made['id']}", {"version": 3}).status_code == 400
    assert mallory.get(f"{PATH}/{made['public_id']}").status_code == 404


@pytest.mark.usefixtures("store")
def test_a_schedule_sends_what_changed_since_the_last_run_by_the_tenants_clock(
    alice: Integration, connect: Connect, map_out: Map, partner: Sink, courier: CourierMaker
) -> None:
    mapping = map_out(alice, connect(alice), source="customer", rows=[row("name", "account")], schedule="0 * * * *",
                      manual=False)  # fmt: skip
    path = f"{PATH}/{mapping['id']}"
    assert mapping["next_run_at"].endswith(":00:00Z")
    alice.patch("/api/v2/customers/7", {"account": "Changed"})
    alice.post("/api/v2/customers", {"account": "New"})
    upcoming = alice.get(CLOCK).json["data"]["next"]
    assert upcoming["at"] <= mapping["next_run_at"]
    moved = alice.post(CLOCK, {"advance": "PT5H"}).json["data"]
    assert "outgoing_mapping.due" in {due["type"] for due in moved["due"]}
    courier().deliver_due()
    assert sorted(json.loads(arrival.body)["name"] for arrival in partner.arrivals) == ["Changed", "New"]
    after = alice.get(path).json["data"]
    assert after["last_run_at"] >= moved["was"] and after["next_run_at"] > moved["now"]
    alice.post(CLOCK, {"advance": "P1D"})
    courier().deliver_due()
    assert len(partner.arrivals) == 2
    alice.patch(path, {"active": False})
    assert alice.get(path).json["data"]["next_run_at"] is None


@pytest.mark.usefixtures("store")
def test_the_worker_runs_what_is_due_and_nothing_where_the_plan_lacks_it(
    alice: Integration,
    connect: Connect,
    map_out: Map,
    partner: Sink,
    courier: CourierMaker,
    database: Database,
    alices_sandbox: NewSandbox,
) -> None:
    map_out(alice, connect(alice), source="customer", rows=[row("name", "account")], schedule="* * * * *")
    alice.patch("/api/v2/customers/7", {"account": "Changed"})

    def work(plan: str) -> None:
        with database.transaction() as session:
            tenant = session.get_one(Tenant, alices_sandbox.tenant.id)
            tenant.plan = plan
            if tenant.clock_offset == 0:
                tenant.clock_offset = 7200
        with database.transaction() as session:
            queue_scheduled_sends(session)
            queue_scheduled_sends(session)
        run_due_jobs(database)
        courier().deliver_due()

    work("growth")
    assert partner.arrivals == []
    work("enterprise")
    work("enterprise")
    (arrival,) = partner.arrivals
    assert json.loads(arrival.body) == {"name": "Changed"}


@pytest.mark.one_store
def test_runs_follow_the_time_zone_and_its_summer_time(app: Flask) -> None:
    from zoneinfo import ZoneInfo

    berlin = ZoneInfo("Europe/Berlin")
    before = dt.datetime(2026, 3, 28, 12, tzinfo=dt.UTC)
    first = next_run("0 6 * * *", before, berlin)
    assert first == dt.datetime(2026, 3, 29, 4, tzinfo=dt.UTC)
    assert next_run("0 6 * * *", first, berlin) == dt.datetime(2026, 3, 30, 4, tzinfo=dt.UTC)
    assert next_run("30 2 * * *", before, berlin).date() == dt.date(2026, 3, 29)
    assert wrong_schedule("0 6 29 2 *") is None
