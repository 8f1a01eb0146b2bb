"""The bodies in the log of calls are kept compressed; those of before stay as they are, behind their mark."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
BODIES = ("request_body", "response_body")


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for name in BODIES:
            using = f"convert_to('=' || {name}, 'UTF8')"
            op.alter_column("exchanges", name, type_=sa.LargeBinary(), postgresql_using=using)
        return
    with op.batch_alter_table("exchanges") as batch:
        for name in BODIES:
            batch.alter_column(name, type_=sa.LargeBinary())
    for name in BODIES:
        op.execute(f"UPDATE exchanges SET {name} = CAST('=' || {name} AS BLOB)")  # noqa: S608 — our own names


def downgrade() -> None:
    """Empty the log, since SQL cannot unpack what is in it."""
    op.execute("DELETE FROM exchanges")
    with op.batch_alter_table("exchanges") as batch:
        for name in BODIES:
            batch.alter_column(name, type_=sa.Text(), postgresql_using=f"convert_from({name}, 'UTF8')")
