"""Keep links that act once in a table of their own, and when an address was proven. Unused links of staff end."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from portal.core.types import UtcDateTime

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_links",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("purpose", sa.String(10), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("email_key", sa.String(800), nullable=True),
        sa.Column("name", sa.String(120), nullable=True),
        sa.Column("developer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["developer_id"], ["developers.id"], name=op.f("fk_account_links_developer_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_links")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_account_links_token_hash")),
    )
    op.create_index(op.f("ix_account_links_email_key_created_at"), "account_links", ["email_key", "created_at"])
    op.create_index(op.f("ix_account_links_developer_id"), "account_links", ["developer_id"])
    op.create_index(op.f("ix_account_links_expires_at"), "account_links", ["expires_at"])
    with op.batch_alter_table("developers") as batch:
        batch.add_column(sa.Column("email_verified_at", UtcDateTime(timezone=True), nullable=True))
        batch.drop_constraint(op.f("uq_developers_link_hash"), type_="unique")
        batch.drop_column("link_hash")
        batch.drop_column("link_expires_at")


def downgrade() -> None:
    with op.batch_alter_table("developers") as batch:
        batch.drop_column("email_verified_at")
        batch.add_column(sa.Column("link_hash", sa.String(64), nullable=True))
        batch.add_column(sa.Column("link_expires_at", UtcDateTime(timezone=True), nullable=True))
        batch.create_unique_constraint(op.f("uq_developers_link_hash"), ["link_hash"])
    op.drop_table("account_links")
