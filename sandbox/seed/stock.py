"""The store: who fills it, the ledger of what came and went, and what is on hand."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from decimal import Decimal

from portal.core.ownership import TenantOwned
from sandbox.resources.levels import USUAL_REORDER_LEVEL, StockLevel
from sandbox.resources.receipts import GoodsReceipt, GoodsReceiptItem
from sandbox.resources.stock import StockMovement
from sandbox.resources.vendors import CODES, Vendor
from sandbox.seed.deliveries import delivery_rows
from sandbox.seed.demand import Moved, stock_demand
from sandbox.seed.invoices import Invoices
from sandbox.seed.reference import stamped
from sandbox.seed.sales import Sales
from sandbox.seed.vendors import vendor_rows
from sandbox.seed.words import Row, Words

_SMALL_GOODS = Decimal(20)


@dataclass(frozen=True)
class Store:
    """Rows by model; `series` are the last numbers of the numbered papers."""

    rows: dict[type[TenantOwned], list[Row]]
    series: dict[str, int]


def fill_store(words: Words, products: list[Row], invoices: Invoices, sales: Sales) -> Store:
    """Vendors, what they delivered, and the stock that what was sold has left."""
    vendors, demand = vendor_rows(words), stock_demand(words, products, invoices, sales)
    deliveries = delivery_rows(words, products, vendors, demand)
    movements = movement_rows([*deliveries.moves, *demand])
    rows: dict[type[TenantOwned], list[Row]] = {
        Vendor: vendors,
        GoodsReceipt: deliveries.receipts,
        GoodsReceiptItem: deliveries.items,
        StockMovement: movements,
        StockLevel: level_rows(products, movements),
    }
    numbers = {f"goods_receipts:{year}": last for year, last in deliveries.numbers.items()}
    return Store(rows, {CODES: len(vendors), **numbers})


def movement_rows(moves: list[Moved]) -> list[Row]:
    """The movements in the order in which they happened, each with what it left."""
    balances: dict[int, Decimal] = defaultdict(Decimal)
    rows = []
    for id_, move in enumerate(sorted(moves, key=lambda move: move.at), 1):
        balances[move.product_id] += move.difference
        line = {"product_id": move.product_id, "type": move.type, "qty": move.qty}
        words = {"reason": move.reason, "reference": move.reference}
        rows.append(stamped({"id": id_, **line, "balance": balances[move.product_id], **words}, move.at))
    return rows


def level_rows(products: list[Row], movements: list[Row]) -> list[Row]:
    """What is on hand of each tracked product; small goods are ordered again sooner."""
    last = {row["product_id"]: row for row in movements}
    moved = Counter(row["product_id"] for row in movements)
    rows = []
    for product in products:
        if product["tracks_stock"]:
            id_ = product["id"]
            reorder_level = _SMALL_GOODS if product["price"] < 20 else USUAL_REORDER_LEVEL
            qty = last[id_]["balance"]
            fields = {"id": id_, "qty": qty, "reorder_level": reorder_level, "is_low": qty <= reorder_level}
            rows.append(stamped(fields, product["created_at"], last[id_]["created_at"], 1 + moved[id_]))
    return rows
