"""Goods receipts: what a vendor delivered. Posting one raises stock."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, String, select
from sqlalchemy.orm import Mapped, mapped_column

from portal.api.events import announce
from portal.api.lists import refers_to
from portal.api.records import find_reference, find_references
from portal.api.resource import Resource
from portal.api.schema import ApiModel, Code, Identity, Instant, Price, Quantity, Reference, Stamps
from portal.core import types
from portal.core.counters import take_block, take_number
from portal.core.database import Base
from portal.core.derived import order_key
from portal.core.errors import Duplicate
from portal.core.ownership import TenantOwned, TenantRecord
from portal.core.session import TenantSession
from sandbox.resources.parts import Parts
from sandbox.resources.products import Product
from sandbox.resources.series import document_order
from sandbox.resources.stock import Move, move_stock
from sandbox.resources.vendors import Vendor


class GoodsReceipt(TenantRecord, Base):
    """A posted delivery. A vendor's `reference`, the number of the delivery note, is posted once."""

    __tablename__ = "goods_receipts"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "vendor_id"], ["vendors.tenant_id", "vendors.id"]),
        Index("uq_goods_receipts_receipt_number", "tenant_id", "receipt_number", unique=True),
        Index(None, "tenant_id", "receipt_number_order", "id"),
        Index("uq_goods_receipts_reference", "tenant_id", "vendor_id", "reference", unique=True),
    )
    public_prefix = "grn"

    receipt_number: Mapped[str] = mapped_column(String(20))
    receipt_number_order: Mapped[int | None] = order_key("receipt_number", document_order)
    vendor_id: Mapped[int] = mapped_column(BigInteger)
    reference: Mapped[str] = mapped_column(String(40))
    status: Mapped[str] = mapped_column(String(10))
    received_at: Mapped[dt.datetime] = mapped_column(types.UtcDateTime)


class GoodsReceiptItem(TenantOwned, Base):
    """One line of a delivery. `price` is what one unit costs, before tax, where it is known."""

    __tablename__ = "goods_receipt_items"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "receipt_id"], ["goods_receipts.tenant_id", "goods_receipts.id"]),
        ForeignKeyConstraint(["tenant_id", "product_id"], ["products.tenant_id", "products.id"]),
        Index(None, "tenant_id", "receipt_id"),
        Index(None, "tenant_id", "product_id"),
    )
    is_audited = False

    receipt_id: Mapped[int] = mapped_column(BigInteger)
    product_id: Mapped[int] = mapped_column(BigInteger)
    qty: Mapped[Decimal] = mapped_column(types.Quantity)
    price: Mapped[Decimal | None] = mapped_column(types.Money)


class ReceiptItemBody(ApiModel):
    """One line as a caller sends it."""

    product_id: Reference
    qty: Quantity
    price: Price | None = Field(None, description="What one unit costs, before tax")


class ReceiptItemView(ReceiptItemBody):
    """One line as the API shows it."""

    product_id: int


class ReceiptBody(ApiModel):
    """A delivery as a caller sends it."""

    read_only = ApiModel.read_only | {"receipt_number", "status", "received_at"}

    vendor_id: Reference
    reference: Code = Field(description="The number on the vendor's delivery note")
    items: Annotated[list[ReceiptItemBody], Field(min_length=1, max_length=100)]


class ReceiptFacts(ApiModel):
    """What was delivered, by whom and when."""

    receipt_number: str
    vendor_id: int
    reference: str
    status: Literal["Posted"]
    received_at: Instant
    items: list[ReceiptItemView]


class ReceiptView(Stamps, ReceiptFacts, Identity):
    """A goods receipt as the API shows it."""


def post_receipt(session: TenantSession, data: ReceiptBody) -> GoodsReceipt:
    """Post a delivery under the next number of its year, raise stock, announce it.

    Items that do not track stock are noted, no more. Raises ValidationFailed, and Duplicate for a delivery note
    of this vendor that was posted before.
    """
    products = {f"items.{place}.product_id": (Product, item.product_id) for place, item in enumerate(data.items)}
    found = find_references(session, {"vendor_id": (Vendor, data.vendor_id), **products})
    vendor_id = found["vendor_id"].id
    _refuse_posted(session, vendor_id, data.reference)
    now = session.clock.now()
    year = session.calendar.date_of(now).year
    number = f"GRN-{year}-{take_number(session, f'goods_receipts:{year}'):04d}"
    details = {"vendor_id": vendor_id, "reference": data.reference, "status": "Posted", "received_at": now}
    receipt = GoodsReceipt(receipt_number=number, **details)
    session.add(receipt)
    session.flush()
    ids = take_block(session, "goods_receipt_items", len(data.items))
    moves = []
    for id_, field, item in zip(ids, products, data.items, strict=True):
        line = {"product_id": found[field].id, "qty": item.qty, "price": item.price}
        session.add(GoodsReceiptItem(id=id_, receipt_id=receipt.id, **line))
        if found[field].tracks_stock:
            moves.append(Move(found[field], "in", item.qty))
    session.flush()
    move_stock(session, moves, reason="Goods receipt", reference=number)
    announce(session, "goods_receipt.posted", receipts.present(session, receipt))
    return receipt


def _refuse_posted(session: TenantSession, vendor_id: int, reference: str) -> None:
    same = (GoodsReceipt.vendor_id == vendor_id, GoodsReceipt.reference == reference)
    known = session.scalar(select(GoodsReceipt.id).where(*same))
    if known is not None:
        raise Duplicate({"reference": "This vendor's delivery note was posted before"}, existing_id=known)


_ITEMS = Parts(GoodsReceiptItem.receipt_id, ReceiptItemView)


def _add_items(session: TenantSession, rows: list[dict[str, Any]]) -> None:
    """Put each receipt's lines on its row, with one query for the page. What a reset took meanwhile is left out."""
    items = _ITEMS.of(session, [row["id"] for row in rows])
    rows[:] = [row | {"items": items[row["id"]]} for row in rows if items[row["id"]]]


def _find_vendor(session: TenantSession, reference: Any) -> Vendor:
    return find_reference(session, Vendor, reference, "vendor_id")


receipts = Resource(
    name="receipts",
    singular="goods receipt",
    module="procurement",
    path="/api/v2/procurement/receipts",
    description="What vendors delivered. A receipt is posted as it is created: it raises the stock of its items at "
    "once and is not changed afterwards; a mistake is put right by an adjustment of the stock. A delivery note of a "
    "vendor, the `reference`, is posted once.",
    model=GoodsReceipt,
    shows=ReceiptView,
    accepts=ReceiptBody,
    verbs=("list", "create", "read"),
    filters={"vendor_id": refers_to(GoodsReceipt.vendor_id, _find_vendor, "The vendor's id or public id")},
    sorts=("id", "received_at", "receipt_number", "created_at", "updated_at"),
    searches=(GoodsReceipt.receipt_number, GoodsReceipt.reference),
    computed=("items",),
    create=post_receipt,
    enrich=_add_items,
    codes={"create": ("duplicate",)},
    announces={"goods_receipt.posted": "A goods receipt was posted and raised stock"},
    sample={
        "vendor_id": 1,
        "reference": "DN-90417",
        "items": [{"product_id": 19, "qty": 40, "price": Decimal("3.60")}, {"product_id": 18, "qty": 6}],
    },
)
