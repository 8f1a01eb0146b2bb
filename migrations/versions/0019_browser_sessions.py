"""Keep sessions of browsers in the store. Sessions of earlier releases end: their cookies name no row."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from portal.core.types import EncryptedJson, UtcDateTime

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "browser_sessions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(32), nullable=False),
        sa.Column("id_hash", sa.String(64), nullable=False),
        sa.Column("developer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("data", EncryptedJson(), nullable=False),
        sa.Column("user_agent", sa.String(300), nullable=False),
        sa.Column("address", sa.String(45), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("seen_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["developer_id"], ["developers.id"], name=op.f("fk_browser_sessions_developer_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_browser_sessions")),
        sa.UniqueConstraint("public_id", name=op.f("uq_browser_sessions_public_id")),
        sa.UniqueConstraint("id_hash", name=op.f("uq_browser_sessions_id_hash")),
    )
    op.create_index(op.f("ix_browser_sessions_developer_id"), "browser_sessions", ["developer_id"])
    op.create_index(op.f("ix_browser_sessions_seen_at"), "browser_sessions", ["seen_at"])
    op.drop_column("developers", "session_version")


def downgrade() -> None:
    op.add_column("developers", sa.Column("session_version", sa.Integer(), nullable=False, server_default="1"))
    op.drop_index(op.f("ix_browser_sessions_seen_at"), "browser_sessions")
    op.drop_index(op.f("ix_browser_sessions_developer_id"), "browser_sessions")
    op.drop_table("browser_sessions")
