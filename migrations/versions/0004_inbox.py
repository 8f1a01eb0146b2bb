"""inbox"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "inbox_addresses",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_inbox_addresses_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_inbox_addresses")),
        sa.UniqueConstraint("public_id", name=op.f("uq_inbox_addresses_public_id")),
        sa.UniqueConstraint("token", name=op.f("uq_inbox_addresses_token")),
    )
    op.create_index(
        op.f("ix_inbox_addresses_tenant_id_updated_at_id"),
        "inbox_addresses",
        ["tenant_id", "updated_at", "id"],
        unique=False,
    )
    op.create_table(
        "inbox_answers",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("address_id", sa.BigInteger(), nullable=False),
        sa.Column("behaviour", sa.String(length=10), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("delay_ms", sa.Integer(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "address_id"],
            ["inbox_addresses.tenant_id", "inbox_addresses.id"],
            name=op.f("fk_inbox_answers_tenant_id_address_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_inbox_answers_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_inbox_answers")),
        sa.UniqueConstraint("public_id", name=op.f("uq_inbox_answers_public_id")),
    )
    op.create_index(
        op.f("ix_inbox_answers_tenant_id_address_id_id"),
        "inbox_answers",
        ["tenant_id", "address_id", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_inbox_answers_tenant_id_updated_at_id"),
        "inbox_answers",
        ["tenant_id", "updated_at", "id"],
        unique=False,
    )
    op.create_table(
        "inbox_messages",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("address_id", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.String(length=10), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("is_cut", sa.Boolean(), nullable=False),
        sa.Column("verdict", sa.String(length=10), nullable=False),
        sa.Column("webhook_id", sa.String(length=64), nullable=True),
        sa.Column("answer_status", sa.Integer(), nullable=True),
        sa.Column("delay_ms", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "address_id"],
            ["inbox_addresses.tenant_id", "inbox_addresses.id"],
            name=op.f("fk_inbox_messages_tenant_id_address_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_inbox_messages_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_inbox_messages")),
        sa.UniqueConstraint("public_id", name=op.f("uq_inbox_messages_public_id")),
    )
    op.create_index(
        op.f("ix_inbox_messages_tenant_id_address_id_id"),
        "inbox_messages",
        ["tenant_id", "address_id", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_inbox_messages_tenant_id_webhook_id"), "inbox_messages", ["tenant_id", "webhook_id"], unique=False
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_inbox_messages_tenant_id_webhook_id"), table_name="inbox_messages")
    op.drop_index(op.f("ix_inbox_messages_tenant_id_address_id_id"), table_name="inbox_messages")
    op.drop_table("inbox_messages")
    op.drop_index(op.f("ix_inbox_answers_tenant_id_updated_at_id"), table_name="inbox_answers")
    op.drop_index(op.f("ix_inbox_answers_tenant_id_address_id_id"), table_name="inbox_answers")
    op.drop_table("inbox_answers")
    op.drop_index(op.f("ix_inbox_addresses_tenant_id_updated_at_id"), table_name="inbox_addresses")
    op.drop_table("inbox_addresses")
