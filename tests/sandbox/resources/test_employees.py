"""Employees: their codes, their departments, and what keeps a record from being deleted."""

from __future__ import annotations

import pytest

from tests.conftest import Integration

LIST = "/api/v2/hr/employees"
NEW = {"employee_code": "EMP-2001", "name": "Jane Smith"}


def total(caller: Integration, **query: str) -> int:
    answer = caller.get(LIST, query_string=query)
    assert answer.status_code == 200, answer.text
    return int(answer.json["meta"]["total_records"])


def test_an_employee_is_hired_with_what_was_left_out_at_its_default(alice: Integration) -> None:
    answer = alice.post(LIST, NEW)
    assert answer.status_code == 201, answer.text
    hired = answer.json["data"]
    assert answer.headers["Location"] == f"{LIST}/{hired['id']}"
    assert hired["public_id"].startswith("emp_")
    assert (hired["status"], hired["department_id"], hired["joined_on"]) == ("Active", None, None)
    assert alice.get(f"{LIST}/{hired['public_id']}").json["data"] == hired


def test_a_department_is_named_by_id_or_public_id_and_shown_by_id(alice: Integration) -> None:
    department = alice.get("/api/v2/departments/5").json["data"]["public_id"]
    hired = alice.post(LIST, {**NEW, "department_id": department}).json["data"]
    assert hired["department_id"] == 5
    assert alice.patch(f"{LIST}/{hired['id']}", {"department_id": 2}).json["data"]["department_id"] == 2
    assert alice.patch(f"{LIST}/{hired['id']}", {"department_id": None}).json["data"]["department_id"] is None


def test_an_unknown_department_is_named_and_nothing_written(alice: Integration) -> None:
    before = total(alice)
    answer = alice.post(LIST, {**NEW, "department_id": 99})
    assert (answer.status_code, answer.json["errors"]) == (400, {"department_id": "No such department"})
    changed = alice.patch(f"{LIST}/1", {"name": "Changed", "department_id": 99})
    assert (changed.status_code, changed.json["errors"]) == (400, {"department_id": "No such department"})
    assert total(alice) == before
    assert alice.get(f"{LIST}/1").json["data"]["name"] != "Changed"


def test_mallorys_department_is_unknown_to_alice(alice: Integration, mallory: Integration) -> None:
    stranger = mallory.get("/api/v2/departments/1").json["data"]["public_id"]
    answer = alice.post(LIST, {**NEW, "department_id": stranger})
    assert answer.json["errors"] == {"department_id": "No such department"}


def test_a_code_belongs_to_one_employee(alice: Integration, mallory: Integration) -> None:
    first = alice.post(LIST, NEW).json["data"]
    again = alice.post(LIST, {**NEW, "name": "Another"})
    assert (again.status_code, again.json["code"]) == (409, "duplicate")
    assert again.json["errors"] == {"employee_code": "Another employee has this code"}
    assert again.json["existing_id"] == first["id"]
    assert alice.patch(f"{LIST}/1", {"employee_code": "EMP-2001"}).status_code == 409
    assert alice.put(f"{LIST}/{first['id']}", NEW).status_code == 200
    assert mallory.post(LIST, NEW).status_code == 201


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "Jane"}, "employee_code"),
        ({"employee_code": "E1"}, "name"),
        ({**NEW, "employee_code": "  "}, "employee_code"),
        ({**NEW, "employee_code": 1001}, "employee_code"),
        ({**NEW, "email": "nobody"}, "email"),
        ({**NEW, "joined_on": "2026-02-30"}, "joined_on"),
        ({**NEW, "joined_on": "99999-01-01"}, "joined_on"),
        ({**NEW, "status": "Fired"}, "status"),
        ({**NEW, "public_id": "emp_000000000000000000000000"}, "public_id"),
        ({**NEW, "salary": 1}, "salary"),
    ],
)
def test_a_bad_field_is_named(alice: Integration, body: object, field: str) -> None:
    before = total(alice)
    answer = alice.post(LIST, body)
    assert answer.status_code == 400
    assert set(answer.json["errors"]) == {field}
    assert total(alice) == before


def test_the_seed_has_people_in_every_department_and_of_both_statuses(alice: Integration) -> None:
    assert total(alice, employee_code="EMP-1001") == 1
    assert total(alice, employee_code="EMP-9999") == 0
    assert total(alice, status="Left") == 2
    assert total(alice, status="Active") == 16
    assert all(total(alice, department_id=str(id_)) for id_ in range(1, 8))
    assert total(alice, search="driver") == 2


def test_one_with_punches_cannot_be_deleted_one_without_can(alice: Integration) -> None:
    answer = alice.delete(f"{LIST}/2")
    assert (answer.status_code, answer.json["code"]) == (409, "conflict")
    assert "attendance (" in answer.json["message"]
    assert alice.get(f"{LIST}/2").status_code == 200
    assert alice.delete(f"{LIST}/1").status_code == 200
    new = alice.post(LIST, NEW).json["data"]
    assert alice.delete(f"{LIST}/{new['id']}").status_code == 200


def test_bob_reads_and_does_not_write(bob: Integration) -> None:
    assert bob.get(LIST).status_code == 200
    answer = bob.post(LIST, NEW)
    assert (answer.status_code, answer.json["required"]) == (403, "hr:write")
