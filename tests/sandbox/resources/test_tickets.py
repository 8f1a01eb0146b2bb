"""Tickets: opened, answered, closed, reopened; all of it on record (contract section 5)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select

from portal.core.database import Database
from portal.core.events import Event
from sandbox.resources.ticket_replies import TicketReply
from sandbox.tenants import NewSandbox
from tests.conftest import Integration, SandboxMaker

LIST = "/api/v2/tickets"
BODY = {"subject": "Printer", "message": "It prints blank pages.", "department_id": 1}


def ask(caller: Integration, **fields: Any) -> dict[str, Any]:
    answer = caller.post(LIST, BODY | fields)
    assert answer.status_code == 201, answer.text
    data: dict[str, Any] = answer.json["data"]
    return data


def read(caller: Integration, ticket: dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = caller.get(f"{LIST}/{ticket['id']}").json["data"]
    return data


def act(caller: Integration, ticket: dict[str, Any], verb: str, body: Any = None) -> Any:
    return caller.post(f"{LIST}/{ticket['id']}/{verb}", body)


def history(caller: Integration, ticket: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    rows = caller.get(f"{LIST}/{ticket['id']}/replies").json["data"]
    return [(row["kind"], row["author"], row["message"]) for row in rows]


def events_of(database: Database, new: NewSandbox) -> list[Event]:
    with database.transaction(write=False) as session:
        session.bind_tenant(new.tenant.id)
        return list(session.scalars(select(Event).order_by(Event.id)))


@pytest.fixture
def helen(alices_sandbox: NewSandbox, as_role: Callable[[NewSandbox, str], Integration]) -> Integration:
    """Support in alice's tenant."""
    return as_role(alices_sandbox, "support")


@pytest.fixture
def names(alice: Integration, helen: Integration) -> tuple[str, str]:
    """The names of alice's and helen's keys, as replies tell them."""
    ticket = ask(alice)
    alice_says, helen_says = (act(caller, ticket, "replies", {"message": "x"}) for caller in (alice, helen))
    return alice_says.json["data"]["author"], helen_says.json["data"]["author"]


def test_a_ticket_starts_open_and_of_medium_priority(alice: Integration) -> None:
    ticket = ask(alice)
    assert (ticket["status"], ticket["priority"], ticket["customer_id"]) == ("Open", "Medium", None)
    assert ticket["closed_at"] is None and read(alice, ticket) == ticket
    assert history(alice, ticket) == []


def test_references_are_taken_by_public_id_and_all_bad_ones_named(alice: Integration) -> None:
    customer = alice.get("/api/v2/customers/2").json["data"]["public_id"]
    department = alice.get("/api/v2/departments/3").json["data"]["public_id"]
    ticket = ask(alice, customer_id=customer, department_id=department)
    assert (ticket["customer_id"], ticket["department_id"]) == (2, 3)
    answer = alice.post(LIST, BODY | {"customer_id": 9999, "department_id": 9999})
    assert answer.json["errors"] == {"customer_id": "No such customer", "department_id": "No such department"}
    bad = {"subject": "", "priority": "Highest", "status": "open", "closed_at": "2024-01-01T00:00:00Z", "id": 1}
    errors = alice.post(LIST, bad).json["errors"]
    assert set(errors) == {"subject", "message", "department_id", "priority", "status", "closed_at", "id"}
    assert errors["closed_at"] == "Closed at is read-only"


