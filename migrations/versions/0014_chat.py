"""Chat: what waits, what was seen and mailed, further tokens, names of staff, notices to staff."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0007"
branch_labels = None
depends_on = None
OWNER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Nothing that was written before counts as unseen, so that no old reply is mailed."""
    for column in _conversation_columns():
        op.add_column("conversations", column)
    op.create_index(
        op.f("ix_conversations_tenant_id_status_waiting_since"),
        "conversations",
        ["tenant_id", "status", "waiting_since"],
        unique=False,
    )
    op.add_column("messages", sa.Column("author_name", sa.String(length=120), nullable=True))
    op.execute("UPDATE conversations SET seen_seq = last_seq, mailed_seq = last_seq")
    op.execute("UPDATE conversations SET seen_at = last_message_at")
    op.execute("UPDATE conversations SET waiting_since = last_message_at WHERE status = 'Open'")
    _create_tokens()
    _create_notices()


def downgrade() -> None:
    op.drop_table("staff_notices")
    op.drop_table("guest_tokens")
    op.drop_column("messages", "author_name")
    op.drop_index(op.f("ix_conversations_tenant_id_status_waiting_since"), table_name="conversations")
    for column in reversed(_conversation_columns()):
        op.drop_column("conversations", column.name)


def _conversation_columns() -> list[sa.Column[object]]:
    return [
        sa.Column("waiting_since", INSTANT, nullable=True),
        sa.Column("seen_seq", sa.Integer(), server_default="0", nullable=False),
        sa.Column("seen_at", INSTANT, nullable=True),
        sa.Column("mailed_seq", sa.Integer(), server_default="0", nullable=False),
        sa.Column("member_id", sa.String(length=32), nullable=True),
        sa.Column("forgotten_at", INSTANT, nullable=True),
    ]


def _create_tokens() -> None:
    op.create_table(
        "guest_tokens",
        sa.Column("tenant_id", OWNER, autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=True),
        sa.Column("link_hash", sa.String(length=64), nullable=True),
        sa.Column("link_expires_at", INSTANT, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "conversation_id"],
            ["conversations.tenant_id", "conversations.id"],
            name=op.f("fk_guest_tokens_tenant_id_conversation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_guest_tokens_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_guest_tokens")),
    )
    for column, is_unique in (("conversation_id", False), ("token_hash", True), ("link_hash", True)):
        name = op.f(f"ix_guest_tokens_tenant_id_{column}")
        op.create_index(name, "guest_tokens", ["tenant_id", column], unique=is_unique)


def _create_notices() -> None:
    op.create_table(
        "staff_notices",
        sa.Column("tenant_id", OWNER, autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.Column("reply_to", sa.String(length=254), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("mailed_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_staff_notices_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_staff_notices")),
    )
    for columns in (["tenant_id", "address", "mailed_at"], ["tenant_id", "subject"]):
        op.create_index(op.f(f"ix_staff_notices_{'_'.join(columns)}"), "staff_notices", columns, unique=False)
