"""Every earlier secret of a webhook signs on for its own time; addresses that nobody has resolved yet."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011b"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "webhook_secrets",
        sa.Column("tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("webhook_id", sa.BigInteger(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "webhook_id"],
            ["webhooks.tenant_id", "webhooks.id"],
            name=op.f("fk_webhook_secrets_tenant_id_webhook_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_webhook_secrets_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_webhook_secrets")),
    )
    op.create_index(
        op.f("ix_webhook_secrets_tenant_id_webhook_id"), "webhook_secrets", ["tenant_id", "webhook_id"], unique=False
    )
    _keep_secrets()
    op.add_column(
        "endpoints", sa.Column("is_unverified", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )


def _keep_secrets() -> None:
    """Let the secrets that webhooks replaced last sign on. The number of its webhook is free as such a row's id."""
    names = ("tenant_id", "id", "secret", "old_secret", "old_secret_until")
    webhooks = sa.table("webhooks", *(sa.column(name) for name in names))
    secrets = sa.table("webhook_secrets", *map(sa.column, ("tenant_id", "id", "webhook_id", "secret", "ends_at")))
    kept = sa.select(
        webhooks.c.tenant_id, webhooks.c.id, webhooks.c.id, webhooks.c.old_secret, webhooks.c.old_secret_until
    ).where(webhooks.c.old_secret.is_not(None), webhooks.c.old_secret_until.is_not(None))
    op.execute(sa.insert(secrets).from_select(list(secrets.c), kept))
    op.execute(sa.update(webhooks).values(old_secret=None))


def downgrade() -> None:
    op.drop_column("endpoints", "is_unverified")
    op.drop_table("webhook_secrets")
