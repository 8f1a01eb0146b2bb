"""Stock: what is on hand of each tracked product. Movements alone change it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, String, bindparam, select, update
from sqlalchemy.orm import Mapped, mapped_column

from portal.api.events import announce
from portal.api.lists import Flag, equals, refers_to
from portal.api.operation import Call, Operation
from portal.api.records import find_record, find_reference
from portal.api.resource import Resource
from portal.api.schema import ApiModel, Identity, Level, Stamps
from portal.core import types
from portal.core.counters import take_block
from portal.core.database import Base
from portal.core.errors import InsufficientStock
from portal.core.ownership import TenantRecord, table_of
from portal.core.prepared import Lookup
from portal.core.session import TenantSession
from portal.core.types import plain_number
from sandbox.resources.levels import StockLevel, open_level
from sandbox.resources.products import Product

MovementType = Literal["in", "out", "adjustment"]
Row = dict[str, Any]
_MOVING = ("qty", "is_low", "updated_at", "version")


class StockMovement(TenantRecord, Base):
    """One line of the stock ledger: `qty` came in, went out, or was the difference found; `balance` was left."""

    __tablename__ = "stock_movements"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "product_id"], ["products.tenant_id", "products.id"]),
        Index(None, "tenant_id", "product_id"),
        Index(None, "tenant_id", "created_at"),
    )
    public_prefix = "mov"

    product_id: Mapped[int] = mapped_column(BigInteger)
    type: Mapped[str] = mapped_column(String(10))
    qty: Mapped[Decimal] = mapped_column(types.Quantity)
    balance: Mapped[Decimal] = mapped_column(types.Quantity)
    reason: Mapped[str | None] = mapped_column(String(200))
    reference: Mapped[str | None] = mapped_column(String(40))


@dataclass(frozen=True)
class Move:
    """A movement to be made. `qty` is above 0; that of an adjustment is the signed difference."""

    product: Product
    type: MovementType
    qty: Decimal

    @property
    def difference(self) -> Decimal:
        return -self.qty if self.type == "out" else self.qty


def move_stock(
    session: TenantSession, moves: Sequence[Move], *, reason: str | None, reference: str | None
) -> list[StockMovement]:
    """Write movements of tracked products into the ledger and bring their levels up to date.

    The levels stay locked until the transaction ends. Announces `stock.low` for each product that becomes low.
    Raises InsufficientStock, with every product of which there is too little.
    """
    if not moves:
        return []
    levels = _lock_levels(session, {move.product.id for move in moves})
    _refuse_shortage(levels, moves)
    were_low = {id_ for id_, level in levels.items() if level["is_low"]}
    movements = []
    for id_, move in zip(take_block(session, "stock_movements", len(moves)), moves, strict=True):
        level = levels[move.product.id]
        level["qty"] = plain_number(level["qty"] + move.difference)
        line = {"product_id": move.product.id, "type": move.type, "qty": move.qty, "balance": level["qty"]}
        movements.append(StockMovement(id=id_, **line, reason=reason, reference=reference))
    session.add_all(movements)
    _store_levels(session, levels.values())
    session.flush()
    _tell_low(session, [level for id_, level in levels.items() if level["is_low"] and id_ not in were_low])
    return movements


def _lock_levels(session: TenantSession, ids: set[int]) -> dict[int, Row]:
    """The levels of these products, locked in the order of their ids so that no two calls wait for each other."""
    wanted = select(*stock.columns).where(StockLevel.id.in_(ids)).order_by(StockLevel.id).with_for_update()
    levels = {row["id"]: dict(row) for row in session.execute(wanted).mappings()}
    missing = sorted(ids - levels.keys())
    if not missing:
        return levels
    for id_ in missing:
        open_level(session, id_)
    session.flush()
    return _lock_levels(session, ids)


def _refuse_shortage(levels: dict[int, Row], moves: Iterable[Move]) -> None:
    changes: dict[int, Decimal] = defaultdict(Decimal)
    names = {}
    for move in moves:
        changes[move.product.id] += move.difference
        names[move.product.id] = move.product.name
    shortages = [
        {"product_id": id_, "name": names[id_], "asked": plain_number(-change), "available": levels[id_]["qty"]}
        for id_, change in sorted(changes.items())
        if levels[id_]["qty"] + change < 0
    ]
    if shortages:
        raise InsufficientStock(shortages)


def _store_levels(session: TenantSession, levels: Iterable[Row]) -> None:
    """Write what has changed of the levels, which are locked: one statement, whatever their number."""
    now, values = session.clock.now(), []
    for level in levels:
        level |= {"is_low": level["qty"] <= level["reorder_level"], "updated_at": now, "version": level["version"] + 1}
        values.append({"owner": session.owner_id, "level": level["id"], **{name: level[name] for name in _MOVING}})
    table = table_of(StockLevel)
    chosen = (table.c.tenant_id == bindparam("owner"), table.c.id == bindparam("level"))
    session.connection().execute(update(table).where(*chosen), values)


def _tell_low(session: TenantSession, levels: list[Row]) -> None:
    for row in stock.complete(session, levels):
        announce(session, "stock.low", row)


class OnHand(ApiModel):
    """What there is of one product."""

    product_id: int
    sku: str | None
    name: str
    qty: Level = Field(description="On hand: the sum of the product's movements")
    reorder_level: Level
    is_low: bool = Field(description="True at or below the reorder level")


class StockView(Stamps, OnHand, Identity):
    """What is on hand of one product."""


def find_level(session: TenantSession, reference: str) -> StockLevel:
    """The level with this id or public id, its own or its product's. Raises NotFound."""
    if reference.startswith(f"{Product.public_prefix}_"):
        reference = str(find_record(session, Product, reference).id)
    return find_record(session, StockLevel, reference)


