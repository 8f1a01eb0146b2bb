"""Keep rates with four decimals, and the subtotal and tax of documents and their lines. No issued amount changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None
RATED = ("products", "invoice_items", "quote_items")
DOCUMENTS = {"invoices": ("invoice_items", "invoice_id"), "quotes": ("quote_items", "quote_id")}
SALES = ("sale_items", "sale_id")
PERCENT = 1_000_000
"""A rate of 100 percent as it is kept from now on."""


def upgrade() -> None:
    for name in RATED:
        rated = _table(name, "tax_rate")
        op.execute(rated.update().values(tax_rate=rated.c.tax_rate * 100))
    for name in (*DOCUMENTS, "sales", *(items for items, _ in DOCUMENTS.values()), SALES[0]):
        for column in ("subtotal", "tax"):
            op.add_column(name, sa.Column(column, sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column(SALES[0], sa.Column("tax_rate", sa.BigInteger(), nullable=False, server_default="0"))
    for document, (items, key) in DOCUMENTS.items():
        _fill(document, items, key, _lines_before_tax(items, key), _split_before_tax)
    _fill("sales", *SALES, _lines_with_tax(), _split_with_tax)


def downgrade() -> None:
    lines = _table(SALES[0], "price", "tax_rate")
    with_tax = (lines.c.price * (PERCENT + lines.c.tax_rate) + PERCENT // 2).op("/")(PERCENT)
    op.execute(lines.update().values(price=with_tax))
    op.drop_column(SALES[0], "tax_rate")
    for name in (*DOCUMENTS, "sales", *(items for items, _ in DOCUMENTS.values()), SALES[0]):
        for column in ("subtotal", "tax"):
            op.drop_column(name, column)
    for name in RATED:
        rated = _table(name, "tax_rate")
        op.execute(rated.update().values(tax_rate=rated.c.tax_rate.op("/")(100)))


def _table(name: str, *columns: str) -> Any:
    return sa.table(name, *(sa.column(column, sa.BigInteger()) for column in ("tenant_id", "id", *columns)))


def _lines_before_tax(items: str, key: str) -> Any:
    lines = _table(items, key, "amount", "qty", "tax_rate")
    return sa.select(lines.c.tenant_id, lines.c.id, lines.c[key], lines.c.amount, lines.c.qty, lines.c.tax_rate)


def _lines_with_tax() -> Any:
    lines, products = _table("sale_items", "sale_id", "product_id", "price", "amount"), _table("products", "tax_rate")
    is_sold = sa.and_(products.c.tenant_id == lines.c.tenant_id, products.c.id == lines.c.product_id)
    columns = (lines.c.tenant_id, lines.c.id, lines.c.sale_id, lines.c.amount, lines.c.price, products.c.tax_rate)
    return sa.select(*columns).select_from(lines.join(products, is_sold))


def _split_before_tax(amount: int, qty: int, rate: int) -> dict[str, int]:
    """The line came to its unit price by its quantity with tax, rounded at once: the tax is what the subtotal lacks."""
    exact = Decimal(amount) * qty / 1000
    subtotal, total = _round(exact), _round(exact * (PERCENT + rate) / PERCENT)
    return {"subtotal": subtotal, "tax": total - subtotal}


def _split_with_tax(amount: int, price: int, rate: int) -> dict[str, int]:
    """Prices at the counter included tax, by the rate that the product has now."""
    tax = _round(Decimal(amount) * rate / (PERCENT + rate))
    before_tax = _round(Decimal(price) * PERCENT / (PERCENT + rate))
    return {"subtotal": amount - tax, "tax": tax, "price": before_tax, "tax_rate": rate}


def _round(value: Decimal) -> int:
    return int(value.to_integral_value(ROUND_HALF_UP))


def _fill(document: str, items: str, key: str, lines: Any, split: Callable[[int, int, int], dict[str, int]]) -> None:
    """Split each line, and each document's amount by what its lines come to."""
    changes: list[dict[str, Any]] = []
    sums: defaultdict[tuple[int, int], int] = defaultdict(int)
    for tenant, line, owner, *values in op.get_bind().execute(lines).all():
        changes.append({"tenant": tenant, "row": line, **_named(split(*values))})
        sums[tenant, owner] += changes[-1]["new_tax"]
    _update(_table(items, "subtotal", "tax", "price", "tax_rate"), changes)
    papers = _table(document, "subtotal", "tax", "amount")
    op.execute(papers.update().values(subtotal=papers.c.amount))
    taxed = [{"tenant": tenant, "row": owner, "new_tax": tax} for (tenant, owner), tax in sums.items() if tax]
    _update(papers, taxed)
    op.execute(papers.update().values(subtotal=papers.c.amount - papers.c.tax))


def _named(values: dict[str, int]) -> dict[str, int]:
    return {f"new_{name}": value for name, value in values.items()}


def _update(table: Any, changes: list[dict[str, Any]]) -> None:
    if changes:
        names = [name for name in changes[0] if name.startswith("new_")]
        here = (table.c.tenant_id == sa.bindparam("tenant"), table.c.id == sa.bindparam("row"))
        values: dict[str, Any] = {name.removeprefix("new_"): sa.bindparam(name) for name in names}
        op.get_bind().execute(table.update().where(*here).values(values), changes)
