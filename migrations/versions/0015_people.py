"""Inquiries keep all that visitors say; a lead shows when the person last inquired."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from portal.core.types import UtcDateTime

revision = "0015"
down_revision = "0009"
branch_labels = None
depends_on = None
ADDED: dict[str, Any] = {
    "company": sa.String(120),
    "consent": sa.Boolean(),
    "utm_source": sa.String(200),
    "utm_medium": sa.String(200),
    "utm_campaign": sa.String(200),
    "utm_term": sa.String(200),
    "utm_content": sa.String(200),
    "referrer": sa.String(2000),
    "released_at": UtcDateTime(),
}


def upgrade() -> None:
    for name, type_ in ADDED.items():
        op.add_column("lead_touches", sa.Column(name, type_, nullable=True))
    op.add_column("leads", sa.Column("touched_at", UtcDateTime(), nullable=True))
    op.execute(
        "UPDATE leads SET touched_at = (SELECT max(created_at) FROM lead_touches"
        " WHERE lead_touches.tenant_id = leads.tenant_id AND lead_touches.lead_id = leads.id)"
    )


def downgrade() -> None:
    with op.batch_alter_table("leads") as batch:
        batch.drop_column("touched_at")
    with op.batch_alter_table("lead_touches") as batch:
        for name in ADDED:
            batch.drop_column(name)
