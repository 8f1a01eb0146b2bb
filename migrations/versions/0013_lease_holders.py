"""Say which process holds a job or a delivery, so that another frees it at once when that process is dead."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0009b"
branch_labels = None
depends_on = None
TABLES = ("delivery_queue", "jobs")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("holder", sa.String(length=400), nullable=True))
    op.create_index(op.f("ix_jobs_leased_until"), "jobs", ["leased_until"])


def downgrade() -> None:
    op.drop_index(op.f("ix_jobs_leased_until"), "jobs")
    for table in TABLES:
        op.drop_column(table, "holder")