def test_a_ticket_is_replaced_changed_and_deleted_with_its_replies(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    ticket = ask(alice, customer_id=2, priority="Urgent")
    path = f"{LIST}/{ticket['id']}"
    assert alice.patch(path, {"status": "Pending"}).json["data"]["priority"] == "Urgent"
    replaced = alice.put(path, BODY).json["data"]
    assert (replaced["priority"], replaced["status"], replaced["customer_id"]) == ("Medium", "Open", None)
    act(alice, ticket, "replies", {"message": "x"})
    assert alice.delete(path).status_code == 200
    assert alice.get(path).status_code == alice.get(f"{path}/replies").status_code == 404
    with database.transaction(write=False) as session:
        session.bind_tenant(alices_sandbox.tenant.id)
        left = select(func.count()).select_from(TicketReply).where(TicketReply.ticket_id == ticket["id"])
        assert session.scalar(left) == 0


def test_replies_bear_the_name_of_the_key_and_come_oldest_first(
    alice: Integration, helen: Integration, names: tuple[str, str]
) -> None:
    ticket = ask(alice)
    first = act(alice, ticket, "replies", {"message": "One"})
    assert (first.status_code, first.json["data"]["kind"]) == (201, "reply")
    assert first.json["data"]["ticket_id"] == ticket["id"]
    act(helen, ticket, "replies", {"message": "Two"})
    assert names[0] != names[1]
    assert history(alice, ticket) == [("reply", names[0], "One"), ("reply", names[1], "Two")]
    assert read(alice, ticket)["version"] == ticket["version"]


def test_replies_are_paged_and_belong_to_one_ticket(alice: Integration) -> None:
    ticket, other = ask(alice), ask(alice)
    for number in range(5):
        act(alice, ticket, "replies", {"message": f"Reply {number}"})
    act(alice, other, "replies", {"message": "Elsewhere"})
    body = alice.get(f"{LIST}/{ticket['id']}/replies?limit=2&page=2").json
    assert [row["message"] for row in body["data"]] == ["Reply 2", "Reply 3"]
    assert body["meta"] == {"current_page": 2, "total_pages": 3, "total_records": 5}
    latest = alice.get(f"{LIST}/{ticket['id']}/replies?sort=-id&limit=1").json["data"]
    assert [row["message"] for row in latest] == ["Reply 4"]
    assert alice.get(f"{LIST}/{ticket['id']}/replies?sort=author").status_code == 400
    assert alice.get(f"{LIST}/{ticket['id']}/replies?ticket_id={other['id']}").status_code == 400


def test_a_walk_through_the_replies_of_one_ticket_does_not_go_on_in_another(alice: Integration) -> None:
    ticket, other = ask(alice), ask(alice)
    for number in range(3):
        act(alice, ticket, "replies", {"message": f"Reply {number}"})
    path = f"{LIST}/{ticket['id']}/replies"
    start = alice.get(f"{path}?limit=2&cursor=").json
    cursor = start["meta"]["next_cursor"]
    rest = alice.get(path, query_string={"limit": 2, "cursor": cursor}).json
    assert [row["message"] for row in start["data"] + rest["data"]] == ["Reply 0", "Reply 1", "Reply 2"]
    assert alice.get(f"{LIST}/{other['id']}/replies", query_string={"cursor": cursor}).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"message": ""},
        {"message": "  "},
        {"message": 1},
        {"message": "x", "author": "Staff"},
        {"message": "a\x00b"},
    ],
)
def test_a_bad_reply_leaves_no_trace(alice: Integration, body: dict[str, Any]) -> None:
    ticket = ask(alice, status="Closed")
    before = history(alice, ticket)
    assert act(alice, ticket, "replies", body).status_code == 400
    assert (history(alice, ticket), read(alice, ticket)) == (before, ticket)


def test_closing_and_reopening_are_recorded_with_who_and_when(
    alice: Integration, helen: Integration, names: tuple[str, str]
) -> None:
    ticket = ask(alice)
    closed = act(helen, ticket, "close").json["data"]
    assert (closed["status"], closed["version"]) == ("Closed", ticket["version"] + 1)
    (entry,) = alice.get(f"{LIST}/{ticket['id']}/replies").json["data"]
    assert (entry["kind"], entry["author"], entry["message"]) == ("closed", names[1], None)
    assert entry["created_at"] == closed["closed_at"]
    reopened = act(alice, ticket, "reopen").json["data"]
    assert (reopened["status"], reopened["closed_at"]) == ("Open", None)
    assert [row[:2] for row in history(alice, ticket)] == [("closed", names[1]), ("reopened", names[0])]


