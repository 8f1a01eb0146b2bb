"""Scheduled runs: one record that cannot be composed holds up no other, and a run is queued once."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from sqlalchemy import func, select

from portal.core.clock import system_now
from portal.core.database import Database
from portal.core.jobs import Job, run_due_jobs
from portal.tenancy.models import Tenant
from sandbox.integration.outgoing import sending
from sandbox.integration.outgoing.running import JOB, queue_scheduled_sends
from sandbox.tenants import NewSandbox
from tests.conftest import Integration
from tests.sandbox.delivery.conftest import CourierMaker
from tests.sandbox.delivery.sink import Sink
from tests.sandbox.integration.outgoing.conftest import ROOT, Connect, Map, row

CLOCK = "/api/v2/sandbox/clock"
LATEST = "9999-12-31T23:59:59Z"
pytestmark = pytest.mark.usefixtures("store")


def set_tenant(database: Database, new: NewSandbox, **fields: Any) -> None:
    with database.transaction() as session:
        tenant = session.get_one(Tenant, new.tenant.id)
        for name, value in fields.items():
            setattr(tenant, name, value)


def count_jobs(database: Database) -> int:
    with database.transaction(write=False) as session:
        return session.scalar(select(func.count()).select_from(Job).where(Job.kind == JOB)) or 0


def test_an_instant_that_no_calendar_holds_in_the_tenants_zone_fails_alone(
    alice: Integration,
    connect: Connect,
    map_out: Map,
    partner: Sink,
    courier: CourierMaker,
    database: Database,
    alices_sandbox: NewSandbox,
) -> None:
    set_tenant(database, alices_sandbox, time_zone="Asia/Kolkata")
    rows = [row("at", "at", type="Date", format="DD/MM/YYYY HH:mm")]
    mapping = map_out(alice, connect(alice), source="attendance", rows=rows, schedule="0 * * * *")
    path = f"{ROOT}/outgoing-mappings/{mapping['id']}"
    punches = [
        alice.post("/api/v2/hr/attendance", {"employee_code": "EMP-1001", "at": at}).json["data"]
        for at in ("2026-07-01T09:02:11Z", LATEST, "2026-07-01T18:30:00Z")
    ]
    poison = punches[1]
    shown = alice.post(f"{path}/preview", {"record": poison["id"]})
    assert shown.status_code == 200, shown.text
    reason = "at: at lies outside the years 1 to 9999 in the tenant's time zone"
    assert (shown.json["data"]["would_send"], shown.json["data"]["reason"]) == (False, reason)
    sent = alice.post(f"{path}/send", {"record": poison["id"]}).json["data"]
    assert (sent["status"], sent["reason"]) == ("failed", reason)
    moved = alice.post(CLOCK, {"advance": "PT5H"})
    assert moved.status_code == 200, moved.text
    courier().deliver_due()
    assert sorted(json.loads(arrival.body)["at"] for arrival in partner.arrivals) == [
        "01/07/2026 14:32", "02/07/2026 00:00",
    ]  # fmt: skip
    failed = alice.get(f"{ROOT}/failed").json["data"]
    assert [(one["subject"], one["reason"]) for one in failed] == [(poison["public_id"], reason)]


def test_a_record_that_stumbles_in_a_way_nobody_foresaw_fails_alone(
    alice: Integration,
    connect: Connect,
    map_out: Map,
    partner: Sink,
    courier: CourierMaker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usual = sending.compose_body

    def stumble(rows: Any, facts: Any, zone: Any) -> Any:
        if facts["account"] == "Poison":
            raise RuntimeError("nobody foresaw this")
        return usual(rows, facts, zone)

    monkeypatch.setattr(sending, "compose_body", stumble)
    map_out(alice, connect(alice), source="customer", rows=[row("name", "account")], schedule="0 * * * *")
    for name in ("First", "Poison", "Last"):
        assert alice.post("/api/v2/customers", {"account": name}).status_code == 201
    assert alice.post(CLOCK, {"advance": "PT5H"}).status_code == 200
    courier().deliver_due()
    assert sorted(json.loads(arrival.body)["name"] for arrival in partner.arrivals) == ["First", "Last"]
    (failed,) = alice.get(f"{ROOT}/failed").json["data"]
    assert (failed["attempts"], failed["reason"]) == (0, "The message could not be composed from the record")


def test_a_run_is_queued_once_until_it_is_done(
    alice: Integration, connect: Connect, map_out: Map, database: Database, alices_sandbox: NewSandbox
) -> None:
    mapping = map_out(alice, connect(alice), source="customer", rows=[row("name", "account")], schedule="0 * * * *")
    set_tenant(database, alices_sandbox, clock_offset=7200)
    for _ in range(3):
        with database.transaction() as session:
            queue_scheduled_sends(session)
    assert count_jobs(database) == 1
    run_due_jobs(database)
    path = f"{ROOT}/outgoing-mappings/{mapping['id']}"
    assert alice.get(path).json["data"]["next_run_at"] > mapping["next_run_at"]
    set_tenant(database, alices_sandbox, clock_offset=14400)
    with database.transaction() as session:
        assert queue_scheduled_sends(session) == 1


def test_nothing_is_queued_for_a_sandbox_whose_time_is_over(
    alice: Integration, connect: Connect, map_out: Map, database: Database, alices_sandbox: NewSandbox
) -> None:
    map_out(alice, connect(alice), source="customer", rows=[row("name", "account")], schedule="0 * * * *")
    over = system_now() - dt.timedelta(seconds=1)
    set_tenant(database, alices_sandbox, clock_offset=7200, expires_at=over)
    with database.transaction() as session:
        assert queue_scheduled_sends(session) == 0
    set_tenant(database, alices_sandbox, expires_at=over + dt.timedelta(days=1))
    with database.transaction() as session:
        assert queue_scheduled_sends(session) == 1
