"""Stock levels: what is on hand, and who may change it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError

from portal.core.database import Database
from portal.core.events import Event
from sandbox.resources.levels import StockLevel
from tests.conftest import Integration, NewSandbox

STOCK = "/api/v2/inventory/stock"
MOVEMENTS = "/api/v2/inventory/movements"
PRODUCTS = "/api/v2/products"
PRINTER = {"name": "Photo printer", "price": 100, "tracks_stock": True}


def on_hand(caller: Integration, product: Any) -> float:
    return float(caller.get(f"{STOCK}/{product}").json["data"]["qty"])


def add_product(caller: Integration, **fields: Any) -> dict[str, Any]:
    answer = caller.post(PRODUCTS, {**PRINTER, **fields})
    assert answer.status_code == 201, answer.text
    return dict(answer.json["data"])


def move(caller: Integration, product: Any, qty: float, type_: str = "adjustment") -> Any:
    return caller.post(MOVEMENTS, {"product_id": product, "type": type_, "qty": qty})


def events_of(database: Database, new: NewSandbox, type_: str) -> list[dict[str, Any]]:
    with database.transaction(write=False) as session:
        session.bind_tenant(new.tenant.id)
        return [event.payload for event in session.query(Event).filter(Event.type == type_).order_by(Event.id)]


def test_each_tracked_product_has_a_level_and_no_other_has(alice: Integration) -> None:
    levels = alice.get(f"{STOCK}?limit=100").json["data"]
    products = alice.get(f"{PRODUCTS}?limit=100").json["data"]
    assert [row["product_id"] for row in levels] == [row["id"] for row in products if row["tracks_stock"]]
    for level in levels:
        product = products[level["product_id"] - 1]
        assert (level["id"], level["sku"], level["name"]) == (product["id"], product["sku"], product["name"])
        assert level["is_low"] is (level["qty"] <= level["reorder_level"])


def test_a_level_is_read_by_the_products_id_and_public_id_and_its_own(alice: Integration) -> None:
    product = alice.get(f"{PRODUCTS}/19").json["data"]
    level = alice.get(f"{STOCK}/19").json["data"]
    assert level["product_id"] == 19
    for name in (product["public_id"], level["public_id"]):
        assert alice.get(f"{STOCK}/{name}").json["data"] == level


def test_a_product_without_stock_keeping_has_no_level(alice: Integration) -> None:
    service = alice.get(f"{PRODUCTS}/1").json["data"]["public_id"]
    for name in (1, service, 9999, "prd_000000000000000000000000"):
        assert alice.get(f"{STOCK}/{name}").status_code == 404


def test_levels_are_filtered_by_product_and_by_being_low(alice: Integration) -> None:
    low = alice.get(f"{STOCK}?low=true").json
    enough = alice.get(f"{STOCK}?low=false").json
    assert all(row["is_low"] for row in low["data"]) and not any(row["is_low"] for row in enough["data"])
    assert 0 < low["meta"]["total_records"] < enough["meta"]["total_records"]
    public_id = alice.get(f"{PRODUCTS}/19").json["data"]["public_id"]
    for name in (19, public_id):
        assert [row["id"] for row in alice.get(f"{STOCK}?product_id={name}").json["data"]] == [19]
    assert alice.get(f"{STOCK}?product_id=9999").json["errors"] == {"product_id": "No such product"}
    assert alice.get(f"{STOCK}?low=maybe").json["errors"] == {"low": "Low must be true or false"}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nobody_writes_a_level(alice: Integration, method: str) -> None:
    path = STOCK if method == "POST" else f"{STOCK}/19"
    assert alice.call(method, path, {"qty": 100}).status_code == 405


def test_a_new_product_begins_with_nothing_in_stock(alice: Integration) -> None:
    product = add_product(alice)
    level = alice.get(f"{STOCK}/{product['id']}").json["data"]
    assert (level["qty"], level["reorder_level"], level["is_low"]) == (0, 5, True)
    assert alice.get(f"{STOCK}/{add_product(alice, tracks_stock=False)['id']}").status_code == 404


def test_a_service_is_not_kept_in_stock(alice: Integration) -> None:
    refused = {"tracks_stock": "A service cannot be kept in stock"}
    before = alice.get(PRODUCTS).json["meta"]
    assert alice.post(PRODUCTS, {**PRINTER, "type": "service"}).json["errors"] == refused
    assert alice.patch(f"{PRODUCTS}/1", {"tracks_stock": True}).json["errors"] == refused
    assert alice.patch(f"{PRODUCTS}/19", {"type": "service"}).json["errors"] == refused
    assert alice.get(PRODUCTS).json["meta"] == before
    assert alice.get(f"{PRODUCTS}/19").json["data"]["type"] == "product"


def test_stock_keeping_is_turned_on_and_off_while_there_is_none(alice: Integration) -> None:
    path = f"{PRODUCTS}/40"
    assert alice.patch(path, {"tracks_stock": True}).status_code == 200
    assert on_hand(alice, 40) == 0
    assert alice.patch(path, {"tracks_stock": False}).status_code == 200
    assert alice.get(f"{STOCK}/40").status_code == 404


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_stock_keeping_stays_on_while_there_is_stock(alice: Integration, method: str) -> None:
    product, before = alice.get(f"{PRODUCTS}/19").json["data"], on_hand(alice, 19)
    body = {"tracks_stock": False} if method == "PATCH" else {"name": product["name"], "price": product["price"]}
    answer = alice.call(method, f"{PRODUCTS}/19", body)
    assert (answer.status_code, answer.json["code"]) == (409, "conflict")
    assert "adjustment" in answer.json["message"]
    assert alice.get(f"{PRODUCTS}/19").json["data"] == product
    assert on_hand(alice, 19) == before


def test_stock_that_was_brought_to_nothing_is_counted_no_longer_and_again(alice: Integration) -> None:
    assert move(alice, 19, -on_hand(alice, 19)).status_code == 201
    assert alice.patch(f"{PRODUCTS}/19", {"tracks_stock": False}).status_code == 200
    assert move(alice, 19, 5).status_code == 400
    assert alice.patch(f"{PRODUCTS}/19", {"tracks_stock": True}).status_code == 200
    assert move(alice, 19, 5).json["data"]["balance"] == 5


def test_a_product_goes_with_its_level_but_not_once_it_has_moved(alice: Integration) -> None:
    fresh, moved = add_product(alice), add_product(alice)
    assert move(alice, moved["id"], 2).status_code == 201
    assert move(alice, moved["id"], -2).status_code == 201
    assert alice.delete(f"{PRODUCTS}/{fresh['id']}").status_code == 200
    assert alice.get(f"{STOCK}/{fresh['id']}").status_code == 404
    refused = alice.delete(f"{PRODUCTS}/{moved['id']}")
    assert (refused.status_code, refused.json["code"]) == (409, "conflict")
    assert "stock movements (2)" in refused.json["message"]
    assert on_hand(alice, moved["id"]) == 0


def test_stock_low_is_announced_when_the_reorder_level_is_reached_and_only_then(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    product = add_product(alice)
    for qty in (8, -2, -1, -1, 4, -3, -1):
        assert move(alice, product["id"], qty).status_code == 201
    told = events_of(database, alices_sandbox, "stock.low")
    assert [payload["qty"] for payload in told] == [5, 5]
    assert {payload["product_id"] for payload in told} == {product["public_id"]}
    assert "id" not in told[0] and told[0]["public_id"].startswith("stk_")


def test_a_refused_movement_announces_nothing(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    assert move(alice, 19, -100000).status_code == 409
    assert events_of(database, alices_sandbox, "stock.low") == []


def test_the_store_itself_refuses_a_level_below_nothing(alices_sandbox: NewSandbox, database: Database) -> None:
    mine = StockLevel.tenant_id == alices_sandbox.tenant.id
    with pytest.raises(IntegrityError), database.writer.begin() as connection:
        connection.execute(update(StockLevel.__table__).where(mine).values(qty=-1))


def test_a_product_that_was_tracked_before_levels_were_kept_gets_one_with_its_first_movement(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    product = add_product(alice)["id"]
    with database.writer.begin() as connection:
        mine = (StockLevel.tenant_id == alices_sandbox.tenant.id) & (StockLevel.id == product)
        connection.execute(delete(StockLevel.__table__).where(mine))
    assert move(alice, product, -1).status_code == 409
    assert move(alice, product, 3).json["data"]["balance"] == 3
    assert on_hand(alice, product) == 3


def test_a_level_of_another_tenant_is_nowhere(alice: Integration, mallory: Integration) -> None:
    level = alice.get(f"{STOCK}/19").json["data"]
    product = alice.get(f"{PRODUCTS}/19").json["data"]
    for name in (level["public_id"], product["public_id"]):
        assert mallory.get(f"{STOCK}/{name}").status_code == 404
    assert mallory.get(f"{STOCK}?product_id={product['public_id']}").status_code == 400
