"""Batch: an outcome for each row in order, all or nothing on request, the rules of the single call either way."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from portal.core.database import Database
from portal.core.errors import Conflict
from portal.core.events import Event
from portal.core.session import TenantSession
from portal.tenancy.audit import list_acts
from portal.tenancy.models import AuditRow
from sandbox.batch import BatchQuery, batch
from sandbox.resources.customers import Customer, CustomerBody, customers
from sandbox.tenants import NewSandbox
from tests.conftest import Integration, SandboxMaker

BATCH = "/api/v2/batch"
INVOICE = {"customer_id": 1, "due_date": "2024-02-15", "items": [{"description": "Web", "amount": 100}]}
EXPENSE = {"type": "Expense", "account_id": 1, "amount": 10, "category_id": 6, "date": "2024-02-01"}
LEAD = {"first_name": "Jane", "last_name": "Smith", "email": "jane@example.com"}

# For each resource a row that is good, and rows that are not.
ROWS: dict[str, tuple[dict[str, Any], list[Any]]] = {
    "customers": (
        {"account": "Jane"},
        [{"account": "Jane", "email": "john@EXAMPLE.com"}, {"email": "nonsense", "colour": 1}, {"id": 5}, {}],
    ),
    "products": (
        {"name": "Lamp", "price": 10},
        [{"name": "Lamp", "price": -1}, {"name": "Lamp", "price": 1, "sku": "SVC-WEB"}, {"name": "Lamp", "price": "1"}],
    ),
    "invoices": (
        INVOICE,
        [
            {**INVOICE, "customer_id": 999},
            {**INVOICE, "date": "2024-02-16"},
            {**INVOICE, "items": [{"description": "Web", "amount": 1, "product_id": 999}]},
            {**INVOICE, "items": [], "status": "Paid"},
        ],
    ),
    "leads": (LEAD, [{**LEAD, "email": "nonsense"}, {**LEAD, "status": "Sold"}, {"first_name": "\u202e"}]),
    "transactions": (
        EXPENSE,
        [
            {**EXPENSE, "category_id": 1},
            {**EXPENSE, "invoice_id": 1},
            {**EXPENSE, "type": "Income", "category_id": 1, "invoice_id": 1, "amount": 1500.01},
            {**EXPENSE, "amount": 0},
        ],
    ),
}


def send(caller: Integration, noun: str, rows: Any, *, atomic: str = "") -> Any:
    return caller.post(f"{BATCH}/{noun}{f'?atomic={atomic}' if atomic else ''}", {noun: rows})


def outcomes(caller: Integration, noun: str, rows: list[Any]) -> list[dict[str, Any]]:
    answer = send(caller, noun, rows)
    assert answer.status_code == 200, answer.text
    data = answer.json["data"]
    found: list[dict[str, Any]] = data["outcomes"]
    assert [outcome["row"] for outcome in found] == list(range(len(rows)))
    for status in ("created", "failed", "duplicate"):
        assert data[status] == sum(outcome["status"] == status for outcome in found)
    assert data["charged"] == 1
    return found


def total(caller: Integration, noun: str) -> int:
    return int(caller.get(f"/api/v2/{noun}?limit=1").json["meta"]["total_records"])


@pytest.fixture
def reading(database: Database, alices_sandbox: NewSandbox) -> Callable[[Callable[[TenantSession], Any]], Any]:
    """Look into alice's tenant."""

    def read(look: Callable[[TenantSession], Any]) -> Any:
        with database.transaction(write=False) as session:
            session.bind_tenant(alices_sandbox.tenant.id)
            return look(session)

    return read


def test_a_batch_with_rows_left_out_says_so_in_its_notice(alice: Integration) -> None:
    rows: list[Any] = [{"account": "Jane", "email": "jane@example.com"}, {"account": ""}, {"account": ""}]
    whole = alice.post("/api/v2/batch/customers", {"customers": rows[:1]}).json["notice"]
    assert whole["type"] == "success"
    partly = alice.post("/api/v2/batch/customers", {"customers": rows}).json["notice"]
    assert (partly["type"], partly["text"]) == (
        "warning",
        "Of 3 rows 2 failed and 1 were there already; see the outcomes.",
    )


