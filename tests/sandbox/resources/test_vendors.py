"""Vendors: codes given once, GST numbers that belong to one of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from portal.core.database import Database
from portal.core.events import Event
from sandbox.resources.vendors import VendorBody, create_vendor
from tests.conftest import Integration, NewSandbox

VENDORS = "/api/v2/procurement/vendors"
RECEIPTS = "/api/v2/procurement/receipts"
FREE = "27ABCDE1234F1Z5"
COASTLINE = {"name": "Coastline Paper", "gst_no": FREE}


def events_of(database: Database, new: NewSandbox, type_: str) -> list[dict[str, Any]]:
    with database.transaction(write=False) as session:
        session.bind_tenant(new.tenant.id)
        return [event.payload for event in session.query(Event).filter(Event.type == type_).order_by(Event.id)]


def test_the_next_vendor_of_a_fresh_sandbox_is_vend_1023(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    body = {
        **COASTLINE,
        "contact_person": "Meera Joshi",
        "phone": "+91 22 0055 0143",
        "email": "orders@coastline.example",
        "city": "Mumbai",
    }
    answer = alice.post(VENDORS, body)
    assert answer.status_code == 201, answer.text
    made = answer.json["data"]
    assert (made["id"], made["vendor_code"]) == (23, "VEND-1023")
    assert {name: made[name] for name in body} == body
    assert alice.get(f"{VENDORS}/{made['public_id']}").json["data"] == made
    (told,) = events_of(database, alices_sandbox, "vendor.created")
    assert told == {name: value for name, value in made.items() if name != "id"}


def test_a_code_is_given_once_even_when_its_vendor_is_gone(alice: Integration) -> None:
    assert alice.post(VENDORS, COASTLINE).json["data"]["vendor_code"] == "VEND-1023"
    assert alice.post(VENDORS, COASTLINE).status_code == 409
    assert alice.delete(f"{VENDORS}/23").status_code == 200
    assert alice.get(f"{VENDORS}/23").status_code == 404
    assert alice.post(VENDORS, COASTLINE).json["data"]["vendor_code"] == "VEND-1024"


@pytest.mark.parametrize("gst_no", [FREE.lower(), FREE[:-1], f"{FREE}1", "AA" + FREE[2:], FREE.replace("Z", "Y"), " "])
def test_a_gst_number_has_the_form_of_a_gstin_in_capitals(alice: Integration, gst_no: str) -> None:
    before = alice.get(VENDORS).json["meta"]
    answer = alice.post(VENDORS, {**COASTLINE, "gst_no": gst_no})
    assert answer.json["errors"] == {
        "gst_no": "GST number must have 15 characters as in 27ABCDE1234F1Z5, letters in capitals"
    }
    assert alice.get(VENDORS).json["meta"] == before


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"name": None, "gst_no": None}, {"name": "Name must be a string", "gst_no": "Gst no must be a string"}),
        ({"vendor_code": "VEND-1"}, {"vendor_code": "Vendor code is read-only"}),
        ({"email": "nobody"}, {"email": "Invalid email format"}),
        ({"rating": 5}, {"rating": "Unknown field"}),
    ],
)
def test_a_bad_vendor_is_refused_by_name(alice: Integration, fields: dict[str, Any], errors: dict[str, str]) -> None:
    answer = alice.post(VENDORS, {**COASTLINE, **fields})
    assert (answer.status_code, answer.json["errors"]) == (400, errors)
    assert alice.get(VENDORS).json["meta"]["total_records"] == 22


def test_a_gst_number_belongs_to_one_vendor(alice: Integration) -> None:
    taken = alice.get(f"{VENDORS}/2").json["data"]["gst_no"]
    answer = alice.post(VENDORS, {**COASTLINE, "gst_no": taken})
    assert (answer.status_code, answer.json["code"], answer.json["existing_id"]) == (409, "duplicate", 2)
    assert answer.json["errors"] == {"gst_no": "Another vendor has this GST number"}
    assert alice.patch(f"{VENDORS}/1", {"gst_no": taken}).status_code == 409
    assert alice.patch(f"{VENDORS}/2", {"gst_no": taken}).status_code == 200


def test_a_vendor_is_changed_and_keeps_its_code(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    before = alice.get(f"{VENDORS}/1").json["data"]
    assert alice.patch(f"{VENDORS}/1", {"city": "Pune"}).json["data"]["city"] == "Pune"
    after = alice.put(f"{VENDORS}/1", COASTLINE).json["data"]
    assert (after["vendor_code"], after["city"], after["version"]) == (before["vendor_code"], None, 3)
    assert events_of(database, alices_sandbox, "vendor.updated") == []


def test_vendors_are_searched_and_filtered_by_city(alice: Integration) -> None:
    mumbai = alice.get(f"{VENDORS}?city=Mumbai").json
    assert {row["city"] for row in mumbai["data"]} == {"Mumbai"} and mumbai["meta"]["total_records"] >= 3
    assert [row["id"] for row in alice.get(f"{VENDORS}?search=vend-1007").json["data"]] == [7]
    gst_no = alice.get(f"{VENDORS}/9").json["data"]["gst_no"]
    assert [row["id"] for row in alice.get(f"{VENDORS}?search={gst_no}").json["data"]] == [9]


def test_a_vendor_with_receipts_stays(alice: Integration) -> None:
    answer = alice.delete(f"{VENDORS}/1")
    assert (answer.status_code, answer.json["code"]) == (409, "conflict")
    assert "goods receipts" in answer.json["message"]
    assert alice.get(f"{VENDORS}/1").status_code == 200
    never = next(
        row["id"]
        for row in alice.get(f"{VENDORS}?limit=100").json["data"]
        if not alice.get(f"{RECEIPTS}?vendor_id={row['id']}").json["data"]
    )
    assert alice.delete(f"{VENDORS}/{never}").status_code == 200


def test_one_gst_number_goes_to_one_vendor_however_many_try(alice: Integration) -> None:
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: alice.post(VENDORS, COASTLINE), range(12)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 11
    assert {answer.json["code"] for answer in answers if answer.status_code == 409} == {"duplicate"}
    assert alice.get(VENDORS).json["meta"]["total_records"] == 23


def test_many_new_vendors_get_codes_without_a_gap(alice: Integration) -> None:
    def add(number: int) -> str:
        body = {"name": f"Vendor {number}", "gst_no": f"27ABCDE{number:04d}F1Z5"}
        return str(alice.post(VENDORS, body).json["data"]["vendor_code"])

    with ThreadPoolExecutor(10) as pool:
        codes = sorted(pool.map(add, range(20)))
    assert codes == [f"VEND-{number}" for number in range(1023, 1043)]


def test_vendors_can_be_added_without_a_request(alices_sandbox: NewSandbox, database: Database) -> None:
    with database.transaction() as session:
        session.bind_tenant(alices_sandbox.tenant.id)
        vendor = create_vendor(session, VendorBody(name="Coastline Paper", gst_no=FREE))
        session.flush()
        assert (vendor.id, vendor.vendor_code) == (23, "VEND-1023")


def test_mallory_reads_and_changes_no_vendor_of_alices(alice: Integration, mallory: Integration) -> None:
    theirs = alice.get(f"{VENDORS}/1").json["data"]
    path = f"{VENDORS}/{theirs['public_id']}"
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        assert mallory.call(method, path, {"name": "Mine"} if method != "GET" else None).status_code == 404
    assert alice.get(f"{VENDORS}/1").json["data"] == theirs


def test_bob_may_look_but_not_add(alice: Integration, bob: Integration) -> None:
    assert bob.get(VENDORS).status_code == 200
    assert bob.post(VENDORS, COASTLINE).json["required"] == "procurement:write"
    assert alice.get(VENDORS).json["meta"]["total_records"] == 22
