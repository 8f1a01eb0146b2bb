"""Attendance: one punch for each employee and instant, whatever the device's clock writes."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import select

from portal.core.database import Database
from portal.core.errors import Duplicate, ValidationFailed
from sandbox.resources.attendance import Punch, PunchBody, record_punch
from sandbox.tenants import NewSandbox
from tests.conftest import Integration

LIST = "/api/v2/hr/attendance"
NEW = {"employee_code": "EMP-1002", "at": "2026-07-01T09:02:11Z", "direction": "in", "device": "Front door"}


def total(caller: Integration, **query: str) -> int:
    answer = caller.get(LIST, query_string=query)
    assert answer.status_code == 200, answer.text
    return int(answer.json["meta"]["total_records"])


def test_a_punch_is_recorded_and_read_back(alice: Integration) -> None:
    answer = alice.post(LIST, NEW)
    assert answer.status_code == 201, answer.text
    made = answer.json["data"]
    assert {name: made[name] for name in NEW} == NEW
    assert made["public_id"].startswith("att_")
    assert alice.get(f"{LIST}/{made['id']}").json["data"] == made


def test_direction_and_device_may_be_left_out(alice: Integration) -> None:
    made = alice.post(LIST, {"employee_code": "EMP-1001", "at": NEW["at"]}).json["data"]
    assert (made["direction"], made["device"]) == (None, None)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("2026-07-01T14:32:11+05:30", "2026-07-01T09:02:11Z"),
        ("2026-06-30T23:59:59-10:00", "2026-07-01T09:59:59Z"),
        ("2026-07-01t09:02:11z", "2026-07-01T09:02:11Z"),
        ("2026-07-01T09:02:11-00:00", "2026-07-01T09:02:11Z"),
        ("2026-07-01T09:02:11.25Z", "2026-07-01T09:02:11.250000Z"),
        ("2026-07-01T09:02:11.123456Z", "2026-07-01T09:02:11.123456Z"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
    ],
)
def test_an_instant_with_any_offset_is_kept_in_utc(alice: Integration, sent: str, shown: str) -> None:
    answer = alice.post(LIST, {**NEW, "at": sent})
    assert answer.status_code == 201, answer.text
    made = answer.json["data"]
    assert made["at"] == shown
    assert alice.get(f"{LIST}/{made['id']}").json["data"]["at"] == shown


@pytest.mark.parametrize(
    "at",
    [
        "2026-07-01T09:02:11",
        "2026-07-01",
        "2026-07-01 09:02:11Z",
        "2026-02-30T09:02:11Z",
        "2026-07-01T24:00:00Z",
        "2026-07-01T23:59:60Z",
        "2026-07-01T09:02:11+24:00",
        "2026-07-01T09:02:11+05:60",
        "2026-07-01T09:02:11+05",
        "99999-07-01T09:02:11Z",
        "0000-07-01T09:02:11Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "٢٠٢٦-07-01T09:02:11Z",
        "now",
        "",
        1782896531,
        None,
        ["2026-07-01T09:02:11Z"],
    ],
)
def test_what_is_no_instant_is_refused_in_a_sentence(alice: Integration, at: Any) -> None:
    before = total(alice)
    answer = alice.post(LIST, {**NEW, "at": at})
    assert (answer.status_code, set(answer.json["errors"])) == (400, {"at"})
    assert answer.json["errors"]["at"].startswith("At ")
    assert total(alice) == before


@pytest.mark.parametrize("code", ["EMP-9999", "emp-1001", "1"])
def test_a_code_that_is_nobodys_is_named(alice: Integration, code: str) -> None:
    before = total(alice)
    answer = alice.post(LIST, {**NEW, "employee_code": code})
    assert (answer.status_code, answer.json["errors"]) == (400, {"employee_code": "No such employee"})
    assert alice.patch(f"{LIST}/1", {"employee_code": code}).json["errors"] == {"employee_code": "No such employee"}
    assert total(alice) == before


def test_mallorys_employee_is_nobody_to_alice(alice: Integration, mallory: Integration) -> None:
    mallory.post("/api/v2/hr/employees", {"employee_code": "M-1", "name": "Mallory's"})
    assert alice.post(LIST, {**NEW, "employee_code": "M-1"}).json["errors"] == {"employee_code": "No such employee"}


def test_a_device_that_sends_again_learns_which_punch_it_was(alice: Integration) -> None:
    first = alice.post(LIST, NEW).json["data"]
    before = total(alice)
    for at in (NEW["at"], "2026-07-01T14:32:11+05:30"):
        again = alice.post(LIST, {**NEW, "at": at, "direction": "out"})
        assert (again.status_code, again.json["code"]) == (409, "duplicate")
        assert again.json["existing_id"] == first["id"]
        assert set(again.json["errors"]) == {"at"}
    assert total(alice) == before
    assert alice.get(f"{LIST}/{first['id']}").json["data"] == first
    assert alice.post(LIST, {**NEW, "employee_code": "EMP-1003"}).status_code == 201
    assert alice.post(LIST, {**NEW, "at": "2026-07-01T09:02:11.5Z"}).status_code == 201


def test_a_change_may_not_make_a_repeat_of_another_punch(alice: Integration) -> None:
    first = alice.post(LIST, NEW).json["data"]
    second = alice.post(LIST, {**NEW, "at": "2026-07-01T17:30:00Z", "direction": "out"}).json["data"]
    own = f"{LIST}/{second['id']}"
    refused = alice.patch(own, {"at": NEW["at"]})
    assert (refused.status_code, refused.json["existing_id"]) == (409, first["id"])
    assert alice.put(own, NEW).status_code == 409
    assert alice.get(own).json["data"] == second
    assert alice.put(own, {**NEW, "at": second["at"]}).status_code == 200
    assert alice.patch(own, {"employee_code": "EMP-1003"}).json["data"]["employee_code"] == "EMP-1003"
    assert alice.delete(own).status_code == 200


def test_a_code_that_changes_changes_on_the_punches_too(alice: Integration) -> None:
    made = alice.post(LIST, NEW).json["data"]
    before = total(alice, employee_code="EMP-1002")
    alice.patch("/api/v2/hr/employees/2", {"employee_code": "S-2"})
    assert alice.get(f"{LIST}/{made['id']}").json["data"]["employee_code"] == "S-2"
    assert total(alice, employee_code="S-2") == before > 50


def test_filters_by_employee_and_by_whole_days(alice: Integration) -> None:
    day = {"date_from": "2026-06-30", "date_to": "2026-06-30"}
    found = alice.get(LIST, query_string={**day, "limit": "100", "sort": "at"}).json["data"]
    assert len(found) > 20
    assert all(row["at"].startswith("2026-06-30") for row in found)
    assert [row["at"] for row in found] == sorted(row["at"] for row in found)
    for at in ("2026-07-01T00:00:00Z", "2026-06-30T00:00:00Z", "2026-06-30T23:59:59.999999Z"):
        assert alice.post(LIST, {**NEW, "at": at}).status_code == 201
    assert total(alice, **day) == len(found) + 2
    own = alice.get(LIST, query_string={"employee_code": "EMP-1005", **day}).json["data"]
    assert {row["employee_code"] for row in own} == {"EMP-1005"}
    nobody = alice.get(LIST, query_string={"employee_code": "EMP-9999"})
    assert (nobody.status_code, nobody.json["errors"]) == (400, {"employee_code": "No such employee"})


def test_the_seed_has_two_months_of_working_days(alice: Integration) -> None:
    assert 1000 < total(alice) <= 1600
    assert total(alice, date_from="2026-05-01", date_to="2026-06-30") == total(alice)
    for day in ("2026-05-01", "2026-05-03", "2026-06-06"):
        assert total(alice, date_from=day, date_to=day) == 0
    ended = alice.get(LIST, query_string={"employee_code": "EMP-1014", "sort": "-at"}).json["data"]
    assert ended[0]["at"].startswith("2026-05")


def test_another_module_may_record_a_punch(database: Database, alices_sandbox: NewSandbox) -> None:
    body = PunchBody.model_validate(NEW)
    with database.transaction() as session:
        session.bind_tenant(alices_sandbox.tenant.id)
        punch = record_punch(session, body)
        assert punch.id is not None
        with pytest.raises(Duplicate) as refused:
            record_punch(session, body)
        assert refused.value.extra["existing_id"] == punch.id
        with pytest.raises(ValidationFailed):
            record_punch(session, body.model_copy(update={"employee_code": "nobody"}))


def test_the_same_punch_from_many_threads_is_recorded_once(
    alice: Integration, database: Database, alices_sandbox: NewSandbox
) -> None:
    statuses: list[int] = []
    clients = [alice.client.application.test_client() for _ in range(8)]

    def send(client: Any) -> None:
        own = Integration(client, alice.key, alice.tenant)
        statuses.append(own.post(LIST, NEW).status_code)

    threads = [threading.Thread(target=send, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201] + [409] * 7
    with database.transaction(write=False) as session:
        session.bind_tenant(alices_sandbox.tenant.id)
        instant = PunchBody.model_validate(NEW).at
        assert len(session.scalars(select(Punch).where(Punch.at == instant)).all()) == 1


def test_bob_reads_and_does_not_write(bob: Integration) -> None:
    assert bob.get(f"{LIST}/1").status_code == 200
    assert bob.post(LIST, NEW).status_code == 403
    assert bob.delete(f"{LIST}/1").status_code == 403