def test_a_change_of_status_is_recorded_like_the_action(alice: Integration) -> None:
    ticket = ask(alice)
    path = f"{LIST}/{ticket['id']}"
    assert alice.patch(path, {"status": "Closed"}).json["data"]["closed_at"] is not None
    assert alice.patch(path, {"status": "Closed", "priority": "Low"}).status_code == 200
    assert alice.patch(path, {"status": "Pending"}).json["data"]["closed_at"] is None
    alice.patch(path, {"status": "Open"})
    alice.put(path, BODY | {"status": "Closed"})
    alice.put(path, BODY)
    assert [row[0] for row in history(alice, ticket)] == ["closed", "reopened", "closed", "reopened"]


def test_a_ticket_may_be_closed_from_the_start(alice: Integration) -> None:
    ticket = ask(alice, status="Closed")
    assert ticket["closed_at"] is not None
    assert [row[0] for row in history(alice, ticket)] == ["closed"]


def test_a_reply_opens_a_closed_ticket_again(alice: Integration) -> None:
    ticket = ask(alice, status="Closed")
    assert act(alice, ticket, "replies", {"message": "It is back."}).status_code == 201
    after = read(alice, ticket)
    assert (after["status"], after["closed_at"]) == ("Open", None)
    assert [row[0] for row in history(alice, ticket)] == ["closed", "reply", "reopened"]


def test_closing_twice_and_reopening_what_is_open_are_conflicts(alice: Integration) -> None:
    ticket = ask(alice)
    refused = act(alice, ticket, "reopen")
    assert (refused.status_code, refused.json["code"], "Open" in refused.json["message"]) == (409, "conflict", True)
    pending = ask(alice, status="Pending")
    assert act(alice, pending, "reopen").status_code == 409
    act(alice, ticket, "close")
    before = history(alice, ticket)
    refused = act(alice, ticket, "close")
    assert (refused.status_code, refused.json["code"]) == (409, "conflict")
    assert history(alice, ticket) == before


def test_a_ticket_is_closed_once_however_many_try(alice: Integration) -> None:
    ticket = ask(alice)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: act(alice, ticket, "close"), range(16)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 15
    assert [row[0] for row in history(alice, ticket)] == ["closed"]


def test_tickets_are_filtered(alice: Integration) -> None:
    ticket = ask(alice, customer_id=44, department_id=6, priority="Urgent", status="Pending")
    wanted = {"customer_id": "44", "department_id": "6", "priority": "Urgent", "status": "Pending"}
    for name, value in wanted.items():
        found = alice.get(LIST, query_string={name: value, "sort": "-id", "limit": "100"}).json["data"]
        assert found[0]["id"] == ticket["id"] and {str(row[name]) for row in found} == {value}
    assert [row["id"] for row in alice.get(LIST, query_string=wanted).json["data"]] == [ticket["id"]]
    for bad in ("status=Done", "priority=low", "department_id=99", "customer_id=9999"):
        assert alice.get(f"{LIST}?{bad}").status_code == 400


def test_a_customer_with_tickets_cannot_be_deleted(alice: Integration) -> None:
    customer = alice.post("/api/v2/customers", {"account": "New"}).json["data"]["id"]
    ticket = ask(alice, customer_id=customer)
    refused = alice.delete(f"/api/v2/customers/{customer}")
    assert (refused.status_code, "tickets (1)" in refused.json["message"]) == (409, True)
    alice.delete(f"{LIST}/{ticket['id']}")
    assert alice.delete(f"/api/v2/customers/{customer}").status_code == 200


def test_support_writes_tickets_and_a_viewer_only_reads(bob: Integration, helen: Integration) -> None:
    ticket = ask(helen)
    path = f"{LIST}/{ticket['id']}"
    assert bob.get(path).status_code == bob.get(f"{path}/replies").status_code == 200
    calls = [bob.post(LIST, BODY), bob.put(path, BODY), bob.patch(path, {"status": "Closed"}), bob.delete(path)]
    calls += [act(bob, ticket, verb, {"message": "x"}) for verb in ("replies", "close", "reopen")]
    assert {(answer.status_code, answer.json["required"]) for answer in calls} == {(403, "support:write")}
    assert read(helen, ticket) == ticket and history(helen, ticket) == []


