"""Keep the caller's own number of an invoice."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("invoices", sa.Column("reference", sa.String(40), nullable=True))
    op.create_index("uq_invoices_reference", "invoices", ["tenant_id", "reference"], unique=True)


def downgrade() -> None:
    op.drop_index("uq_invoices_reference", "invoices")
    op.drop_column("invoices", "reference")
