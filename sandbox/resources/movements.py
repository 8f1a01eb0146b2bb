"""Stock movements: the ledger from which every stock level follows."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from portal.api.lists import equals, from_day_of, refers_to, to_day_of
from portal.api.records import find_reference, find_references
from portal.api.resource import Resource
from portal.api.schema import ApiModel, Code, Date, Difference, Identity, Level, Line, Reference, Stamps, rule
from portal.core.errors import ValidationFailed
from portal.core.session import TenantSession
from sandbox.resources.products import Product
from sandbox.resources.stock import Move, MovementType, StockMovement, move_stock


class MovementBody(ApiModel):
    """A movement as a caller sends it."""

    read_only = ApiModel.read_only | {"balance"}

    product_id: Reference
    type: MovementType = "adjustment"
    qty: Difference = Field(
        description="Above 0 for in and out; for an adjustment the difference found, signed",
        json_schema_extra=rule("not 0; above 0 for in and out"),
    )
    reason: Line | None = None
    reference: Code | None = Field(None, description="The paper it belongs to, such as an order number")


class Booked(MovementBody):
    """A movement and what it left."""

    product_id: int
    balance: Level = Field(description="On hand after it")


class MovementView(Stamps, Booked, Identity):
    """A movement as the API shows it."""


def record_movement(session: TenantSession, data: MovementBody) -> StockMovement:
    """Move one product's stock. Raises ValidationFailed, and InsufficientStock where it would go below 0."""
    errors = _wrong_quantity(data)
    product: Product | None = None
    try:
        product = find_references(session, {"product_id": (Product, data.product_id)})["product_id"]
    except ValidationFailed as error:
        errors |= error.errors
    if product is not None and not product.tracks_stock:
        errors["product_id"] = f"{product.name} is not kept in stock: it does not track stock"
    if errors or product is None:
        raise ValidationFailed(errors)
    move = Move(product, data.type, data.qty)
    (movement,) = move_stock(session, [move], reason=data.reason, reference=data.reference)
    return movement


def _wrong_quantity(data: MovementBody) -> dict[str, str]:
    if data.type == "adjustment":
        return {} if data.qty else {"qty": "Qty must not be 0: it is the difference to be made"}
    return {} if data.qty > 0 else {"qty": "Qty must be greater than 0"}


def _find_product(session: TenantSession, reference: Any) -> Product:
    return find_reference(session, Product, reference, "product_id")


movements = Resource(
    name="movements",
    singular="movement",
    module="inventory",
    path="/api/v2/inventory/movements",
    description="The stock ledger. `in` adds, `out` takes away, an `adjustment` books the signed difference that a "
    "count has found. Nothing in it is changed or deleted: a mistake is put right by an adjustment. Sales and goods "
    "receipts write their own movements, with their number as `reference`.",
    model=StockMovement,
    shows=MovementView,
    accepts=MovementBody,
    verbs=("list", "create", "read"),
    filters={
        "product_id": refers_to(StockMovement.product_id, _find_product, "The product's id or public id"),
        "type": equals(StockMovement.type, MovementType),
        "date_from": from_day_of(StockMovement.created_at, Date),
        "date_to": to_day_of(StockMovement.created_at, Date),
    },
    sorts=("id", "created_at", "updated_at"),
    create=record_movement,
    codes={"create": ("insufficient_stock",)},
    sample={"product_id": 19, "type": "adjustment", "qty": -2, "reason": "Two packs torn", "reference": "COUNT-07"},
)