def test_sales_does_not_read_tickets(
    alice: Integration, alices_sandbox: NewSandbox, as_role: Callable[[NewSandbox, str], Integration]
) -> None:
    sales = as_role(alices_sandbox, "sales")
    for path in (LIST, f"{LIST}/1", f"{LIST}/1/replies"):
        assert sales.get(path).json["required"] == "support:read"


def test_mallory_finds_none_of_alices_tickets(alice: Integration, mallory: Integration) -> None:
    ticket = ask(alice)
    path = f"{LIST}/{ticket['public_id']}"
    calls = [
        mallory.get(path),
        mallory.put(path, BODY),
        mallory.patch(path, {"status": "Closed"}),
        mallory.delete(path),
    ]
    calls += [mallory.post(f"{path}/{verb}", {"message": "x"}) for verb in ("replies", "close", "reopen")]
    calls.append(mallory.get(f"{path}/replies"))
    assert {answer.status_code for answer in calls} == {404}
    assert read(alice, ticket) == ticket and history(alice, ticket) == []


def test_tickets_belong_to_every_plan(
    new_sandbox: SandboxMaker, as_role: Callable[[NewSandbox, str], Integration]
) -> None:
    support = as_role(new_sandbox(plan="starter"), "support")
    assert act(support, ask(support), "close").status_code == 200


def test_events_tell_of_replies_closings_and_reopenings(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    ticket = ask(alice, customer_id=2)
    reply = act(alice, ticket, "replies", {"message": "One"}).json["data"]
    act(alice, ticket, "close")
    act(alice, ticket, "replies", {"message": "Two"})
    alice.patch(f"{LIST}/{ticket['id']}", {"status": "Closed"})
    act(alice, ticket, "reopen")
    alice.delete(f"{LIST}/{ticket['id']}")
    events = events_of(database, alices_sandbox)
    assert [event.type for event in events] == [
        *("ticket.created", "ticket.replied", "ticket.closed", "ticket.replied", "ticket.reopened"),
        *("ticket.closed", "ticket.updated", "ticket.reopened", "ticket.deleted"),
    ]
    assert events[0].payload["customer_id"].startswith("cus_")
    assert events[0].payload["department_id"].startswith("dep_")
    assert events[1].payload == {
        "public_id": reply["public_id"],
        "ticket_id": ticket["public_id"],
        **{name: reply[name] for name in ("kind", "author", "message", "created_at")},
    }
    assert events[2].payload["status"] == "Closed" and "id" not in events[2].payload


def test_the_document_describes_every_event_of_tickets(alice: Integration) -> None:
    webhooks = alice.client.get("/openapi.json").json["webhooks"]
    wanted = {f"ticket.{verb}" for verb in ("created", "updated", "deleted", "replied", "closed", "reopened")}
    assert wanted == {name for name in webhooks if name.startswith("ticket.")}


def test_the_seed_has_tickets_of_every_kind(alice: Integration) -> None:
    rows = [row for page in (1, 2) for row in alice.get(f"{LIST}?limit=100&page={page}").json["data"]]
    assert len(rows) == 150
    assert {row["status"] for row in rows} == {"Open", "Pending", "Closed"}
    assert {row["priority"] for row in rows} == {"Low", "Medium", "High", "Urgent"}
    assert {row["department_id"] for row in rows} == set(range(1, 8))
    for row in rows[:20] + rows[-20:]:
        entries = alice.get(f"{LIST}/{row['id']}/replies").json["data"]
        moves = [entry for entry in entries if entry["kind"] != "reply"]
        assert (row["status"] == "Closed") == bool(moves and moves[-1]["kind"] == "closed")
        assert row["closed_at"] == (moves[-1]["created_at"] if row["status"] == "Closed" else None)
        assert all(row["created_at"] < entry["created_at"] for entry in entries)
        assert [entry["created_at"] for entry in entries] == sorted(entry["created_at"] for entry in entries)
