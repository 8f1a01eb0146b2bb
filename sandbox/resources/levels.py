"""Stock levels: how much of each tracked product is on hand."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.core import types
from portal.core.database import Base
from portal.core.errors import Conflict
from portal.core.ownership import TenantRecord
from portal.core.remedies import Remedy
from portal.core.session import TenantSession

USUAL_REORDER_LEVEL = Decimal(5)


class StockLevel(TenantRecord, Base):
    """What is on hand of one tracked product, whose `id` it shares. It is low at or below `reorder_level`."""

    __tablename__ = "stock_levels"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "id"], ["products.tenant_id", "products.id"], ondelete="CASCADE"),
        CheckConstraint("qty >= 0", name="ck_stock_levels_qty"),
        CheckConstraint("is_low = (qty <= reorder_level)", name="ck_stock_levels_is_low"),
    )
    public_prefix = "stk"
    is_audited = False

    qty: Mapped[Decimal] = mapped_column(types.Quantity)
    reorder_level: Mapped[Decimal] = mapped_column(types.Quantity)
    is_low: Mapped[bool]


def open_level(session: TenantSession, product_id: int) -> StockLevel:
    """Begin to count a product, with nothing on hand."""
    level = StockLevel(id=product_id, qty=Decimal(0), reorder_level=USUAL_REORDER_LEVEL, is_low=True)
    session.add(level)
    return level


def close_level(session: TenantSession, product_id: int) -> None:
    """Count a product no longer. Raises Conflict while some of it is on hand."""
    level = session.get(StockLevel, (session.owner_id, product_id), with_for_update=True)
    if level is None:
        return
    if level.qty:
        raise Conflict(
            f"{level.qty} of this product are in stock. Bring the stock to 0 by an adjustment, then stop counting it.",
            remedy=Remedy("state", level.qty, 0),
        )
    session.delete(level)
    session.flush()
