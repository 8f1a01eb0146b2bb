"""deliveries and webhooks"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "deliveries",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("endpoint_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("type", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=True),
        sa.Column("trace", sa.String(length=64), nullable=False),
        sa.Column("mapping_id", sa.BigInteger(), nullable=True),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("answer_status", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("reference", sa.String(length=200), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_deliveries_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("public_id", name=op.f("uq_deliveries_public_id")),
    )
    op.create_index(
        op.f("ix_deliveries_tenant_id_endpoint_id_status"),
        "deliveries",
        ["tenant_id", "endpoint_id", "status"],
        unique=False,
    )
    op.create_index(
        op.f("ix_deliveries_tenant_id_kind_status"), "deliveries", ["tenant_id", "kind", "status"], unique=False
    )
    op.create_index(op.f("ix_deliveries_tenant_id_message_id"), "deliveries", ["tenant_id", "message_id"], unique=False)
    op.create_index(op.f("ix_deliveries_tenant_id_subject"), "deliveries", ["tenant_id", "subject"], unique=False)
    op.create_index(op.f("ix_deliveries_tenant_id_trace"), "deliveries", ["tenant_id", "trace"], unique=False)
    op.create_table(
        "endpoints",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("closed_as", sa.String(length=10), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_endpoints_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_endpoints")),
    )
    op.create_table(
        "delivery_attempts",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration", sa.Integer(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("request_headers", sa.JSON(), nullable=False),
        sa.Column("request_body", sa.Text(), nullable=False),
        sa.Column("answer_status", sa.Integer(), nullable=True),
        sa.Column("answer_headers", sa.JSON(), nullable=False),
        sa.Column("answer_body", sa.Text(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "delivery_id"],
            ["deliveries.tenant_id", "deliveries.id"],
            name=op.f("fk_delivery_attempts_tenant_id_delivery_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_delivery_attempts_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_delivery_attempts")),
    )
    op.create_index(
        op.f("ix_delivery_attempts_tenant_id_delivery_id"),
        "delivery_attempts",
        ["tenant_id", "delivery_id"],
        unique=False,
    )
    op.create_table(
        "delivery_lanes",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("endpoint_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at_once", sa.Integer(), nullable=False),
        sa.Column("is_ordered", sa.Boolean(), nullable=False),
        sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("slowdowns", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "endpoint_id"],
            ["endpoints.tenant_id", "endpoints.id"],
            name=op.f("fk_delivery_lanes_tenant_id_endpoint_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_delivery_lanes_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "endpoint_id", name=op.f("pk_delivery_lanes")),
    )
    op.create_table(
        "delivery_queue",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("delivery_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("endpoint_id", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("ahead", sa.Integer(), nullable=False),
        sa.Column("lease", sa.String(length=32), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "delivery_id"],
            ["deliveries.tenant_id", "deliveries.id"],
            name=op.f("fk_delivery_queue_tenant_id_delivery_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_delivery_queue_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "delivery_id", name=op.f("pk_delivery_queue")),
    )
    op.create_index(op.f("ix_delivery_queue_due_at"), "delivery_queue", ["due_at"], unique=False)
    op.create_index(op.f("ix_delivery_queue_leased_until"), "delivery_queue", ["leased_until"], unique=False)
    op.create_index(
        op.f("ix_delivery_queue_tenant_id_endpoint_id_delivery_id"),
        "delivery_queue",
        ["tenant_id", "endpoint_id", "delivery_id"],
        unique=False,
    )
    op.create_table(
        "webhooks",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("endpoint_id", sa.BigInteger(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("ordered", sa.Boolean(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("old_secret", sa.Text(), nullable=True),
        sa.Column("old_secret_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "endpoint_id"],
            ["endpoints.tenant_id", "endpoints.id"],
            name=op.f("fk_webhooks_tenant_id_endpoint_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_webhooks_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_webhooks")),
        sa.UniqueConstraint("public_id", name=op.f("uq_webhooks_public_id")),
    )
    op.create_index(op.f("ix_webhooks_tenant_id_endpoint_id"), "webhooks", ["tenant_id", "endpoint_id"], unique=False)
    op.create_index(
        op.f("ix_webhooks_tenant_id_updated_at_id"), "webhooks", ["tenant_id", "updated_at", "id"], unique=False
    )
    op.add_column("events", sa.Column("trace", sa.String(length=64), nullable=True))
    op.create_index(op.f("ix_events_tenant_id_trace"), "events", ["tenant_id", "trace"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_events_tenant_id_trace"), table_name="events")
    op.drop_column("events", "trace")
    op.drop_index(op.f("ix_webhooks_tenant_id_updated_at_id"), table_name="webhooks")
    op.drop_index(op.f("ix_webhooks_tenant_id_endpoint_id"), table_name="webhooks")
    op.drop_table("webhooks")
    op.drop_index(op.f("ix_delivery_queue_tenant_id_endpoint_id_delivery_id"), table_name="delivery_queue")
    op.drop_index(op.f("ix_delivery_queue_leased_until"), table_name="delivery_queue")
    op.drop_index(op.f("ix_delivery_queue_due_at"), table_name="delivery_queue")
    op.drop_table("delivery_queue")
    op.drop_table("delivery_lanes")
    op.drop_index(op.f("ix_delivery_attempts_tenant_id_delivery_id"), table_name="delivery_attempts")
    op.drop_table("delivery_attempts")
    op.drop_table("endpoints")
    op.drop_index(op.f("ix_deliveries_tenant_id_trace"), table_name="deliveries")
    op.drop_index(op.f("ix_deliveries_tenant_id_subject"), table_name="deliveries")
    op.drop_index(op.f("ix_deliveries_tenant_id_message_id"), table_name="deliveries")
    op.drop_index(op.f("ix_deliveries_tenant_id_kind_status"), table_name="deliveries")
    op.drop_index(op.f("ix_deliveries_tenant_id_endpoint_id_status"), table_name="deliveries")
    op.drop_table("deliveries")
