"""Users: their passwords stay secret, and one administrator stays (contract section 5)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select

from portal.api.exchanges import Exchange
from portal.core.database import Database
from portal.core.events import Event
from portal.tenancy.models import AuditRow
from sandbox.resources.users import User
from sandbox.tenants import NewSandbox
from tests.conftest import Integration, SandboxMaker

LIST = "/api/v2/users"
PASSWORD = "correct horse battery"
ESCAPED = '{"name": "Jo", "email": "jo@example.com", "passw\\u006fr\\u0064": "correct horse battery"}'
BODY = {"name": "Jane Smith", "email": "Jane@example.com", "password": PASSWORD, "role": "sales"}


def add(caller: Integration, **fields: Any) -> dict[str, Any]:
    answer = caller.post(LIST, BODY | fields)
    assert answer.status_code == 201, answer.text
    data: dict[str, Any] = answer.json["data"]
    return data


def stored(database: Database, new: NewSandbox, user: dict[str, Any]) -> User:
    with database.transaction(write=False) as session:
        session.bind_tenant(new.tenant.id)
        found = session.scalar(select(User).where(User.id == user["id"]))
        assert found is not None
        return found


def administrators(caller: Integration) -> list[int]:
    return [row["id"] for row in caller.get(f"{LIST}?role=administrator&limit=100").json["data"]]


def leave_two(caller: Integration) -> list[int]:
    """The two administrators of the seed, by themselves."""
    ids = administrators(caller)
    assert len(ids) == 2
    return ids


def test_a_user_is_added_read_changed_replaced_and_deleted(alice: Integration) -> None:
    user = add(alice)
    path = f"{LIST}/{user['public_id']}"
    assert set(user) == {"id", "public_id", "name", "email", "role", "created_at", "updated_at", "version"}
    assert alice.get(path).json["data"] == user
    assert alice.patch(path, {"role": "support"}).json["data"]["role"] == "support"
    replaced = alice.put(path, {"name": "Jane", "email": "jane@example.com", "password": PASSWORD}).json["data"]
    assert (replaced["name"], replaced["role"]) == ("Jane", "viewer")
    assert alice.delete(path).status_code == 200
    assert alice.get(path).status_code == 404


def test_a_password_stays_until_another_is_sent(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    user = add(alice)
    path, before = f"{LIST}/{user['id']}", stored(database, alices_sandbox, user).password_hash
    assert alice.put(path, {"name": "Jane", "email": "jane@example.com"}).status_code == 200
    alice.patch(path, {"name": "Jane S."})
    assert stored(database, alices_sandbox, user).password_hash == before
    assert alice.patch(path, {"password": "another good password"}).status_code == 200
    assert stored(database, alices_sandbox, user).password_hash != before


def test_a_password_is_kept_as_an_argon2_hash(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    first, second = add(alice), add(alice, email="two@example.com")
    hashes = {stored(database, alices_sandbox, user).password_hash for user in (first, second)}
    assert len(hashes) == 2 and all(text.startswith("$argon2id$") for text in hashes)


def test_a_password_stands_in_no_answer_event_log_or_trail(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    user = add(alice)
    path = f"{LIST}/{user['id']}"
    answers = [
        alice.get(path),
        alice.get(LIST),
        alice.put(path, BODY),
        alice.patch(path, {"password": PASSWORD}),
        alice.patch(path, {"password": PASSWORD, "role": "king"}),
        alice.post(LIST, BODY | {"password": [PASSWORD]}),
        alice.post(LIST, BODY | {"password": {"plain": PASSWORD}}),
        alice.post(LIST, BODY | {"password": 271828182845}),
        alice.call("POST", LIST, data=ESCAPED, content_type="application/json"),
    ]
    assert not any(PASSWORD in answer.text or "argon2" in answer.text for answer in answers)
    with database.transaction(write=False) as session:
        session.bind_tenant(alices_sandbox.tenant.id)
        acts = [str(row.changes) for row in session.scalars(select(AuditRow))]
        bodies = [row.request_body + row.response_body for row in session.scalars(select(Exchange))]
        assert not list(session.scalars(select(Event)))
    assert len(acts) >= 4 and len(bodies) == 10
    for text in acts + bodies:
        assert not any(secret in text for secret in (PASSWORD, "argon2", "271828182845"))


@pytest.mark.parametrize("password", ["elevenchars", "x" * 129, "", None, 123456789012, ["x" * 12]])
def test_a_password_has_12_to_128_characters(alice: Integration, password: Any) -> None:
    before = alice.get(LIST).json["meta"]["total_records"]
    refused = alice.post(LIST, BODY | {"password": password})
    assert (refused.status_code, list(refused.json["errors"])) == (400, ["password"])
    assert alice.get(LIST).json["meta"]["total_records"] == before


@pytest.mark.parametrize("password", ["x" * 12, "x" * 128, "пароль-пароль", "tab\tand \u0000 too", "e\u0301" * 12])
def test_every_kind_of_text_may_be_a_password(alice: Integration, password: str) -> None:
    assert alice.post(LIST, BODY | {"password": password}).status_code == 201


@pytest.mark.parametrize("field", ["password_hash", "tenant_id", "id", "created_at"])
def test_what_is_not_for_callers_is_refused_by_name(alice: Integration, field: str) -> None:
    assert list(alice.post(LIST, BODY | {field: 1}).json["errors"]) == [field]
    assert list(alice.patch(f"{LIST}/1", {field: 1}).json["errors"]) == [field]


def test_an_email_belongs_to_one_user_whatever_its_case(alice: Integration) -> None:
    user, other = add(alice), add(alice, email="two@example.com")
    refused = alice.post(LIST, BODY | {"email": "JANE@EXAMPLE.COM"})
    assert (refused.status_code, refused.json["code"], refused.json["existing_id"]) == (409, "duplicate", user["id"])
    assert alice.patch(f"{LIST}/{other['id']}", {"email": "jane@Example.com"}).status_code == 409
    assert alice.patch(f"{LIST}/{user['id']}", {"email": "JANE@example.com"}).status_code == 200


def test_users_are_filtered_by_role_and_searched(alice: Integration) -> None:
    user = add(alice, name="Zebedee Quill", role="accountant")
    assert user["id"] in [row["id"] for row in alice.get(f"{LIST}?role=accountant").json["data"]]
    assert [row["id"] for row in alice.get(f"{LIST}?search=zebedee").json["data"]] == [user["id"]]
    assert alice.get(f"{LIST}?search=argon2").json["data"] == []
    assert alice.get(f"{LIST}?role=king").status_code == 400
    assert alice.post(LIST, BODY | {"role": "king"}).status_code == 400
    assert alice.get(f"{LIST}?sort=password_hash").status_code == 400


def test_the_last_administrator_stays(alice: Integration) -> None:
    first, second = leave_two(alice)
    assert alice.patch(f"{LIST}/{first}", {"role": "viewer"}).status_code == 200
    path = f"{LIST}/{second}"
    before = alice.get(path).json["data"]
    body = {"name": before["name"], "email": before["email"], "password": PASSWORD}
    refused = [
        alice.patch(path, {"role": "manager"}),
        alice.patch(path, {"role": "manager", "password": PASSWORD}),
        alice.put(path, body),
        alice.put(path, body | {"role": "viewer"}),
        alice.delete(path),
    ]
    assert {(answer.status_code, answer.json["code"]) for answer in refused} == {(409, "last_administrator")}
    assert alice.get(path).json["data"] == before
    assert alice.patch(path, {"name": "Still here"}).status_code == 200
    assert alice.put(path, body | {"role": "administrator"}).status_code == 200
    add(alice, role="administrator")
    assert alice.delete(path).status_code == 200


@pytest.mark.parametrize("how", ["demoted", "deleted", "both"])
def test_of_the_last_two_administrators_one_goes_however_many_try(alice: Integration, how: str) -> None:
    ids = leave_two(alice)

    def let_go(turn: int) -> Any:
        path = f"{LIST}/{ids[turn % 2]}"
        is_deletion = how == "deleted" or (how == "both" and turn % 4 < 2)
        return alice.delete(path) if is_deletion else alice.patch(path, {"role": "viewer"})

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(let_go, range(8)))
    assert len(administrators(alice)) == 1
    codes = {answer.status_code for answer in answers}
    assert 200 in codes and 409 in codes and codes <= {200, 404, 409}
    assert {answer.json["code"] for answer in answers if answer.status_code == 409} == {"last_administrator"}


def test_two_demotions_at_once_are_one_success_and_one_refusal(alice: Integration) -> None:
    for _ in range(5):
        ids = leave_two(alice)
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda id_: alice.patch(f"{LIST}/{id_}", {"role": "viewer"}), ids))
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        (gone,) = set(ids) - set(administrators(alice))
        alice.patch(f"{LIST}/{gone}", {"role": "administrator"})


def test_only_an_administrator_writes_and_a_manager_reads(
    alice: Integration, alices_sandbox: NewSandbox, as_role: Callable[[NewSandbox, str], Integration]
) -> None:
    manager = as_role(alices_sandbox, "manager")
    assert manager.get(LIST).status_code == 200
    calls = [manager.post(LIST, BODY), manager.put(f"{LIST}/1", BODY), manager.delete(f"{LIST}/1")]
    calls.append(manager.patch(f"{LIST}/1", {"role": "viewer"}))
    assert {(answer.status_code, answer.json["required"]) for answer in calls} == {(403, "administration:write")}
    for role in ("accountant", "sales", "support", "viewer"):
        assert as_role(alices_sandbox, role).get(LIST).json["required"] == "administration:read"
    assert alice.get(LIST).json["meta"]["total_records"] == 8


def test_mallory_finds_none_of_alices_users(alice: Integration, mallory: Integration) -> None:
    user = add(alice)
    path = f"{LIST}/{user['public_id']}"
    calls = [mallory.get(path), mallory.put(path, BODY), mallory.patch(path, {"role": "viewer"}), mallory.delete(path)]
    assert {answer.status_code for answer in calls} == {404}
    assert add(mallory)["email"] == user["email"]
    assert alice.get(path).json["data"] == user


def test_users_belong_to_every_plan(
    new_sandbox: SandboxMaker, as_role: Callable[[NewSandbox, str], Integration]
) -> None:
    assert add(as_role(new_sandbox(plan="starter"), "administrator"))["id"] == 9


def test_the_seed_has_eight_users_of_every_role_whom_nobody_can_sign_in_as(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    rows = alice.get(LIST).json["data"]
    assert len(rows) == 8
    roles = [row["role"] for row in rows]
    assert set(roles) == {"administrator", "manager", "accountant", "sales", "support", "viewer"}
    assert roles.count("administrator") == 2
    assert all(row["email"].endswith(".example") for row in rows)
    assert {stored(database, alices_sandbox, row).password_hash for row in rows} == {"!"}
