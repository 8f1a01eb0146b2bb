"""Lines of a paper: what an invoice or a quote is the sum of."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from portal.api.records import find_references
from portal.api.schema import Amount, ApiModel, Line, Money, Percentage, Quantity, Reference, rule
from portal.core.session import TenantSession
from sandbox.resources.products import Product

Row = dict[str, Any]
LARGEST = 12
"""How many digits an amount may have before the point."""
_DEFAULTS: Row = {"qty": Decimal(1), "product_id": None, "tax_rate": Decimal("0.00")}


SUM = rule("come to 0.01 at least and 999999999999.99 at most")


class ItemBody(ApiModel):
    """One line as a caller sends it; `amount` is the price of one unit, before tax."""

    description: Line
    amount: Amount
    qty: Quantity = _DEFAULTS["qty"]
    product_id: Reference | None = None
    tax_rate: Percentage = _DEFAULTS["tax_rate"]


class ItemView(ApiModel):
    """One line as the API shows it; `total` includes tax."""

    description: str
    amount: Money
    qty: Quantity
    product_id: int | None
    tax_rate: Percentage
    total: Money


def line_total(amount: Decimal, qty: Decimal, tax_rate: Decimal) -> Decimal:
    """One line in money, tax included, rounded half up to the cent."""
    return (amount * qty * (100 + tax_rate) / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)


def total_of(items: list[Row]) -> Decimal:
    """What the lines come to, tax included."""
    complete = (_DEFAULTS | item for item in items)
    return sum((line_total(item["amount"], item["qty"], item["tax_rate"]) for item in complete), Decimal("0.00"))


def check_items(session: TenantSession, items: list[Row]) -> list[Row]:
    """The lines as they are stored. Raises ValidationFailed naming every unknown product, and a sum out of bounds."""
    return complete_items(items, find_references(session, products_of(items), wrong_sum(items)))


def products_of(items: list[Row]) -> dict[str, tuple[type[Product], Any]]:
    """What the lines say of their products, by field, as `find_references` takes it."""
    return {f"items.{place}.product_id": (Product, item.get("product_id")) for place, item in enumerate(items)}


def complete_items(items: list[Row], found: Mapping[str, Any]) -> list[Row]:
    """The lines as they are stored: defaults where the caller said nothing, products by the id of those `found`."""
    products = (found.get(f"items.{place}.product_id") for place in range(len(items)))
    return [
        _DEFAULTS | item | {"product_id": product.id if product else None}
        for item, product in zip(items, products, strict=True)
    ]


def wrong_sum(items: list[Row]) -> dict[str, str]:
    """What is wrong with the sum of the lines, if anything."""
    total = total_of(items)
    if not total:
        return {"items": "The items must come to 0.01 at least"}
    return {"items": "The items come to more than an invoice can hold"} if total.adjusted() >= LARGEST else {}
