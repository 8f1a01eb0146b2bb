"""Order document numbers by year and count, not as text."""

from __future__ import annotations

import re

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0011b"
branch_labels = None
depends_on = None
NUMBERS = {
    "invoices": "invoice_number",
    "quotes": "quote_number",
    "goods_receipts": "receipt_number",
    "sales": "receipt_number",
    "vendors": "vendor_code",
}
COUNTS_A_YEAR = 10**12
NUMBER = re.compile(r"[A-Z]+-(?:([0-9]{4})-)?([0-9]{1,12})", re.ASCII)


def upgrade() -> None:
    for name, column in NUMBERS.items():
        op.add_column(name, sa.Column(f"{column}_order", sa.BigInteger()))
        _fill(name, column)
        op.create_index(f"ix_{name}_tenant_id_{column}_order_id", name, ["tenant_id", f"{column}_order", "id"])


def downgrade() -> None:
    for name, column in NUMBERS.items():
        op.drop_index(f"ix_{name}_tenant_id_{column}_order_id", name)
        op.drop_column(name, f"{column}_order")


def _fill(name: str, column: str) -> None:
    number: sa.ColumnClause[str] = sa.column(column)
    order = sa.column(f"{column}_order", sa.BigInteger())
    table = sa.table(name, sa.column("tenant_id"), sa.column("id"), number, order)
    connection = op.get_bind()
    rows = connection.execute(sa.select(table.c.tenant_id, table.c.id, number)).all()
    statement = (
        table.update()
        .where(table.c.tenant_id == sa.bindparam("tenant"), table.c.id == sa.bindparam("row"))
        .values({order.name: sa.bindparam("place")})
    )
    places = [{"tenant": row[0], "row": row[1], "place": _order(row[2])} for row in rows]
    if places:
        connection.execute(statement, places)


def _order(number: str) -> int:
    """`VEND-1023` by its count, `INV-2026-1000` by its year and count."""
    parts = NUMBER.fullmatch(number)
    return int(parts[1] or 0) * COUNTS_A_YEAR + int(parts[2]) if parts else 0