_PRODUCTS = table_of(Product).c
_NAMES = Lookup(select(_PRODUCTS.id, _PRODUCTS.sku, _PRODUCTS.name), _PRODUCTS.id)


def _name_products(session: TenantSession, rows: list[Row]) -> None:
    """Put each product's name on its level, with one query for the page. What is gone by now is left out."""
    with session.fetching() as fetch:
        found = {row[0]: row for row in _NAMES.rows(fetch, [row["id"] for row in rows])}
    rows[:] = [
        row | dict(zip(("product_id", "sku", "name"), found[row["id"]], strict=True))
        for row in rows
        if row["id"] in found
    ]


def _find_product(session: TenantSession, reference: Any) -> Product:
    return find_reference(session, Product, reference, "product_id")


def _show_level(call: Call) -> Row:
    return stock.present(call.session, call.record)


read_level = Operation(
    id="stock.read",
    method="GET",
    path="/api/v2/inventory/stock/{id}",
    summary="Read a stock level",
    outcome="The stock level",
    description="What is on hand of one product, named by the product's id or public id.",
    permission="inventory:read",
    find=lambda call: find_level(call.session, call.path["id"]),
    handle=_show_level,
    returns=StockView,
    shows_record=True,
    sample_path={"id": 19},
)

stock = Resource(
    name="stock",
    singular="stock level",
    module="inventory",
    path="/api/v2/inventory/stock",
    description="What is on hand of each product that tracks stock. A level has its product's id. "
    "It changes by movements only, and never goes below 0.",
    model=StockLevel,
    shows=StockView,
    verbs=("list",),
    filters={
        "product_id": refers_to(StockLevel.id, _find_product, "The product's id or public id"),
        "low": equals(StockLevel.is_low, Flag, "True for what is to be ordered again"),
    },
    sorts=("id", "qty", "created_at", "updated_at"),
    computed=("product_id", "sku", "name"),
    enrich=_name_products,
    announces={"stock.low": "A product's stock fell to its reorder level or below"},
    actions=(read_level,),
)
