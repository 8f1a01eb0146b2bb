"""The sandbox's own time: how far it goes, what falls due on the way, and what brings it back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select

from portal.core.clock import system_now
from portal.core.config import Settings
from portal.core.database import Database
from portal.tenancy.keys import issue_key
from portal.tenancy.models import AccessToken, Tenant
from sandbox.rehearsal.clock import Duration, read_duration
from tests.conftest import Integration, NewSandbox

CLOCK = "/api/v2/sandbox/clock"
CUSTOMERS = "/api/v2/customers"
SNAPSHOTS = "/api/v2/sandbox/snapshots"
HOUR = 3600
DAY = 24 * HOUR


def instant(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def move(caller: Integration, **body: Any) -> Any:
    answer = caller.post(CLOCK, body)
    assert answer.status_code == 200, answer.text
    return answer.json["data"]


def read(caller: Integration) -> Any:
    return caller.get(CLOCK).json["data"]


def invoice(caller: Integration, due: dt.date) -> Any:
    body = {"customer_id": 1, "date": "2026-01-01", "due_date": due.isoformat()}
    answer = caller.post("/api/v2/invoices", body | {"items": [{"description": "Care", "amount": 10}]})
    assert answer.status_code == 201, answer.text
    return answer.json["data"]


def token_of(caller: Integration) -> str:
    key_id, _, secret = caller.key.removeprefix("sk_test_").partition("_")
    form = {"grant_type": "client_credentials", "client_id": key_id, "client_secret": secret}
    token: str = caller.client.post("/oauth/token", data=form).json["access_token"]
    return token


def status_with(caller: Integration, token: str) -> int:
    return caller.client.get(f"{CUSTOMERS}/1", headers={"Authorization": f"Bearer {token}"}).status_code


def test_it_begins_at_real_time_and_moves_on(alice: Integration) -> None:
    clock = read(alice)
    assert clock["offset"] == 0
    assert abs(instant(clock["now"]) - system_now()) < dt.timedelta(seconds=5)
    moved = move(alice, advance="P3D")
    assert moved["offset"] == 3 * DAY
    assert instant(moved["now"]) - instant(moved["was"]) in (dt.timedelta(days=3), dt.timedelta(days=3, seconds=1))
    assert move(alice, advance="PT1H")["offset"] == 3 * DAY + HOUR
    assert read(alice)["offset"] == 3 * DAY + HOUR


def test_records_go_by_it_and_the_log_by_real_time(alice: Integration) -> None:
    now = instant(move(alice, advance="P10D")["now"])
    created = alice.post(CUSTOMERS, {"account": "Later"}).json["data"]
    assert dt.timedelta() <= instant(created["created_at"]) - now < dt.timedelta(seconds=10)
    logged = alice.get("/api/v2/sandbox/requests?operation=customers.create").json["data"][0]
    assert abs(instant(logged["created_at"]) - system_now()) < dt.timedelta(seconds=10)


def test_an_instant_may_be_named(alice: Integration) -> None:
    target = (system_now() + dt.timedelta(days=40)).replace(microsecond=0)
    moved = move(alice, to=target.isoformat())
    assert dt.timedelta() <= instant(moved["now"]) - target <= dt.timedelta(seconds=1)


@pytest.mark.parametrize(
    ("text", "months", "seconds"),
    [
        ("P3D", 0, 3 * DAY),
        ("P2W", 0, 14 * DAY),
        ("P1Y2M", 14, 0),
        ("PT90M", 0, 90 * 60),
        ("PT1S", 0, 1),
        ("P1Y1M1W1DT1H1M1S", 13, 8 * DAY + HOUR + 61),
    ],
)
def test_durations_of_iso_8601_are_read(text: str, months: int, seconds: int) -> None:
    assert read_duration(text) == Duration(months, seconds)


@pytest.mark.parametrize("text", ["", "P", "PT", "P1DT", "3D", "P-1D", "-P1D", "P1.5D", "p1d", "P0D", "P1D ", "P１D"])
def test_what_is_no_duration_is_refused(alice: Integration, text: str) -> None:
    answer = alice.post(CLOCK, {"advance": text})
    assert (answer.status_code, set(answer.json["errors"])) == (400, {"advance"})


def test_a_month_is_the_calendars() -> None:
    assert Duration(1, 0).after(instant("2026-01-31T08:00:00Z")) == instant("2026-02-28T08:00:00Z")
    assert Duration(13, DAY).after(instant("2027-01-31T00:00:00Z")) == instant("2028-03-01T00:00:00Z")
    assert Duration(12, 0).after(instant("2028-02-29T00:00:00Z")) == instant("2029-02-28T00:00:00Z")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"advance", "to"}),
        ({"advance": "P1D", "to": "next"}, {"advance", "to"}),
        ({"advance": None, "to": None}, {"advance", "to"}),
        ({"advance": "P1097D"}, {"advance"}),
        ({"advance": "P999999999Y"}, {"advance"}),
        ({"advance": "PT999999999H"}, {"advance"}),
        ({"advance": 3}, {"advance"}),
        ({"to": "2020-01-01T00:00:00Z"}, {"to"}),
        ({"to": "9999-12-31T23:59:59Z"}, {"to"}),
        ({"to": "tomorrow"}, {"to"}),
        ({"to": ["next"]}, {"to"}),
        ({"offset": 0}, {"offset"}),
    ],
)
def test_a_move_that_cannot_be_is_refused_by_name(alice: Integration, body: dict[str, Any], fields: set[str]) -> None:
    answer = alice.post(CLOCK, body)
    assert (answer.status_code, set(answer.json["errors"])) == (400, fields), answer.text
    assert read(alice)["offset"] == 0


def test_three_years_are_the_most_in_all(alice: Integration) -> None:
    move(alice, advance="P1000D")
    assert alice.post(CLOCK, {"advance": "P97D"}).json["code"] == "validation_failed"
    assert move(alice, advance="P96D")["offset"] == 1096 * DAY


def test_what_falls_due_is_told_in_order(
    alice: Integration, alices_sandbox: NewSandbox, settings: Settings, database: Database
) -> None:
    today = system_now().date()
    later, sooner = invoice(alice, today + dt.timedelta(days=5)), invoice(alice, today + dt.timedelta(days=2))
    paid = invoice(alice, today + dt.timedelta(days=3))
    alice.post(f"/api/v2/invoices/{paid['id']}/payments", {"amount": 10, "account_id": 1})
    beyond = invoice(alice, today + dt.timedelta(days=30))
    body = {"customer_id": 1, "valid_until": str(today + dt.timedelta(days=4))}
    quote = alice.post("/api/v2/quotes", body | {"items": [{"description": "Care", "amount": 10}]}).json["data"]
    token_of(alice)
    alice.post(CUSTOMERS, {"account": "Once"}, headers={"Idempotency-Key": "run-7"})
    with database.transaction() as session:
        tenant = session.get_one(Tenant, alices_sandbox.tenant.id)
        session.bind_tenant(tenant.id)
        end = system_now() + dt.timedelta(days=1, hours=12)
        ending = issue_key(session, settings.secret_key, tenant, name="Ends", role="viewer", expires_at=end).row.key_id
    moved = move(alice, advance="P7D")
    assert [(item["type"], item["subject"]) for item in moved["due"]] == [
        ("access_token.expired", alice.key.split("_")[2]),
        ("idempotency_key.expired", "run-7"),
        ("api_key.expired", ending),
        ("invoice.overdue", sooner["public_id"]),
        ("quote.expired", quote["public_id"]),
        ("invoice.overdue", later["public_id"]),
    ]
    assert moved["due_total"] == 6
    assert moved["due"][3]["at"] == f"{today + dt.timedelta(days=3)}T00:00:00Z"
    assert read(alice)["next"] == {
        "at": f"{today + dt.timedelta(days=31)}T00:00:00Z",
        "type": "invoice.overdue",
        "subject": beyond["public_id"],
    }
    assert move(alice, advance="P7D")["due"] == []


def test_it_jumps_to_whatever_falls_due_next(alice: Integration) -> None:
    token = token_of(alice)
    invoice(alice, system_now().date() + dt.timedelta(days=2))
    assert status_with(alice, token) == 200
    first = move(alice, to="next")
    assert [item["type"] for item in first["due"]] == ["access_token.expired"]
    assert HOUR - 5 <= first["offset"] <= HOUR
    assert status_with(alice, token) == 401
    second = move(alice, to="next")
    assert [item["type"] for item in second["due"]] == ["invoice.overdue"]
    assert second["now"][11:] in ("00:00:00Z", "00:00:01Z")
    nothing = alice.post(CLOCK, {"to": "next"})
    assert (nothing.status_code, nothing.json["code"]) == (409, "conflict")
    assert read(alice)["offset"] == second["offset"]


def test_nothing_beyond_the_furthest_is_next(alice: Integration) -> None:
    invoice(alice, system_now().date() + dt.timedelta(days=1200))
    assert read(alice)["next"] is None
    assert alice.post(CLOCK, {"to": "next"}).status_code == 409


def test_keys_and_idempotency_keys_end_by_it(
    alice: Integration, alices_sandbox: NewSandbox, settings: Settings, database: Database
) -> None:
    with database.transaction() as session:
        tenant = session.get_one(Tenant, alices_sandbox.tenant.id)
        session.bind_tenant(tenant.id)
        end = system_now() + dt.timedelta(days=2)
        issued = issue_key(session, settings.secret_key, tenant, name="Ends", role="viewer", expires_at=end)
    ending = Integration(alice.client, issued.secret, alice.tenant)
    once = {"headers": {"Idempotency-Key": "run-7"}}
    first = alice.post(CUSTOMERS, {"account": "Once"}, **once).json["data"]
    move(alice, advance="PT23H")
    assert alice.post(CUSTOMERS, {"account": "Once"}, **once).headers["Idempotent-Replayed"] == "true"
    assert ending.get(f"{CUSTOMERS}/1").status_code == 200
    move(alice, advance="P2D")
    assert ending.get(f"{CUSTOMERS}/1").status_code == 401
    assert alice.post(CUSTOMERS, {"account": "Once"}, **once).json["data"]["id"] == first["id"] + 1


def test_a_list_kept_in_memory_does_not_outlive_a_move(alice: Integration) -> None:
    alice.get("/api/v2/quotes?limit=1")
    move(alice, advance="P3D")
    assert alice.get("/api/v2/quotes?limit=1").status_code == 200


def test_a_token_made_ahead_lasts_its_hour_and_no_longer_after_going_back(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    snapshot = alice.post(SNAPSHOTS, {"name": "Now"}).json["data"]["id"]
    early = token_of(alice)
    move(alice, advance="P3D")
    late = token_of(alice)
    assert (status_with(alice, early), status_with(alice, late)) == (401, 200)
    assert alice.post(f"{SNAPSHOTS}/{snapshot}/restore").status_code == 200
    assert (status_with(alice, early), status_with(alice, late)) == (200, 200)
    with database.transaction(write=False) as session:
        session.bind_tenant(alices_sandbox.tenant.id)
        assert max(session.scalars(select(AccessToken.expires_at))) <= system_now() + dt.timedelta(hours=1)


def test_a_restore_goes_back_to_the_snapshots_time_and_a_reset_to_real_time(alice: Integration) -> None:
    move(alice, advance="P1D")
    snapshot = alice.post(SNAPSHOTS, {"name": "A day ahead"}).json["data"]
    assert snapshot["clock_offset"] == DAY
    move(alice, advance="P30D")
    restored = alice.post(f"{SNAPSHOTS}/{snapshot['id']}/restore").json["data"]
    assert read(alice)["offset"] == DAY
    assert abs(instant(restored["now"]) - system_now() - dt.timedelta(days=1)) < dt.timedelta(seconds=10)
    alice.post("/api/v2/sandbox/reset")
    assert read(alice)["offset"] == 0


def test_moves_at_once_add_up(alices_sandbox: NewSandbox, new_caller: Callable[[NewSandbox], Integration]) -> None:
    callers = [new_caller(alices_sandbox) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        offsets = list(pool.map(lambda caller: move(caller, advance="P1D")["offset"], callers))
    assert sorted(offsets) == [DAY, 2 * DAY, 3 * DAY, 4 * DAY]


def test_another_tenants_time_is_its_own(alice: Integration, mallory: Integration) -> None:
    move(alice, advance="P3D")
    assert read(mallory)["offset"] == 0


def test_limits_go_by_real_time(alice: Integration) -> None:
    before = int(alice.get(CUSTOMERS).headers["X-RateLimit-Remaining"])
    move(alice, advance="P1D")
    assert int(alice.get(CUSTOMERS).headers["X-RateLimit-Remaining"]) == before - 1


def test_only_an_administrator_moves_it_and_only_in_a_sandbox(
    alice: Integration, bob: Integration, house: Integration
) -> None:
    assert bob.post(CLOCK, {"advance": "P1D"}).json["code"] == "forbidden"
    refused = house.post(CLOCK, {"advance": "P1D"})
    assert (refused.status_code, refused.json["code"]) == (409, "conflict")
    assert house.get(CLOCK).status_code == 409
    assert read(alice)["offset"] == 0
