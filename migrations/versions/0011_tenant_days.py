"""The first day of a changed daily reset; who holds an idempotency key; every earlier secret of a webhook."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0014"
branch_labels = None
depends_on = None


_KEYS = sa.table("api_keys", sa.column("key_id"))
_ANSWERS = sa.table(
    "idempotency_keys", *(sa.column(name) for name in ("tenant_id", "id", "credential", "operation", "key"))
)


def upgrade() -> None:
    op.add_column("tenants", sa.Column("daily_reset_from", sa.Date(), nullable=True))
    op.add_column("idempotency_keys", sa.Column("holder", sa.String(400), nullable=True))
    _share_keys()


def _share_keys() -> None:
    """Give the keys of credentials to their tenants. Of those that two credentials used, the latest stays."""
    keys, mine, later = sa.select(_KEYS.c.key_id), _ANSWERS.c, _ANSWERS.alias("later")
    same = [getattr(later.c, name) == getattr(mine, name) for name in ("tenant_id", "operation", "key")]
    is_repeated = sa.exists().where(*same, later.c.id > mine.id, later.c.credential.in_(keys))
    op.execute(sa.delete(_ANSWERS).where(mine.credential.in_(keys), is_repeated))
    op.execute(sa.update(_ANSWERS).where(mine.credential.in_(keys)).values(credential="tenant"))


def downgrade() -> None:
    op.drop_column("idempotency_keys", "holder")
    op.drop_column("tenants", "daily_reset_from")
