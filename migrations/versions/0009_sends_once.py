"""Send each version of a record once: which version was posted, what a send carries and what it follows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0011"
branch_labels = None
depends_on = None
KEYS = ("mapping_id", "endpoint_id")


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("record_version", sa.Integer(), nullable=True))
    op.add_column("deliveries", sa.Column("previous_id", sa.String(length=64), nullable=True))
    op.create_table(
        "sent_versions",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in KEYS),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_sent_versions_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_sent_versions")),
    )
    op.create_index("uq_sent_versions_subject", "sent_versions", ["tenant_id", *KEYS, "subject"], unique=True)


def downgrade() -> None:
    op.drop_table("sent_versions")
    op.drop_column("deliveries", "previous_id")
    op.drop_column("deliveries", "record_version")