def test_every_row_has_its_outcome_in_order(alice: Integration) -> None:
    rows = [
        {"account": "Jane", "email": "jane@example.com"},
        {"account": "", "email": "nonsense"},
        {"account": "John", "email": "JOHN@example.com"},
        {"account": "Again", "email": "Jane@Example.com"},
        "text",
        None,
        [],
        {"account": "Last"},
    ]
    no_object = {"row": "A row must be a JSON object"}
    failed = {"status": "failed", "code": "validation_failed", "message": "Validation failed"}
    taken = {"status": "duplicate", "errors": {"email": "Another customer has this email"}}
    found = outcomes(alice, "customers", rows)
    first, last = (alice.get(f"/api/v2/customers/{id_}").json["data"] for id_ in (101, 102))
    assert (first["email"], last["account"]) == ("jane@example.com", "Last")
    assert found == [
        {"row": 0, "status": "created", "id": 101, "public_id": first["public_id"]},
        {"row": 1, **failed, "errors": {"account": "Account must not be empty", "email": "Invalid email format"}},
        {"row": 2, **taken, "existing_id": 1},
        {"row": 3, **taken, "existing_id": 101},
        *({"row": row, **failed, "errors": no_object} for row in (4, 5, 6)),
        {"row": 7, "status": "created", "id": 102, "public_id": last["public_id"]},
    ]
    assert total(alice, "customers") == 102


@pytest.mark.parametrize("noun", ROWS)
def test_a_row_meets_the_rules_of_the_single_call_and_harms_no_other(
    alice: Integration, mallory: Integration, noun: str
) -> None:
    good, bad = ROWS[noun]
    before = total(alice, noun)
    found = outcomes(alice, noun, [good, *bad, good])
    assert [outcome["status"] for outcome in (found[0], found[-1])] == ["created", "created"]
    assert total(alice, noun) == before + 2
    for outcome, row in zip(found[1:-1], bad, strict=True):
        single = mallory.post(f"/api/v2/{noun}", row)
        assert outcome["errors"] == single.json["errors"], row
        if single.status_code == 409:
            assert (outcome["status"], outcome["existing_id"]) == ("duplicate", single.json["existing_id"])
        else:
            assert (outcome["status"], outcome["code"]) == ("failed", single.json["code"])


@pytest.mark.parametrize("noun", ROWS)
def test_a_row_makes_what_the_single_call_makes(alice: Integration, mallory: Integration, noun: str) -> None:
    good, _ = ROWS[noun]
    made = outcomes(alice, noun, [good])[0]
    single = mallory.post(f"/api/v2/{noun}", good).json["data"]
    varying = {"public_id": "…", "created_at": "…", "updated_at": "…"}
    assert alice.get(f"/api/v2/{noun}/{made['public_id']}").json["data"] | varying == single | varying


@pytest.mark.parametrize("noun", ROWS)
def test_atomic_names_every_bad_row_and_writes_nothing(
    alice: Integration, reading: Callable[..., Any], noun: str
) -> None:
    good, bad = ROWS[noun]
    before = total(alice, noun)
    answer = send(alice, noun, [good, *bad, good, 7], atomic="true")
    assert (answer.status_code, answer.json["code"]) == (400, "validation_failed")
    errors = answer.json["errors"]
    assert {name.split(".")[1] for name in errors} == {str(place) for place in (*range(1, len(bad) + 1), len(bad) + 2)}
    assert all(name.startswith(f"{noun}.") for name in errors)
    assert errors[f"{noun}.{len(bad) + 2}"] == "A row must be a JSON object"
    assert total(alice, noun) == before
    assert reading(lambda session: (session.scalars(select(Event)).all(), list_acts(session))) == ([], [])
    kept = send(alice, noun, [good, good], atomic="true")
    assert [row["id"] for row in kept.json["data"]["outcomes"]] == [before + 1, before + 2]


def test_atomic_keys_lead_to_the_field(alice: Integration) -> None:
    rows = [INVOICE, {**INVOICE, "items": [{"description": "Web", "amount": 0}]}]
    errors = send(alice, "invoices", rows, atomic="true").json["errors"]
    assert errors == {"invoices.1.items.0.amount": "Amount must be greater than 0"}
    twice = [{"account": "A", "email": "a@a.example"}, {"account": "B", "email": "A@a.example"}]
    errors = send(alice, "customers", twice, atomic="true").json["errors"]
    assert errors == {"customers.1.email": "Another customer has this email"}


def test_refused_rows_leave_no_gap_in_ids_and_invoice_numbers(alice: Integration) -> None:
    good, bad = ROWS["invoices"]
    found = outcomes(alice, "invoices", [good, bad[0], good, bad[1], bad[2], good])
    made = [alice.get(f"/api/v2/invoices/{row['id']}").json["data"] for row in found if row["status"] == "created"]
    first = int(made[0]["invoice_number"].rpartition("-")[2])
    assert [row["invoice_number"] for row in made] == [f"INV-2024-{first + step:03d}" for step in range(3)]
    assert [row["id"] - made[0]["id"] for row in made] == [0, 1, 2]


