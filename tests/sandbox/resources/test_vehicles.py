"""Vehicles: one plate each, and an odometer that only goes up."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.conftest import Integration

LIST = "/api/v2/fleet/vehicles"
NEW = {"plate": "MH 00 ZZ 9001", "model": "Panel van", "year": 2024, "status": "Available", "odometer": 12}


def total(caller: Integration, **query: str) -> int:
    answer = caller.get(LIST, query_string=query)
    assert answer.status_code == 200, answer.text
    return int(answer.json["meta"]["total_records"])


def test_a_vehicle_is_registered_with_what_was_left_out_at_its_default(alice: Integration) -> None:
    answer = alice.post(LIST, {"plate": " MH 00 ZZ 9001 "})
    assert answer.status_code == 201, answer.text
    made = answer.json["data"]
    assert made["public_id"].startswith("veh_")
    assert (made["plate"], made["status"], made["odometer"]) == ("MH 00 ZZ 9001", "Available", 0)
    assert alice.get(f"{LIST}/{made['id']}").json["data"] == made


def test_a_plate_belongs_to_one_vehicle_whatever_its_case(alice: Integration, mallory: Integration) -> None:
    first = alice.post(LIST, NEW).json["data"]
    for plate in ("MH 00 ZZ 9001", "mh 00 zz 9001", "  Mh 00 ZZ 9001 "):
        again = alice.post(LIST, {**NEW, "plate": plate})
        assert (again.status_code, again.json["existing_id"]) == (409, first["id"])
        assert again.json["errors"] == {"plate": "Another vehicle has this plate"}
    assert alice.patch(f"{LIST}/1", {"plate": "mh 00 zz 9001"}).status_code == 409
    assert alice.patch(f"{LIST}/{first['id']}", {"plate": "mh 00 zz 9001"}).json["data"]["plate"] == "mh 00 zz 9001"
    assert mallory.post(LIST, NEW).status_code == 201


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_the_odometer_never_goes_down(alice: Integration, method: str) -> None:
    made = alice.post(LIST, {**NEW, "odometer": 500}).json["data"]
    own = f"{LIST}/{made['id']}"
    refused = alice.call(method, own, {**NEW, "model": "Changed", "odometer": 499})
    assert refused.status_code == 400
    assert refused.json["errors"] == {"odometer": "Odometer must not go below the 500 it showed before"}
    assert alice.get(own).json["data"] == made
    for reading in (500, 501):
        assert alice.call(method, own, {**NEW, "odometer": reading}).json["data"]["odometer"] == reading


def test_put_without_an_odometer_would_turn_it_back(alice: Integration) -> None:
    answer = alice.put(f"{LIST}/1", {"plate": "MH 00 AB 4101"})
    assert (answer.status_code, set(answer.json["errors"])) == (400, {"odometer"})


def test_a_model_year_lies_between_1950_and_next_year(alice: Integration) -> None:
    next_year = dt.datetime.now(dt.UTC).year + 1
    made = alice.post(LIST, {**NEW, "year": next_year}).json["data"]
    assert alice.patch(f"{LIST}/{made['id']}", {"year": 1950}).status_code == 200
    for year in (1949, next_year + 1, 99999):
        refused = alice.patch(f"{LIST}/{made['id']}", {"year": year})
        assert (refused.status_code, set(refused.json["errors"])) == (400, {"year"})
    assert alice.post(LIST, {**NEW, "plate": "X 1", "year": next_year + 1}).status_code == 400
    assert alice.get(f"{LIST}/{made['id']}").json["data"]["year"] == 1950


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"plate": ""}, "plate"),
        ({"plate": None}, "plate"),
        ({"status": "Stolen"}, "status"),
        ({"status": "available"}, "status"),
        ({"odometer": -1}, "odometer"),
        ({"odometer": 1.5}, "odometer"),
        ({"odometer": 10_000_000}, "odometer"),
        ({"odometer": None}, "odometer"),
        ({"odometer": "12"}, "odometer"),
        ({"year": "2024"}, "year"),
        ({"wheels": 4}, "wheels"),
        ({"version": 9}, "version"),
    ],
)
def test_a_bad_field_is_named_and_nothing_written(alice: Integration, change: dict[str, object], field: str) -> None:
    before, first = total(alice), alice.get(f"{LIST}/1").json["data"]
    for answer in (alice.post(LIST, {**NEW, **change}), alice.patch(f"{LIST}/1", change)):
        assert (answer.status_code, set(answer.json["errors"])) == (400, {field})
    assert total(alice) == before
    assert alice.get(f"{LIST}/1").json["data"] == first


@pytest.mark.parametrize("status", ["Available", "In use", "In service", "Retired"])
def test_every_status_finds_vehicles(alice: Integration, status: str) -> None:
    found = alice.get(LIST, query_string={"status": status}).json["data"]
    assert found
    assert {row["status"] for row in found} == {status}


def test_a_vehicle_is_deleted(alice: Integration) -> None:
    assert alice.delete(f"{LIST}/9").status_code == 200
    assert alice.get(f"{LIST}/9").status_code == 404


def test_bob_reads_and_does_not_write(bob: Integration) -> None:
    assert bob.get(LIST).status_code == 200
    answer = bob.post(LIST, NEW)
    assert (answer.status_code, answer.json["required"]) == (403, "fleet:write")
