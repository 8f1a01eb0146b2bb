"""outgoing"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_audit_tenant_id_request_id"), "audit", ["tenant_id", "request_id"], unique=False)
    op.create_table(
        "connections",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("endpoint_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("method", sa.String(length=5), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("secrets", sa.Text(), nullable=True),
        sa.Column("timeout", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("success_statuses", sa.JSON(), nullable=False),
        sa.Column("reference_path", sa.String(length=200), nullable=True),
        sa.Column("status_path", sa.String(length=200), nullable=True),
        sa.Column("status_equals", sa.String(length=200), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "endpoint_id"],
            ["endpoints.tenant_id", "endpoints.id"],
            name=op.f("fk_connections_tenant_id_endpoint_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_connections_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_connections")),
        sa.UniqueConstraint("public_id", name=op.f("uq_connections_public_id")),
    )
    op.create_index(
        op.f("ix_connections_tenant_id_endpoint_id"), "connections", ["tenant_id", "endpoint_id"], unique=False
    )
    op.create_index(
        op.f("ix_connections_tenant_id_updated_at_id"), "connections", ["tenant_id", "updated_at", "id"], unique=False
    )
    op.create_table(
        "outgoing_mappings",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("slug", sa.String(length=60), nullable=False),
        sa.Column("connection_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=30), nullable=False),
        sa.Column("rows", sa.JSON(), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("manual", sa.Boolean(), nullable=False),
        sa.Column("schedule", sa.String(length=120), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "connection_id"],
            ["connections.tenant_id", "connections.id"],
            name=op.f("fk_outgoing_mappings_tenant_id_connection_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_outgoing_mappings_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_outgoing_mappings")),
        sa.UniqueConstraint("public_id", name=op.f("uq_outgoing_mappings_public_id")),
    )
    op.create_index(
        op.f("ix_outgoing_mappings_tenant_id_connection_id"),
        "outgoing_mappings",
        ["tenant_id", "connection_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_outgoing_mappings_tenant_id_updated_at_id"),
        "outgoing_mappings",
        ["tenant_id", "updated_at", "id"],
        unique=False,
    )
    op.create_index("uq_outgoing_mappings_slug", "outgoing_mappings", ["tenant_id", "slug"], unique=True)
    op.create_table(
        "send_schedules",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("mapping_id", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "mapping_id"],
            ["outgoing_mappings.tenant_id", "outgoing_mappings.id"],
            name=op.f("fk_send_schedules_tenant_id_mapping_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_send_schedules_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_send_schedules")),
    )
    op.create_index(
        op.f("ix_send_schedules_tenant_id_next_at"), "send_schedules", ["tenant_id", "next_at"], unique=False
    )
    op.create_index("uq_send_schedules_mapping_id", "send_schedules", ["tenant_id", "mapping_id"], unique=True)


def downgrade() -> None:
    op.drop_index(op.f("ix_audit_tenant_id_request_id"), table_name="audit")
    op.drop_index("uq_send_schedules_mapping_id", table_name="send_schedules")
    op.drop_index(op.f("ix_send_schedules_tenant_id_next_at"), table_name="send_schedules")
    op.drop_table("send_schedules")
    op.drop_index("uq_outgoing_mappings_slug", table_name="outgoing_mappings")
    op.drop_index(op.f("ix_outgoing_mappings_tenant_id_updated_at_id"), table_name="outgoing_mappings")
    op.drop_index(op.f("ix_outgoing_mappings_tenant_id_connection_id"), table_name="outgoing_mappings")
    op.drop_table("outgoing_mappings")
    op.drop_index(op.f("ix_connections_tenant_id_updated_at_id"), table_name="connections")
    op.drop_index(op.f("ix_connections_tenant_id_endpoint_id"), table_name="connections")
    op.drop_table("connections")
