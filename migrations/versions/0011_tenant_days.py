"""The first day of a changed daily reset; who holds an idempotency key; every earlier secret of a webhook."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tenants", sa.Column("daily_reset_from", sa.Date(), nullable=True))


def downgrade() -> None:
    op.drop_column("tenants", "daily_reset_from")
