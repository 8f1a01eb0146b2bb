"""Goods receipts from outside: vendors and products are named by their codes, as warehouses know them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute

from portal.api.records import find_record
from portal.api.registrar import create_record
from portal.api.schema import ApiModel, Code, Price, Quantity, Reference
from portal.core.errors import NotFound, ValidationFailed
from portal.core.session import TenantSession
from sandbox.integration.incoming.targets.target import Data, Target
from sandbox.resources.products import Product
from sandbox.resources.receipts import GoodsReceipt, ReceiptBody, receipts
from sandbox.resources.vendors import Vendor


class DeliveredItem(ApiModel):
    """One line of a delivery."""

    sku: Code | None = Field(None, description="The product's SKU, in place of product_id")
    product_id: Reference | None = None
    qty: Quantity
    price: Price | None = Field(None, description="What one unit costs, before tax")


class Delivery(ApiModel):
    """A delivery as a warehouse tells it."""

    vendor_code: Code | None = Field(None, description="Such as VEND-1001, in place of vendor_id")
    vendor_id: Reference | None = None
    reference: Code = Field(description="The number on the vendor's delivery note")
    items: Annotated[list[DeliveredItem], Field(min_length=1, max_length=100)]


def _post(session: TenantSession, body: Delivery) -> Data:
    """Post the delivery. Raises ValidationFailed naming every code that nobody has, and as `post_receipt` does."""
    errors: dict[str, str] = {}
    vendor_id = _find_vendor(session, body)
    if vendor_id is None:
        errors["vendor_id" if body.vendor_code is None else "vendor_code"] = "No such vendor"
    items = []
    for place, item in enumerate(body.items):
        line = item.model_dump(exclude={"sku"})
        if item.sku is not None:
            line["product_id"] = _find_by_code(session, Product.sku, item.sku)
            if line["product_id"] is None:
                errors[f"items.{place}.sku"] = "No such product"
        elif item.product_id is None:
            errors[f"items.{place}.sku"] = "A product is required, by its SKU or its id"
        items.append(line)
    if errors:
        raise ValidationFailed(errors)
    posted = ReceiptBody.model_validate({"vendor_id": vendor_id, "reference": body.reference, "items": items})
    return create_record(receipts, session, posted)


def _find(session: TenantSession, body: Delivery, names: Sequence[str]) -> Any:
    """The receipt of the same vendor's delivery note."""
    vendor_id = _find_vendor(session, body)
    same = (GoodsReceipt.vendor_id == vendor_id, GoodsReceipt.reference == body.reference)
    return None if vendor_id is None else session.scalar(select(GoodsReceipt).where(*same))


def _find_vendor(session: TenantSession, body: Delivery) -> int | None:
    if body.vendor_code is not None:
        return _find_by_code(session, Vendor.vendor_code, body.vendor_code)
    try:
        return None if body.vendor_id is None else find_record(session, Vendor, body.vendor_id).id
    except NotFound:
        return None


def _find_by_code(session: TenantSession, column: InstrumentedAttribute[Any], code: str) -> int | None:
    return session.scalar(select(column.class_.id).where(column == code))


goods_receipt = Target(
    name="goods_receipt",
    title="Goods receipt",
    description="A delivery, which raises stock as it is posted. A vendor's delivery note is posted once.",
    body=Delivery,
    model=GoodsReceipt,
    record_ids=("receipt_number", "public_id", "reference"),
    known_by=("vendor_code", "vendor_id", "reference"),
    create=_post,
    find=_find,
    show=receipts.present,
    either=(("vendor_code", "vendor_id"), ("items.sku", "items.product_id")),
)
