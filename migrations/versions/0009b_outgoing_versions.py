"""Versions of outgoing mappings. What is there already is the first version of each, and live."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009b"
down_revision = "0010"
branch_labels = None
depends_on = None
STATUSES = ("draft", "live")


def upgrade() -> None:
    owner = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "outgoing_versions",
        sa.Column("tenant_id", owner, autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("mapping_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("source", sa.String(length=30), nullable=False),
        sa.Column("rows", sa.JSON(), nullable=False),
        sa.Column("author", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "mapping_id"],
            ["outgoing_mappings.tenant_id", "outgoing_mappings.id"],
            name=op.f("fk_outgoing_versions_tenant_id_mapping_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_outgoing_versions_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_outgoing_versions")),
    )
    op.create_index(
        "uq_outgoing_versions_number", "outgoing_versions", ["tenant_id", "mapping_id", "number"], unique=True
    )
    for status in STATUSES:
        holds = sa.text(f"status = '{status}'")
        op.create_index(
            f"uq_outgoing_versions_{status}",
            "outgoing_versions",
            ["tenant_id", "mapping_id"],
            unique=True,
            postgresql_where=holds,
            sqlite_where=holds,
        )
    op.execute(
        "INSERT INTO outgoing_versions (tenant_id, id, mapping_id, number, status, source, rows, author, created_at, "
        "published_at) SELECT tenant_id, id, id, 1, 'live', source, rows, '', created_at, updated_at "
        "FROM outgoing_mappings"
    )
    op.execute(
        "INSERT INTO counters (tenant_id, name, value) SELECT tenant_id, 'outgoing_versions', max(id) "
        "FROM outgoing_versions GROUP BY tenant_id"
    )


def downgrade() -> None:
    op.drop_table("outgoing_versions")
    op.execute("DELETE FROM counters WHERE name = 'outgoing_versions'")
