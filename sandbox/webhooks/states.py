"""How webhooks stand: active or why not, since when, and how many messages wait."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, select

from portal.core.session import TenantSession
from sandbox.delivery.models import Delivery, Endpoint
from sandbox.webhooks.models import Webhook


@dataclass(frozen=True)
class State:
    """One webhook's. `status` is active, off, gone or failing; `held` counts messages."""

    status: str
    held: int
    closed_at: dt.datetime | None
    failing_since: dt.datetime | None


def states_of(session: TenantSession, webhook_ids: Collection[int]) -> dict[int, State]:
    """The state of each webhook that is there, with one query."""
    wanted = (
        select(Webhook.id, Endpoint.closed_as, Endpoint.closed_at, Endpoint.failing_since, func.count(Delivery.id))
        .join(Endpoint, Endpoint.id == Webhook.endpoint_id)
        .outerjoin(Delivery, and_(Delivery.endpoint_id == Endpoint.id, Delivery.status == "held"))
        .where(Webhook.id.in_(webhook_ids))
        .group_by(Webhook.id, Endpoint.closed_as, Endpoint.closed_at, Endpoint.failing_since)
    )
    return {row[0]: State(row[1] or "active", row[4], row[2], row[3]) for row in session.execute(wanted)}


def add_states(session: TenantSession, rows: list[dict[str, Any]]) -> None:
    """Put its state on each webhook of a page. One that is gone by now is left out."""
    states = states_of(session, [row["id"] for row in rows])
    rows[:] = [row | vars(states[row["id"]]) for row in rows if row["id"] in states]
