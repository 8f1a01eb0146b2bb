"""Keys by which email addresses and plates are compared in every script, and telephone numbers in E.164 form.

The key of a row that differs from an earlier one by case alone ends in its own id, so that both are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from portal.core.phones import e164_of
from portal.core.text import fold

revision = "0010"
down_revision = "0008"
branch_labels = None
depends_on = None
KEYS = {
    "customers": "email",
    "developers": "email",
    "leads": "email",
    "lead_touches": "email",
    "users": "email",
    "employees": "email",
    "vendors": "email",
    "conversations": "email",
    "vehicles": "plate",
}
UNIQUE = {
    "customers": "uq_customers_email",
    "users": "uq_users_email",
    "vehicles": "uq_vehicles_plate",
    "developers": "uq_developers_email_key",
}
TOUCHES = "ix_lead_touches_tenant_id_email_created_at"
COUNTRIES: dict[str, str | None] = {"customers": None, "leads": None, "employees": None, "vendors": "IN"}
AT_ONCE = 1000


def upgrade() -> None:
    for table, source in KEYS.items():
        op.add_column(table, sa.Column(f"{source}_key", sa.String(800)))
        fill_keys(table, source)
    for table in COUNTRIES:
        op.add_column(table, sa.Column("phone_e164", sa.String(16)))
        fill_phones(table)
    for table in ("customers", "users", "vehicles"):
        op.drop_index(UNIQUE[table], table)
        op.create_index(UNIQUE[table], table, ["tenant_id", f"{KEYS[table]}_key"], unique=True)
    op.create_index(UNIQUE["developers"], "developers", ["email_key"], unique=True)
    op.drop_index("ix_leads_email", "leads")
    op.create_index("ix_leads_email", "leads", ["tenant_id", "email_key"])
    op.drop_index(TOUCHES, "lead_touches")
    op.create_index(TOUCHES, "lead_touches", ["tenant_id", "email_key", "created_at"])


def downgrade() -> None:
    op.drop_index(TOUCHES, "lead_touches")
    op.create_index(TOUCHES, "lead_touches", ["tenant_id", "email", "created_at"])
    op.drop_index("ix_leads_email", "leads")
    op.create_index("ix_leads_email", "leads", ["tenant_id", sa.literal_column("lower(email)")])
    op.drop_index(UNIQUE["developers"], "developers")
    for table in ("customers", "users", "vehicles"):
        op.drop_index(UNIQUE[table], table)
        op.create_index(UNIQUE[table], table, ["tenant_id", sa.literal_column(f"lower({KEYS[table]})")], unique=True)
    for table in COUNTRIES:
        op.drop_column(table, "phone_e164")
    for table, source in KEYS.items():
        op.drop_column(table, f"{source}_key")


def fill_keys(table: str, source: str) -> None:
    """Fill the keys of a table; of rows that share one, the first keeps it plain."""
    taken: set[tuple[Any, str]] = set()
    is_unique = table in UNIQUE

    def key_of(row: Any) -> str:
        key = fold(row.text)
        whose = (getattr(row, "tenant_id", None), key)
        if is_unique and whose in taken:
            return f"{key}\x1f{row.id}"
        taken.add(whose)
        return key

    fill(table, f"{source}_key", source, key_of)


def fill_phones(table: str) -> None:
    extra = ("country",) if table == "customers" else ()
    country = COUNTRIES[table]
    fill(table, "phone_e164", "phone", lambda row: e164_of(row.text, getattr(row, "country", country)), extra)


def fill(table: str, name: str, source: str, derive: Callable[[Any], Any], extra: tuple[str, ...] = ()) -> None:
    """Fill a column of a table from another one, some rows at a time."""
    connection = op.get_bind()
    owner = () if table == "developers" else ("tenant_id",)
    columns: list[sa.ColumnClause[Any]] = [sa.column(each) for each in (*owner, "id", *extra)]
    rows = sa.table(table, *columns, sa.column(source), sa.column(name))
    wanted = sa.select(*columns, rows.c[source].label("text")).where(rows.c[source].is_not(None))
    own = [rows.c[each] == sa.bindparam(f"own_{each}") for each in (*owner, "id")]
    update = sa.update(rows).where(*own).values({name: sa.bindparam("derived")})
    for chunk in in_chunks(connection.execute(wanted.order_by(*columns[: len(owner) + 1])).fetchall()):
        values = [
            {"derived": derive(row), **{f"own_{each}": getattr(row, each) for each in (*owner, "id")}} for row in chunk
        ]
        connection.execute(update, values)


def in_chunks(rows: Any) -> Iterator[Any]:
    for start in range(0, len(rows), AT_ONCE):
        yield rows[start : start + AT_ONCE]
