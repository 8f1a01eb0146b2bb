"""How an uploaded file was written is kept with it: its encoding, its line ends, its line `sep=`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0015"
branch_labels = None
depends_on = None
TABLE = "incoming_imports"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("encoding", sa.String(10), nullable=False, server_default="utf-8"))
    op.add_column(TABLE, sa.Column("line_end", sa.String(2), nullable=False, server_default="\r\n"))
    op.add_column(TABLE, sa.Column("has_separator_line", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.execute(f"DELETE FROM {TABLE} WHERE status = 'preview'")  # noqa: S608 — our own name
    with op.batch_alter_table(TABLE) as batch:
        for name in ("has_separator_line", "line_end", "encoding"):
            batch.drop_column(name)
