"""incoming"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "incoming_imports",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("mapping", sa.String(length=40), nullable=False),
        sa.Column("version_number", sa.Integer(), nullable=False),
        sa.Column("target", sa.String(length=20), nullable=False),
        sa.Column("definition", sa.JSON(), nullable=False),
        sa.Column("file_name", sa.String(length=120), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("separator", sa.String(length=1), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("succeeded", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("duplicate", sa.Integer(), nullable=False),
        sa.Column("author", sa.String(length=80), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_incoming_imports_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_incoming_imports")),
        sa.UniqueConstraint("public_id", name=op.f("uq_incoming_imports_public_id")),
    )
    op.create_index(
        op.f("ix_incoming_imports_tenant_id_updated_at_id"),
        "incoming_imports",
        ["tenant_id", "updated_at", "id"],
        unique=False,
    )
    op.create_table(
        "incoming_mappings",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("slug", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("target", sa.String(length=20), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_incoming_mappings_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_incoming_mappings")),
        sa.UniqueConstraint("public_id", name=op.f("uq_incoming_mappings_public_id")),
    )
    op.create_index(
        op.f("ix_incoming_mappings_tenant_id_updated_at_id"),
        "incoming_mappings",
        ["tenant_id", "updated_at", "id"],
        unique=False,
    )
    op.create_index(
        "uq_incoming_mappings_is_default",
        "incoming_mappings",
        ["tenant_id"],
        unique=True,
        postgresql_where=sa.text("is_default"),
        sqlite_where=sa.text("is_default"),
    )
    op.create_index("uq_incoming_mappings_slug", "incoming_mappings", ["tenant_id", "slug"], unique=True)
    op.create_table(
        "incoming_messages",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("mapping", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.String(length=24), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("is_whole", sa.Boolean(), nullable=False),
        sa.Column("record_count", sa.Integer(), nullable=False),
        sa.Column("outcomes", sa.JSON(), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("http_status", sa.Integer(), nullable=False),
        sa.Column("duration", sa.Integer(), nullable=False),
        sa.Column("summary", sa.String(length=2000), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_incoming_messages_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_incoming_messages")),
        sa.UniqueConstraint("public_id", name=op.f("uq_incoming_messages_public_id")),
    )
    op.create_index(
        op.f("ix_incoming_messages_tenant_id_mapping"), "incoming_messages", ["tenant_id", "mapping"], unique=False
    )
    op.create_index(
        op.f("ix_incoming_messages_tenant_id_received_at"),
        "incoming_messages",
        ["tenant_id", "received_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_incoming_messages_tenant_id_request_id"),
        "incoming_messages",
        ["tenant_id", "request_id"],
        unique=False,
    )
    op.create_table(
        "incoming_outcomes",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("import_id", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("message", sa.String(length=500), nullable=True),
        sa.Column("record_id", sa.String(length=254), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "import_id"],
            ["incoming_imports.tenant_id", "incoming_imports.id"],
            name=op.f("fk_incoming_outcomes_tenant_id_import_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_incoming_outcomes_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_incoming_outcomes")),
    )
    op.create_index("uq_incoming_outcomes_line", "incoming_outcomes", ["tenant_id", "import_id", "line"], unique=True)
    op.create_table(
        "incoming_versions",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("mapping_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("definition", sa.JSON(), nullable=False),
        sa.Column("author", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "mapping_id"],
            ["incoming_mappings.tenant_id", "incoming_mappings.id"],
            name=op.f("fk_incoming_versions_tenant_id_mapping_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_incoming_versions_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_incoming_versions")),
    )
    op.create_index(
        "uq_incoming_versions_draft",
        "incoming_versions",
        ["tenant_id", "mapping_id"],
        unique=True,
        postgresql_where=sa.text("status = 'draft'"),
        sqlite_where=sa.text("status = 'draft'"),
    )
    op.create_index(
        "uq_incoming_versions_live",
        "incoming_versions",
        ["tenant_id", "mapping_id"],
        unique=True,
        postgresql_where=sa.text("status = 'live'"),
        sqlite_where=sa.text("status = 'live'"),
    )
    op.create_index(
        "uq_incoming_versions_number", "incoming_versions", ["tenant_id", "mapping_id", "number"], unique=True
    )


def downgrade() -> None:
    op.drop_index("uq_incoming_versions_number", table_name="incoming_versions")
    op.drop_index(
        "uq_incoming_versions_live",
        table_name="incoming_versions",
        postgresql_where=sa.text("status = 'live'"),
        sqlite_where=sa.text("status = 'live'"),
    )
    op.drop_index(
        "uq_incoming_versions_draft",
        table_name="incoming_versions",
        postgresql_where=sa.text("status = 'draft'"),
        sqlite_where=sa.text("status = 'draft'"),
    )
    op.drop_table("incoming_versions")
    op.drop_index("uq_incoming_outcomes_line", table_name="incoming_outcomes")
    op.drop_table("incoming_outcomes")
    op.drop_index(op.f("ix_incoming_messages_tenant_id_request_id"), table_name="incoming_messages")
    op.drop_index(op.f("ix_incoming_messages_tenant_id_received_at"), table_name="incoming_messages")
    op.drop_index(op.f("ix_incoming_messages_tenant_id_mapping"), table_name="incoming_messages")
    op.drop_table("incoming_messages")
    op.drop_index("uq_incoming_mappings_slug", table_name="incoming_mappings")
    op.drop_index(
        "uq_incoming_mappings_is_default",
        table_name="incoming_mappings",
        postgresql_where=sa.text("is_default"),
        sqlite_where=sa.text("is_default"),
    )
    op.drop_index(op.f("ix_incoming_mappings_tenant_id_updated_at_id"), table_name="incoming_mappings")
    op.drop_table("incoming_mappings")
    op.drop_index(op.f("ix_incoming_imports_tenant_id_updated_at_id"), table_name="incoming_imports")
    op.drop_table("incoming_imports")