def test_rows_that_pay_one_invoice_see_one_another(alice: Integration) -> None:
    payment = {**EXPENSE, "type": "Income", "category_id": 1, "invoice_id": 1, "amount": 1000}
    found = outcomes(alice, "transactions", [payment, payment, {**payment, "amount": 500}])
    assert [row["status"] for row in found] == ["created", "failed", "created"]
    assert alice.get("/api/v2/invoices/1").json["data"]["status"] == "Paid"


def test_mallorys_records_are_unknown_to_alices_rows(alice: Integration, mallory: Integration) -> None:
    stranger = mallory.get("/api/v2/customers/1").json["data"]["public_id"]
    found = outcomes(alice, "invoices", [{**INVOICE, "customer_id": stranger}])
    assert found[0]["errors"] == {"customer_id": "No such customer"}


def test_created_rows_are_announced_and_audited_refused_ones_are_not(
    alice: Integration, reading: Callable[..., Any]
) -> None:
    rows = [{"account": "A"}, {"account": "B", "email": "john@example.com"}, {"account": ""}, {"account": "C"}]
    made = [row["public_id"] for row in outcomes(alice, "customers", rows) if row["status"] == "created"]
    events, acts = reading(
        lambda session: (
            session.scalars(select(Event).order_by(Event.id)).all(),
            session.scalars(select(AuditRow)).all(),
        )
    )
    assert [(event.type, event.subject) for event in events] == [("customer.created", public_id) for public_id in made]
    assert [event.payload["account"] for event in events] == ["A", "C"]
    assert [act.action for act in acts] == ["batch.customers"]
    assert [change["public_id"] for change in acts[0].changes if change["table"] == "customers"] == made


def test_a_row_refused_after_it_wrote_leaves_no_trace(
    database: Database, alices_sandbox: NewSandbox, alice: Integration, reading: Callable[..., Any]
) -> None:
    def hesitate(session: TenantSession, data: CustomerBody) -> Customer:
        customer = Customer(**data.model_dump())
        session.add(customer)
        session.flush()
        if data.account == "Bad":
            raise Conflict("Changed my mind.")
        return customer

    operation = batch(replace(customers, create=hesitate))
    assert operation.body is not None
    body = operation.body.model_validate({"customers": [{"account": name} for name in ("A", "Bad", "C")]})
    with database.transaction() as session:
        session.bind_tenant(alices_sandbox.tenant.id)
        call: Any = type("Call", (), {"session": session, "body": body, "query": BatchQuery()})
        found = operation.handle(call).data["outcomes"]
        changed = [change.public_id for change in session.changes if change.table == "customers"]
    assert [row["status"] for row in found] == ["created", "failed", "created"]
    assert (found[1]["code"], found[1]["message"], "errors" in found[1]) == ("conflict", "Changed my mind.", False)
    assert changed == [found[0]["public_id"], found[2]["public_id"]]
    names = [row["account"] for row in alice.get("/api/v2/customers?sort=-id&limit=3").json["data"]]
    assert names[:2] == ["C", "A"] and names[2] != "Bad"
    assert len(reading(lambda session: session.scalars(select(Event)).all())) == 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"customers": []}, "customers"),
        ({"customers": [{"account": "A"}] * 501}, "customers"),
        ({"customers": {"account": "A"}}, "customers"),
        ({"customers": None}, "customers"),
        ({}, "customers"),
        ({"customers": [{"account": "A"}], "atomic": True}, "atomic"),
        ([{"account": "A"}], "body"),
    ],
)
def test_what_is_no_batch_is_refused_whole(alice: Integration, body: Any, field: str) -> None:
    answer = alice.post(f"{BATCH}/customers", body)
    assert (answer.status_code, field in answer.json["errors"]) == (400, True)
    assert total(alice, "customers") == 100


@pytest.mark.parametrize("atomic", ["True", "1", "yes", "%20true"])
def test_atomic_is_true_or_false(alice: Integration, atomic: str) -> None:
    answer = send(alice, "customers", [{"account": "A"}], atomic=atomic)
    assert answer.json["errors"] == {"atomic": "Atomic must be true or false"}
    assert send(alice, "customers", [{"account": "A"}, 1], atomic="false").status_code == 200
    assert alice.post(f"{BATCH}/customers?atomic=", {"customers": [{"account": "A"}]}).status_code == 400
    assert total(alice, "customers") == 101


def test_five_hundred_customers_count_as_one_request(alice: Integration) -> None:
    rows = [{"account": f"Customer {number}", "email": f"c{number}@many.example"} for number in range(500)]
    answer = send(alice, "customers", rows)
    assert (answer.status_code, answer.json["data"]["created"], answer.json["data"]["charged"]) == (200, 500, 1)
    assert answer.headers["X-RateLimit-Remaining"] == "999"
    assert total(alice, "customers") == 600


