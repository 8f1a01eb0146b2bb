"""Alembic's entry: works on the connection it is handed, against the models of portal and sandbox."""

from __future__ import annotations

from typing import Any

from alembic import context
from sqlalchemy.types import TypeDecorator

import sandbox  # noqa: F401 — maps every model, the portal's too
from portal.core.database import Base


def render_plainly(kind: str, item: Any, autogen: Any) -> Any:
    """Write the database's own type, so that a migration does not depend on code that may change."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl_instance!r}"
    return False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
    render_item=render_plainly,
    compare_server_default=False,
)
with context.begin_transaction():
    context.run_migrations()
