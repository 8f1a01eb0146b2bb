"""The lines of invoices: kept in the order in which they were sent, read with one query a page."""

from __future__ import annotations

from decimal import Decimal
from functools import cache

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, String, delete, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from portal.core import types
from portal.core.counters import take_block
from portal.core.database import Base
from portal.core.ownership import TenantOwned, table_of
from portal.core.prepared import Lookup
from portal.core.session import TenantSession
from sandbox.resources.items import ITEM_FIELDS, Row, show_item


class InvoiceItem(TenantOwned, Base):
    """One line of an invoice. `amount` is the price of one unit, before tax."""

    __tablename__ = "invoice_items"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "invoice_id"], ["invoices.tenant_id", "invoices.id"]),
        ForeignKeyConstraint(["tenant_id", "product_id"], ["products.tenant_id", "products.id"]),
        Index(None, "tenant_id", "invoice_id"),
        Index(None, "tenant_id", "product_id"),
    )
    is_audited = False

    invoice_id: Mapped[int] = mapped_column(BigInteger)
    product_id: Mapped[int | None] = mapped_column(BigInteger)
    description: Mapped[str] = mapped_column(String(200))
    amount: Mapped[Decimal] = mapped_column(types.Money)
    qty: Mapped[Decimal] = mapped_column(types.Quantity)
    tax_rate: Mapped[Decimal] = mapped_column(types.Rate)
    subtotal: Mapped[Decimal] = mapped_column(types.Money)
    tax: Mapped[Decimal] = mapped_column(types.Money)


def write_items(session: TenantSession, invoice_id: int, items: list[Row]) -> None:
    """Store the lines of an invoice that is stored already: two statements, whatever their number."""
    table = table_of(InvoiceItem)
    own = {"tenant_id": session.owner_id, "invoice_id": invoice_id}
    ids = take_block(session, table.name, len(items))
    rows = [{**own, "id": id_, **item} for id_, item in zip(ids, items, strict=True)]
    session.connection().execute(insert(table), rows)


def clear_items(session: TenantSession, invoice_id: int) -> None:
    """Delete the lines of an invoice."""
    session.execute(delete(InvoiceItem).where(InvoiceItem.invoice_id == invoice_id))


def add_items(session: TenantSession, rows: list[Row]) -> None:
    """Put each invoice's lines on its row, with one query for the page.

    An invoice that was changed since its row was read is read again together with its lines, so that the
    amount is always the sum of the lines shown. One that is gone by now is left out.
    """
    by_id = {row["id"]: row for row in rows}
    with session.fetching() as fetch:
        found = _lines_with(("version",)).rows(fetch, by_id)
        if any(version != by_id[id_]["version"] for id_, *_, version in found):
            names = tuple(rows[0])
            found = _lines_with(names).rows(fetch, by_id)
            for id_, *values in found:
                by_id[id_].update(zip(names, values[len(ITEM_FIELDS) :], strict=True))
    for row in rows:
        row["items"] = []
    for id_, *values in found:
        by_id[id_]["items"].append(show_item(dict(zip(ITEM_FIELDS, values, strict=False))))
    rows[:] = [row for row in rows if row["items"]]


@cache
def _lines_with(of_invoice: tuple[str, ...]) -> Lookup:
    """Reads the lines of invoices, each with these columns of its invoice."""
    lines, invoices = table_of(InvoiceItem).c, Base.metadata.tables["invoices"].c
    columns = (lines.invoice_id, *(lines[name] for name in ITEM_FIELDS), *(invoices[name] for name in of_invoice))
    return Lookup(select(*columns).where(lines.invoice_id == invoices.id).order_by(lines.id), invoices.id)