@pytest.mark.parametrize(("role", "noun", "status"), [("sales", "customers", 200), ("sales", "invoices", 403)])
def test_a_batch_takes_the_permission_of_a_single_call(
    alices_sandbox: NewSandbox, as_role: Callable[[NewSandbox, str], Integration], role: str, noun: str, status: int
) -> None:
    assert send(as_role(alices_sandbox, role), noun, [ROWS[noun][0]]).status_code == status


def test_a_batch_needs_the_module_of_its_records(
    new_sandbox: SandboxMaker, as_role: Callable[[NewSandbox, str], Integration]
) -> None:
    small = as_role(new_sandbox("Small", plan="starter"), "administrator")
    assert send(small, "customers", [{"account": "A"}]).status_code == 200
    answer = send(small, "invoices", [INVOICE])
    assert (answer.status_code, answer.json["upgrade"]["module"]) == (403, "accounting")


def test_bob_writes_no_batch(bob: Integration) -> None:
    answer = send(bob, "leads", [LEAD])
    assert (answer.status_code, answer.json["required"]) == (403, "crm:write")


def test_a_batch_may_be_larger_than_a_single_body(alice: Integration) -> None:
    rows = [{"name": "Manual", "price": 1, "description": "x" * 5000} for _ in range(400)]
    assert send(alice, "products", rows).json["data"]["created"] == 400
    single = alice.call("POST", "/api/v2/products", data=b"x" * 1_100_000, content_type="application/json")
    assert (single.status_code, single.json["message"]) == (413, "The body may have 1048576 bytes at most.")
    whole = alice.call("POST", f"{BATCH}/products", data=b"x" * 5_300_000, content_type="application/json")
    assert (whole.status_code, whole.json["message"]) == (413, "The body may have 5242880 bytes at most.")


@pytest.mark.parametrize(("path", "limit"), [("/api/v2/products", 1_048_576), (f"{BATCH}/products", 5_242_880)])
def test_too_large_a_body_is_told_its_limit_under_an_idempotency_key_too(
    alice: Integration, path: str, limit: int
) -> None:
    key = {"Idempotency-Key": "large"}
    answer = alice.call("POST", path, data=b"x" * (limit + 1), content_type="application/json", headers=key)
    assert (answer.status_code, answer.json["message"]) == (413, f"The body may have {limit} bytes at most.")


@pytest.mark.parametrize(("length", "status"), [(2_000_000, 200), (5_300_000, 413)])
def test_a_batch_that_hides_its_length_is_measured_all_the_same(alice: Integration, length: int, status: int) -> None:
    raw = b'{"customers": [{"account": "Jane"}]}' + b" " * length
    chunked = {"wsgi.input": io.BytesIO(raw), "wsgi.input_terminated": True, "CONTENT_TYPE": "application/json"}
    assert alice.post(f"{BATCH}/customers", environ_overrides=chunked).status_code == status


def test_an_object_of_endless_width_is_malformed(alice: Integration) -> None:
    names = ",".join(f'"k{number}": 1' for number in range(100_000))
    for raw in (f'{{"customers": [{{{names}}}]}}', f'{{"customers": [{{"account": {{{names}}}}}]}}'):
        answer = alice.call("POST", f"{BATCH}/customers", data=raw, content_type="application/json")
        assert (answer.status_code, answer.json["code"]) == (400, "malformed_json")
        assert answer.json["message"] == "An object may have 1000 keys at most."


def test_batches_at_the_same_time_make_each_customer_once(alice: Integration) -> None:
    rows = [{"account": f"C{number}", "email": f"c{number}@crowd.example"} for number in range(20)]
    answers: list[Any] = []

    def push(order: list[dict[str, str]]) -> None:
        own = Integration(alice.client.application.test_client(), alice.key, alice.tenant)
        answers.append(send(own, "customers", order))

    threads = [threading.Thread(target=push, args=(order,)) for order in (rows, rows[::-1]) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [200] * 6
    assert sum(answer.json["data"]["created"] for answer in answers) == 20
    assert sum(answer.json["data"]["duplicate"] for answer in answers) == 100
    assert total(alice, "customers") == 120


def test_a_batch_sent_again_under_its_key_is_answered_as_before(alice: Integration) -> None:
    key = {"Idempotency-Key": "batch-1"}
    rows = {"customers": [{"account": "Jane"}, {"account": ""}]}
    first = alice.post(f"{BATCH}/customers", rows, headers=key)
    again = alice.post(f"{BATCH}/customers", rows, headers=key)
    assert (first.status_code, again.data) == (200, first.data)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert total(alice, "customers") == 101
