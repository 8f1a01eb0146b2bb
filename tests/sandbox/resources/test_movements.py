"""The stock ledger: what may be written into it, and that it always adds up."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from portal.core.database import Database
from portal.tenancy.audit import list_acts
from tests.conftest import Integration, NewSandbox

MOVEMENTS = "/api/v2/inventory/movements"
STOCK = "/api/v2/inventory/stock"
exact = msgspec.json.Decoder(float_hook=Decimal).decode


def on_hand(caller: Integration, product: int) -> Decimal:
    return Decimal(exact(caller.get(f"{STOCK}/{product}").data)["data"]["qty"])


def ledger(caller: Integration, product: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    while True:
        page = exact(caller.get(f"{MOVEMENTS}?product_id={product}&limit=100&page={len(rows) // 100 + 1}").data)
        rows += page["data"]
        if len(rows) == page["meta"]["total_records"]:
            return rows


def difference(row: dict[str, Any]) -> Decimal:
    return Decimal(-row["qty"] if row["type"] == "out" else row["qty"])


def assert_adds_up(caller: Integration, product: int) -> None:
    """The level is the sum of the movements, and each balance what was there after it."""
    rows, sum_ = ledger(caller, product), Decimal(0)
    for row in rows:
        sum_ += difference(row)
        assert row["balance"] == sum_ >= 0
    assert on_hand(caller, product) == sum_


def test_goods_come_in_go_out_and_are_counted(alice: Integration) -> None:
    before = on_hand(alice, 19)
    for type_, qty, balance in (("in", 10, before + 10), ("out", 4, before + 6), ("adjustment", -1, before + 5)):
        answer = alice.post(MOVEMENTS, {"product_id": 19, "type": type_, "qty": qty, "reason": "Test"})
        assert answer.status_code == 201, answer.text
        made = answer.json["data"]
        assert (made["type"], made["qty"], made["balance"], made["reason"]) == (type_, qty, balance, "Test")
        assert made["public_id"].startswith("mov_")
        assert alice.get(answer.headers["Location"]).json["data"] == made
        assert alice.get(f"{MOVEMENTS}/{made['public_id']}").json["data"] == made
    assert_adds_up(alice, 19)


def test_a_movement_without_a_type_is_an_adjustment(alice: Integration) -> None:
    assert alice.post(MOVEMENTS, {"product_id": 19, "qty": -2}).json["data"]["type"] == "adjustment"


def test_quantities_have_up_to_three_decimals_and_are_shown_plainly(alice: Integration) -> None:
    before = on_hand(alice, 19)
    made = alice.post(MOVEMENTS, {"product_id": 19, "type": "in", "qty": 0.125})
    assert exact(made.data)["data"]["qty"] == Decimal("0.125")
    back = alice.post(MOVEMENTS, {"product_id": 19, "type": "out", "qty": 0.125})
    assert f'"qty":0.125,"reason":null,"reference":null,"balance":{before},' in back.text
    assert exact(alice.get(back.headers["Location"]).data) == {
        name: value for name, value in exact(back.data).items() if name in {"success", "data"}
    }
    too_fine = alice.post(MOVEMENTS, {"product_id": 19, "type": "in", "qty": 0.0001})
    assert too_fine.json["errors"] == {"qty": "Qty may have 3 decimals at most"}


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"qty": 0}, {"qty": "Qty must not be 0: it is the difference to be made"}),
        ({"type": "in", "qty": 0}, {"qty": "Qty must be greater than 0"}),
        ({"type": "out", "qty": -1}, {"qty": "Qty must be greater than 0"}),
        ({"type": "in", "qty": 10**9}, {"qty": "Qty is too large"}),
        ({"type": "in", "qty": "1"}, {"qty": "Qty must be a number"}),
        (
            {"product_id": 9999, "type": "in", "qty": 0},
            {"qty": "Qty must be greater than 0", "product_id": "No such product"},
        ),
        ({"product_id": "cus_000000000000000000000000", "qty": 1}, {"product_id": "No such product"}),
        ({"product_id": 1, "qty": 1}, {"product_id": "Web Development is not kept in stock: it does not track stock"}),
        ({"qty": 1, "balance": 5}, {"balance": "Balance is read-only"}),
        ({"qty": 1, "reference": "x" * 41}, {"reference": "Reference may have 40 characters at most"}),
    ],
)
def test_a_bad_movement_is_refused_by_name_and_nothing_moves(
    alice: Integration, fields: dict[str, Any], errors: dict[str, str]
) -> None:
    before = alice.get(MOVEMENTS).json["meta"], on_hand(alice, 19)
    answer = alice.post(MOVEMENTS, {"product_id": 19, **fields})
    assert (answer.status_code, answer.json["errors"]) == (400, errors)
    assert (alice.get(MOVEMENTS).json["meta"], on_hand(alice, 19)) == before


@pytest.mark.parametrize(("type_", "sign"), [("out", 1), ("adjustment", -1)])
def test_more_than_there_is_cannot_go(alice: Integration, type_: str, sign: int) -> None:
    there, before = on_hand(alice, 15), alice.get(MOVEMENTS).json["meta"]
    answer = alice.post(MOVEMENTS, {"product_id": 15, "type": type_, "qty": sign * int(there + 1)})
    assert (answer.status_code, answer.json["code"]) == (409, "insufficient_stock")
    asked = int(there + 1)
    assert answer.json["shortages"] == [
        {"product_id": 15, "name": "Laser Printer", "asked": asked, "available": int(there)}
    ]
    assert answer.json["message"] == f"Not enough in stock: Laser Printer ({asked} asked, {there} available)."
    assert (alice.get(MOVEMENTS).json["meta"], on_hand(alice, 15)) == (before, there)
    assert (
        alice.post(MOVEMENTS, {"product_id": 15, "type": type_, "qty": sign * int(there)}).json["data"]["balance"] == 0
    )


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_the_ledger_is_not_rewritten(alice: Integration, method: str) -> None:
    assert alice.call(method, f"{MOVEMENTS}/1", {"qty": 1}).status_code == 405


def test_the_ledger_is_filtered_by_product_type_and_day(alice: Integration) -> None:
    product = alice.get("/api/v2/products/19").json["data"]["public_id"]
    assert {row["product_id"] for row in alice.get(f"{MOVEMENTS}?product_id={product}").json["data"]} == {19}
    for type_ in ("in", "out", "adjustment"):
        assert {row["type"] for row in alice.get(f"{MOVEMENTS}?type={type_}").json["data"]} == {type_}
    days = "date_from=2025-03-01&date_to=2025-03-31"
    found = {row["created_at"][:7] for row in alice.get(f"{MOVEMENTS}?{days}&limit=100").json["data"]}
    assert found == {"2025-03"}
    assert alice.get(f"{MOVEMENTS}?type=lost").status_code == 400
    assert alice.get(f"{MOVEMENTS}?product_id=9999").json["errors"] == {"product_id": "No such product"}


def test_a_movement_of_today_is_found_by_today(alice: Integration) -> None:
    made = alice.post(MOVEMENTS, {"product_id": 19, "qty": 1}).json["data"]
    day = dt.datetime.fromisoformat(made["created_at"]).date()
    assert [row["id"] for row in alice.get(f"{MOVEMENTS}?date_from={day}&date_to={day}").json["data"]] == [made["id"]]


def test_a_movement_leaves_its_trace(alice: Integration, alices_sandbox: NewSandbox, database: Database) -> None:
    made = alice.post(MOVEMENTS, {"product_id": 19, "qty": 1}).json["data"]
    with database.transaction(write=False) as session:
        session.bind_tenant(alices_sandbox.tenant.id)
        (act,) = list_acts(session, limit=1)
    assert (act.action, act.subject) == ("movements.create", made["public_id"])


def test_mallory_reads_and_moves_nothing_of_alices(alice: Integration, mallory: Integration) -> None:
    theirs = alice.get(f"{MOVEMENTS}/1").json["data"]["public_id"]
    product, before = alice.get("/api/v2/products/19").json["data"]["public_id"], on_hand(alice, 19)
    assert mallory.get(f"{MOVEMENTS}/{theirs}").status_code == 404
    assert mallory.post(MOVEMENTS, {"product_id": product, "qty": 1}).json["errors"] == {
        "product_id": "No such product"
    }
    assert on_hand(alice, 19) == before


def test_bob_may_look_but_not_move(alice: Integration, bob: Integration) -> None:
    before = on_hand(alice, 19)
    assert bob.get(MOVEMENTS).status_code == 200
    answer = bob.post(MOVEMENTS, {"product_id": 19, "qty": 1})
    assert (answer.status_code, answer.json["required"]) == (403, "inventory:write")
    assert on_hand(alice, 19) == before


def test_the_last_pieces_go_to_as_many_as_there_are(alice: Integration) -> None:
    product = alice.post("/api/v2/products", {"name": "Last", "price": 1, "tracks_stock": True}).json["data"]["id"]
    assert alice.post(MOVEMENTS, {"product_id": product, "type": "in", "qty": 7}).status_code == 201
    body = {"product_id": product, "type": "out", "qty": 1}
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda _: alice.post(MOVEMENTS, body), range(40)))
    assert sorted(answer.status_code for answer in answers) == [201] * 7 + [409] * 33
    assert {answer.json["code"] for answer in answers if answer.status_code == 409} == {"insufficient_stock"}
    assert on_hand(alice, product) == 0
    assert [row["balance"] for row in ledger(alice, product)] == [7, 6, 5, 4, 3, 2, 1, 0]


def test_movements_and_switches_of_one_product_at_once_leave_it_consistent(alice: Integration) -> None:
    product = alice.post("/api/v2/products", {"name": "Switched", "price": 1, "tracks_stock": True}).json["data"]["id"]
    calls = [
        lambda: alice.post(MOVEMENTS, {"product_id": product, "type": "in", "qty": 1}),
        lambda: alice.patch(f"/api/v2/products/{product}", {"tracks_stock": False}),
        lambda: alice.patch(f"/api/v2/products/{product}", {"tracks_stock": True}),
        lambda: alice.post(MOVEMENTS, {"product_id": product, "type": "out", "qty": 1}),
    ]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: calls[number % 4](), range(40)))
    assert {answer.status_code for answer in answers} <= {200, 201, 400, 409}
    alice.patch(f"/api/v2/products/{product}", {"tracks_stock": True})
    assert_adds_up(alice, product)
