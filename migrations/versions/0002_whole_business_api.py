"""whole business api"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "armed_scenarios",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("scenario", sa.String(length=20), nullable=False),
        sa.Column("retry_after", sa.Integer(), nullable=True),
        sa.Column("ms", sa.Integer(), nullable=True),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("operation", sa.String(length=60), nullable=True),
        sa.Column("key_id", sa.String(length=24), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_armed_scenarios_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_armed_scenarios")),
        sa.UniqueConstraint("public_id", name=op.f("uq_armed_scenarios_public_id")),
    )
    op.create_index(
        op.f("ix_armed_scenarios_tenant_id_updated_at_id"),
        "armed_scenarios",
        ["tenant_id", "updated_at", "id"],
        unique=False,
    )
    op.create_table(
        "deletions",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("record_id", sa.BigInteger(), nullable=False),
        sa.Column("record_public_id", sa.String(length=32), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_deletions_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_deletions")),
    )
    op.create_index(
        op.f("ix_deletions_tenant_id_kind_deleted_at"), "deletions", ["tenant_id", "kind", "deleted_at"], unique=False
    )
    op.create_index(
        op.f("ix_deletions_tenant_id_record_public_id"), "deletions", ["tenant_id", "record_public_id"], unique=False
    )
    op.create_table(
        "freed_numbers",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("series", sa.String(length=60), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_freed_numbers_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_freed_numbers")),
    )
    op.create_index("uq_freed_numbers_number", "freed_numbers", ["tenant_id", "series", "number"], unique=True)
    op.create_table(
        "idempotency_keys",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("credential", sa.String(length=80), nullable=False),
        sa.Column("operation", sa.String(length=60), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("claim", sa.String(length=32), nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", sa.JSON(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_idempotency_keys_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(
        op.f("ix_idempotency_keys_tenant_id_credential_operation_key"),
        "idempotency_keys",
        ["tenant_id", "credential", "operation", "key"],
        unique=True,
    )
    op.create_table(
        "masters",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_masters_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_masters")),
        sa.UniqueConstraint("public_id", name=op.f("uq_masters_public_id")),
    )
    op.create_index(
        op.f("ix_masters_tenant_id_updated_at_id"), "masters", ["tenant_id", "updated_at", "id"], unique=False
    )
    op.create_index("uq_masters_name", "masters", ["tenant_id", "name"], unique=True)
    op.create_table(
        "scenario_counts",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key_id", sa.String(length=24), nullable=False),
        sa.Column("operation", sa.String(length=60), nullable=False),
        sa.Column("header", sa.String(length=120), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_scenario_counts_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_scenario_counts")),
    )
    op.create_index(
        op.f("ix_scenario_counts_tenant_id_key_id_operation_header"),
        "scenario_counts",
        ["tenant_id", "key_id", "operation", "header"],
        unique=True,
    )
    op.create_table(
        "snapshots",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("clock_offset", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_snapshots_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_snapshots")),
        sa.UniqueConstraint("public_id", name=op.f("uq_snapshots_public_id")),
    )
    op.create_index(op.f("ix_snapshots_tenant_id_name"), "snapshots", ["tenant_id", "name"], unique=True)
    op.create_index(
        op.f("ix_snapshots_tenant_id_updated_at_id"), "snapshots", ["tenant_id", "updated_at", "id"], unique=False
    )
    op.create_table(
        "users",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_users_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_users")),
        sa.UniqueConstraint("public_id", name=op.f("uq_users_public_id")),
    )
    op.create_index(op.f("ix_users_tenant_id_role"), "users", ["tenant_id", "role"], unique=False)
    op.create_index(op.f("ix_users_tenant_id_updated_at_id"), "users", ["tenant_id", "updated_at", "id"], unique=False)
    op.create_index("uq_users_email", "users", ["tenant_id", sa.literal_column("lower(email)")], unique=True)
    op.create_table(
        "vehicles",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("plate", sa.String(length=40), nullable=False),
        sa.Column("model", sa.String(length=120), nullable=True),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("odometer", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_vehicles_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_vehicles")),
        sa.UniqueConstraint("public_id", name=op.f("uq_vehicles_public_id")),
    )
    op.create_index(op.f("ix_vehicles_tenant_id_status"), "vehicles", ["tenant_id", "status"], unique=False)
    op.create_index(
        op.f("ix_vehicles_tenant_id_updated_at_id"), "vehicles", ["tenant_id", "updated_at", "id"], unique=False
    )
    op.create_index("uq_vehicles_plate", "vehicles", ["tenant_id", sa.literal_column("lower(plate)")], unique=True)
    op.create_table(
        "vendors",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("vendor_code", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("gst_no", sa.String(length=15), nullable=False),
        sa.Column("contact_person", sa.String(length=120), nullable=True),
        sa.Column("phone", sa.String(length=32), nullable=True),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("city", sa.String(length=80), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_vendors_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_vendors")),
        sa.UniqueConstraint("public_id", name=op.f("uq_vendors_public_id")),
    )
    op.create_index(op.f("ix_vendors_tenant_id_city"), "vendors", ["tenant_id", "city"], unique=False)
    op.create_index(
        op.f("ix_vendors_tenant_id_updated_at_id"), "vendors", ["tenant_id", "updated_at", "id"], unique=False
    )
    op.create_index("uq_vendors_gst_no", "vendors", ["tenant_id", "gst_no"], unique=True)
    op.create_index("uq_vendors_vendor_code", "vendors", ["tenant_id", "vendor_code"], unique=True)
    op.create_table(
        "employees",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("employee_code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("phone", sa.String(length=32), nullable=True),
        sa.Column("department_id", sa.BigInteger(), nullable=True),
        sa.Column("designation", sa.String(length=80), nullable=True),
        sa.Column("joined_on", sa.Date(), nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "department_id"],
            ["departments.tenant_id", "departments.id"],
            name=op.f("fk_employees_tenant_id_department_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_employees_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_employees")),
        sa.UniqueConstraint("public_id", name=op.f("uq_employees_public_id")),
    )
    op.create_index(
        op.f("ix_employees_tenant_id_department_id"), "employees", ["tenant_id", "department_id"], unique=False
    )
    op.create_index(
        op.f("ix_employees_tenant_id_updated_at_id"), "employees", ["tenant_id", "updated_at", "id"], unique=False
    )
    op.create_index("uq_employees_employee_code", "employees", ["tenant_id", "employee_code"], unique=True)
    op.create_table(
        "goods_receipts",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("receipt_number", sa.String(length=20), nullable=False),
        sa.Column("vendor_id", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "vendor_id"],
            ["vendors.tenant_id", "vendors.id"],
            name=op.f("fk_goods_receipts_tenant_id_vendor_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_goods_receipts_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_goods_receipts")),
        sa.UniqueConstraint("public_id", name=op.f("uq_goods_receipts_public_id")),
    )
    op.create_index(
        op.f("ix_goods_receipts_tenant_id_updated_at_id"),
        "goods_receipts",
        ["tenant_id", "updated_at", "id"],
        unique=False,
    )
    op.create_index("uq_goods_receipts_receipt_number", "goods_receipts", ["tenant_id", "receipt_number"], unique=True)
    op.create_index(
        "uq_goods_receipts_reference", "goods_receipts", ["tenant_id", "vendor_id", "reference"], unique=True
    )
    op.create_table(
        "lead_conversions",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("lead_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["customers.tenant_id", "customers.id"],
            name=op.f("fk_lead_conversions_tenant_id_customer_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "lead_id"],
            ["leads.tenant_id", "leads.id"],
            name=op.f("fk_lead_conversions_tenant_id_lead_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_lead_conversions_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_lead_conversions")),
    )
    op.create_index(
        op.f("ix_lead_conversions_tenant_id_customer_id"),
        "lead_conversions",
        ["tenant_id", "customer_id"],
        unique=False,
    )
    op.create_index("uq_lead_conversions_lead_id", "lead_conversions", ["tenant_id", "lead_id"], unique=True)
    op.create_table(
        "master_entries",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("master_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("label", sa.String(length=80), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "master_id"],
            ["masters.tenant_id", "masters.id"],
            name=op.f("fk_master_entries_tenant_id_master_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_master_entries_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_master_entries")),
        sa.UniqueConstraint("public_id", name=op.f("uq_master_entries_public_id")),
    )
    op.create_index(
        op.f("ix_master_entries_tenant_id_updated_at_id"),
        "master_entries",
        ["tenant_id", "updated_at", "id"],
        unique=False,
    )
    op.create_index("uq_master_entries_code", "master_entries", ["tenant_id", "master_id", "code"], unique=True)
    op.create_table(
        "stock_levels",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("qty", sa.BigInteger(), nullable=False),
        sa.Column("reorder_level", sa.BigInteger(), nullable=False),
        sa.Column("is_low", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("is_low = (qty <= reorder_level)", name="ck_stock_levels_is_low"),
        sa.CheckConstraint("qty >= 0", name="ck_stock_levels_qty"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "id"],
            ["products.tenant_id", "products.id"],
            name=op.f("fk_stock_levels_tenant_id_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_stock_levels_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_stock_levels")),
        sa.UniqueConstraint("public_id", name=op.f("uq_stock_levels_public_id")),
    )
    op.create_index(
        op.f("ix_stock_levels_tenant_id_updated_at_id"), "stock_levels", ["tenant_id", "updated_at", "id"], unique=False
    )
    op.create_table(
        "stock_movements",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.String(length=10), nullable=False),
        sa.Column("qty", sa.BigInteger(), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("reference", sa.String(length=40), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "product_id"],
            ["products.tenant_id", "products.id"],
            name=op.f("fk_stock_movements_tenant_id_product_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_stock_movements_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_stock_movements")),
        sa.UniqueConstraint("public_id", name=op.f("uq_stock_movements_public_id")),
    )
    op.create_index(
        op.f("ix_stock_movements_tenant_id_created_at"), "stock_movements", ["tenant_id", "created_at"], unique=False
    )
    op.create_index(
        op.f("ix_stock_movements_tenant_id_product_id"), "stock_movements", ["tenant_id", "product_id"], unique=False
    )
    op.create_index(
        op.f("ix_stock_movements_tenant_id_updated_at_id"),
        "stock_movements",
        ["tenant_id", "updated_at", "id"],
        unique=False,
    )
    op.create_table(
        "tickets",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("message", sa.String(length=5000), nullable=False),
        sa.Column("department_id", sa.BigInteger(), nullable=False),
        sa.Column("priority", sa.String(length=10), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["customers.tenant_id", "customers.id"],
            name=op.f("fk_tickets_tenant_id_customer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "department_id"],
            ["departments.tenant_id", "departments.id"],
            name=op.f("fk_tickets_tenant_id_department_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_tickets_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_tickets")),
        sa.UniqueConstraint("public_id", name=op.f("uq_tickets_public_id")),
    )
    op.create_index(op.f("ix_tickets_tenant_id_customer_id"), "tickets", ["tenant_id", "customer_id"], unique=False)
    op.create_index(op.f("ix_tickets_tenant_id_department_id"), "tickets", ["tenant_id", "department_id"], unique=False)
    op.create_index(op.f("ix_tickets_tenant_id_status"), "tickets", ["tenant_id", "status"], unique=False)
    op.create_index(
        op.f("ix_tickets_tenant_id_updated_at_id"), "tickets", ["tenant_id", "updated_at", "id"], unique=False
    )
    op.create_table(
        "attendance",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("employee_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("direction", sa.String(length=3), nullable=True),
        sa.Column("device", sa.String(length=80), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "employee_id"],
            ["employees.tenant_id", "employees.id"],
            name=op.f("fk_attendance_tenant_id_employee_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_attendance_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_attendance")),
        sa.UniqueConstraint("public_id", name=op.f("uq_attendance_public_id")),
    )
    op.create_index(op.f("ix_attendance_tenant_id_at"), "attendance", ["tenant_id", "at"], unique=False)
    op.create_index(
        op.f("ix_attendance_tenant_id_updated_at_id"), "attendance", ["tenant_id", "updated_at", "id"], unique=False
    )
    op.create_index("uq_attendance_employee_id_at", "attendance", ["tenant_id", "employee_id", "at"], unique=True)
    op.create_table(
        "goods_receipt_items",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("receipt_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("qty", sa.BigInteger(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "product_id"],
            ["products.tenant_id", "products.id"],
            name=op.f("fk_goods_receipt_items_tenant_id_product_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "receipt_id"],
            ["goods_receipts.tenant_id", "goods_receipts.id"],
            name=op.f("fk_goods_receipt_items_tenant_id_receipt_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_goods_receipt_items_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_goods_receipt_items")),
    )
    op.create_index(
        op.f("ix_goods_receipt_items_tenant_id_product_id"),
        "goods_receipt_items",
        ["tenant_id", "product_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_goods_receipt_items_tenant_id_receipt_id"),
        "goods_receipt_items",
        ["tenant_id", "receipt_id"],
        unique=False,
    )
    op.create_table(
        "quotes",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("quote_number", sa.String(length=20), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("notes", sa.String(length=5000), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("invoice_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["customers.tenant_id", "customers.id"],
            name=op.f("fk_quotes_tenant_id_customer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "invoice_id"],
            ["invoices.tenant_id", "invoices.id"],
            name=op.f("fk_quotes_tenant_id_invoice_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_quotes_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_quotes")),
        sa.UniqueConstraint("public_id", name=op.f("uq_quotes_public_id")),
    )
    op.create_index(op.f("ix_quotes_tenant_id_customer_id"), "quotes", ["tenant_id", "customer_id"], unique=False)
    op.create_index(op.f("ix_quotes_tenant_id_status"), "quotes", ["tenant_id", "status"], unique=False)
    op.create_index(
        op.f("ix_quotes_tenant_id_updated_at_id"), "quotes", ["tenant_id", "updated_at", "id"], unique=False
    )
    op.create_index("uq_quotes_invoice_id", "quotes", ["tenant_id", "invoice_id"], unique=True)
    op.create_index("uq_quotes_quote_number", "quotes", ["tenant_id", "quote_number"], unique=True)
    op.create_table(
        "ticket_replies",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("author", sa.String(length=120), nullable=False),
        sa.Column("message", sa.String(length=5000), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_ticket_replies_tenant_id_ticket_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_ticket_replies_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_ticket_replies")),
        sa.UniqueConstraint("public_id", name=op.f("uq_ticket_replies_public_id")),
    )
    op.create_index(
        op.f("ix_ticket_replies_tenant_id_ticket_id_id"),
        "ticket_replies",
        ["tenant_id", "ticket_id", "id"],
        unique=False,
    )
    op.create_table(
        "quote_items",
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("quote_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=True),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("qty", sa.BigInteger(), nullable=False),
        sa.Column("tax_rate", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "product_id"],
            ["products.tenant_id", "products.id"],
            name=op.f("fk_quote_items_tenant_id_product_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "quote_id"],
            ["quotes.tenant_id", "quotes.id"],
            name=op.f("fk_quote_items_tenant_id_quote_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_quote_items_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_quote_items")),
    )
    op.create_index(
        op.f("ix_quote_items_tenant_id_product_id"), "quote_items", ["tenant_id", "product_id"], unique=False
    )
    op.create_index(op.f("ix_quote_items_tenant_id_quote_id"), "quote_items", ["tenant_id", "quote_id"], unique=False)
    op.create_index(
        op.f("ix_accounts_tenant_id_updated_at_id"), "accounts", ["tenant_id", "updated_at", "id"], unique=False
    )
    op.create_index(op.f("ix_audit_tenant_id_subject"), "audit", ["tenant_id", "subject"], unique=False)
    op.create_index(
        op.f("ix_categories_tenant_id_updated_at_id"), "categories", ["tenant_id", "updated_at", "id"], unique=False
    )
    op.drop_index(op.f("ix_conversations_token_hash"), table_name="conversations")
    op.create_index(
        op.f("ix_conversations_tenant_id_token_hash"), "conversations", ["tenant_id", "token_hash"], unique=True
    )
    op.create_index(
        op.f("ix_conversations_tenant_id_updated_at_id"),
        "conversations",
        ["tenant_id", "updated_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_customers_tenant_id_updated_at_id"), "customers", ["tenant_id", "updated_at", "id"], unique=False
    )
    op.create_index(
        op.f("ix_departments_tenant_id_updated_at_id"), "departments", ["tenant_id", "updated_at", "id"], unique=False
    )
    op.create_index(op.f("ix_events_tenant_id_subject"), "events", ["tenant_id", "subject"], unique=False)
    op.create_index(
        op.f("ix_invoices_tenant_id_updated_at_id"), "invoices", ["tenant_id", "updated_at", "id"], unique=False
    )
    op.create_index(op.f("ix_leads_tenant_id_updated_at_id"), "leads", ["tenant_id", "updated_at", "id"], unique=False)
    op.create_index(
        op.f("ix_products_tenant_id_updated_at_id"), "products", ["tenant_id", "updated_at", "id"], unique=False
    )
    op.add_column("sales", sa.Column("change", sa.BigInteger(), server_default="0", nullable=False))
    op.create_index(op.f("ix_sales_tenant_id_updated_at_id"), "sales", ["tenant_id", "updated_at", "id"], unique=False)
    op.add_column("tenants", sa.Column("is_armed", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("tenants", sa.Column("copy_of", sa.BigInteger(), nullable=True))
    op.add_column("tenants", sa.Column("revision", sa.BigInteger(), server_default="0", nullable=False))
    op.create_index(op.f("ix_tenants_copy_of"), "tenants", ["copy_of"], unique=False)
    with op.batch_alter_table("tenants") as batch:
        batch.create_foreign_key(op.f("fk_tenants_copy_of"), "tenants", ["copy_of"], ["id"], ondelete="CASCADE")
    op.add_column("transactions", sa.Column("sale_id", sa.BigInteger(), nullable=True))
    op.create_index(
        op.f("ix_transactions_tenant_id_account_id"), "transactions", ["tenant_id", "account_id"], unique=False
    )
    op.create_index(
        op.f("ix_transactions_tenant_id_category_id"), "transactions", ["tenant_id", "category_id"], unique=False
    )
    op.create_index(op.f("ix_transactions_tenant_id_sale_id"), "transactions", ["tenant_id", "sale_id"], unique=False)
    op.create_index(
        op.f("ix_transactions_tenant_id_updated_at_id"), "transactions", ["tenant_id", "updated_at", "id"], unique=False
    )
    with op.batch_alter_table("transactions") as batch:
        batch.create_foreign_key(
            op.f("fk_transactions_tenant_id_sale_id"), "sales", ["tenant_id", "sale_id"], ["tenant_id", "id"]
        )


def downgrade() -> None:
    with op.batch_alter_table("transactions") as batch:
        batch.drop_constraint(op.f("fk_transactions_tenant_id_sale_id"), type_="foreignkey")
    op.drop_index(op.f("ix_transactions_tenant_id_updated_at_id"), table_name="transactions")
    op.drop_index(op.f("ix_transactions_tenant_id_sale_id"), table_name="transactions")
    op.drop_index(op.f("ix_transactions_tenant_id_category_id"), table_name="transactions")
    op.drop_index(op.f("ix_transactions_tenant_id_account_id"), table_name="transactions")
    op.drop_column("transactions", "sale_id")
    with op.batch_alter_table("tenants") as batch:
        batch.drop_constraint(op.f("fk_tenants_copy_of"), type_="foreignkey")
    op.drop_index(op.f("ix_tenants_copy_of"), table_name="tenants")
    op.drop_column("tenants", "revision")
    op.drop_column("tenants", "copy_of")
    op.drop_column("tenants", "is_armed")
    op.drop_index(op.f("ix_sales_tenant_id_updated_at_id"), table_name="sales")
    op.drop_column("sales", "change")
    op.drop_index(op.f("ix_products_tenant_id_updated_at_id"), table_name="products")
    op.drop_index(op.f("ix_leads_tenant_id_updated_at_id"), table_name="leads")
    op.drop_index(op.f("ix_invoices_tenant_id_updated_at_id"), table_name="invoices")
    op.drop_index(op.f("ix_events_tenant_id_subject"), table_name="events")
    op.drop_index(op.f("ix_departments_tenant_id_updated_at_id"), table_name="departments")
    op.drop_index(op.f("ix_customers_tenant_id_updated_at_id"), table_name="customers")
    op.drop_index(op.f("ix_conversations_tenant_id_updated_at_id"), table_name="conversations")
    op.drop_index(op.f("ix_conversations_tenant_id_token_hash"), table_name="conversations")
    op.create_index(op.f("ix_conversations_token_hash"), "conversations", ["token_hash"], unique=True)
    op.drop_index(op.f("ix_categories_tenant_id_updated_at_id"), table_name="categories")
    op.drop_index(op.f("ix_audit_tenant_id_subject"), table_name="audit")
    op.drop_index(op.f("ix_accounts_tenant_id_updated_at_id"), table_name="accounts")
    op.drop_index(op.f("ix_quote_items_tenant_id_quote_id"), table_name="quote_items")
    op.drop_index(op.f("ix_quote_items_tenant_id_product_id"), table_name="quote_items")
    op.drop_table("quote_items")
    op.drop_index(op.f("ix_ticket_replies_tenant_id_ticket_id_id"), table_name="ticket_replies")
    op.drop_table("ticket_replies")
    op.drop_index("uq_quotes_quote_number", table_name="quotes")
    op.drop_index("uq_quotes_invoice_id", table_name="quotes")
    op.drop_index(op.f("ix_quotes_tenant_id_updated_at_id"), table_name="quotes")
    op.drop_index(op.f("ix_quotes_tenant_id_status"), table_name="quotes")
    op.drop_index(op.f("ix_quotes_tenant_id_customer_id"), table_name="quotes")
    op.drop_table("quotes")
    op.drop_index(op.f("ix_goods_receipt_items_tenant_id_receipt_id"), table_name="goods_receipt_items")
    op.drop_index(op.f("ix_goods_receipt_items_tenant_id_product_id"), table_name="goods_receipt_items")
    op.drop_table("goods_receipt_items")
    op.drop_index("uq_attendance_employee_id_at", table_name="attendance")
    op.drop_index(op.f("ix_attendance_tenant_id_updated_at_id"), table_name="attendance")
    op.drop_index(op.f("ix_attendance_tenant_id_at"), table_name="attendance")
    op.drop_table("attendance")
    op.drop_index(op.f("ix_tickets_tenant_id_updated_at_id"), table_name="tickets")
    op.drop_index(op.f("ix_tickets_tenant_id_status"), table_name="tickets")
    op.drop_index(op.f("ix_tickets_tenant_id_department_id"), table_name="tickets")
    op.drop_index(op.f("ix_tickets_tenant_id_customer_id"), table_name="tickets")
    op.drop_table("tickets")
    op.drop_index(op.f("ix_stock_movements_tenant_id_updated_at_id"), table_name="stock_movements")
    op.drop_index(op.f("ix_stock_movements_tenant_id_product_id"), table_name="stock_movements")
    op.drop_index(op.f("ix_stock_movements_tenant_id_created_at"), table_name="stock_movements")
    op.drop_table("stock_movements")
    op.drop_index(op.f("ix_stock_levels_tenant_id_updated_at_id"), table_name="stock_levels")
    op.drop_table("stock_levels")
    op.drop_index("uq_master_entries_code", table_name="master_entries")
    op.drop_index(op.f("ix_master_entries_tenant_id_updated_at_id"), table_name="master_entries")
    op.drop_table("master_entries")
    op.drop_index("uq_lead_conversions_lead_id", table_name="lead_conversions")
    op.drop_index(op.f("ix_lead_conversions_tenant_id_customer_id"), table_name="lead_conversions")
    op.drop_table("lead_conversions")
    op.drop_index("uq_goods_receipts_reference", table_name="goods_receipts")
    op.drop_index("uq_goods_receipts_receipt_number", table_name="goods_receipts")
    op.drop_index(op.f("ix_goods_receipts_tenant_id_updated_at_id"), table_name="goods_receipts")
    op.drop_table("goods_receipts")
    op.drop_index("uq_employees_employee_code", table_name="employees")
    op.drop_index(op.f("ix_employees_tenant_id_updated_at_id"), table_name="employees")
    op.drop_index(op.f("ix_employees_tenant_id_department_id"), table_name="employees")
    op.drop_table("employees")
    op.drop_index("uq_vendors_vendor_code", table_name="vendors")
    op.drop_index("uq_vendors_gst_no", table_name="vendors")
    op.drop_index(op.f("ix_vendors_tenant_id_updated_at_id"), table_name="vendors")
    op.drop_index(op.f("ix_vendors_tenant_id_city"), table_name="vendors")
    op.drop_table("vendors")
    op.drop_index("uq_vehicles_plate", table_name="vehicles")
    op.drop_index(op.f("ix_vehicles_tenant_id_updated_at_id"), table_name="vehicles")
    op.drop_index(op.f("ix_vehicles_tenant_id_status"), table_name="vehicles")
    op.drop_table("vehicles")
    op.drop_index("uq_users_email", table_name="users")
    op.drop_index(op.f("ix_users_tenant_id_updated_at_id"), table_name="users")
    op.drop_index(op.f("ix_users_tenant_id_role"), table_name="users")
    op.drop_table("users")
    op.drop_index(op.f("ix_snapshots_tenant_id_updated_at_id"), table_name="snapshots")
    op.drop_index(op.f("ix_snapshots_tenant_id_name"), table_name="snapshots")
    op.drop_table("snapshots")
    op.drop_index(op.f("ix_scenario_counts_tenant_id_key_id_operation_header"), table_name="scenario_counts")
    op.drop_table("scenario_counts")
    op.drop_index("uq_masters_name", table_name="masters")
    op.drop_index(op.f("ix_masters_tenant_id_updated_at_id"), table_name="masters")
    op.drop_table("masters")
    op.drop_index(op.f("ix_idempotency_keys_tenant_id_credential_operation_key"), table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_index("uq_freed_numbers_number", table_name="freed_numbers")
    op.drop_table("freed_numbers")
    op.drop_index(op.f("ix_deletions_tenant_id_record_public_id"), table_name="deletions")
    op.drop_index(op.f("ix_deletions_tenant_id_kind_deleted_at"), table_name="deletions")
    op.drop_table("deletions")
    op.drop_index(op.f("ix_armed_scenarios_tenant_id_updated_at_id"), table_name="armed_scenarios")
    op.drop_table("armed_scenarios")
