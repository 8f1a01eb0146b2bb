"""How webhooks and connections stand: active or why not, since when, and how many messages wait."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import and_, func, select

from portal.core.session import TenantSession
from sandbox.delivery.models import Delivery, Endpoint

Status = Literal["active", "off", "gone", "failing"]
COMPUTED = ("status", "held", "closed_at", "failing_since")
"""The members that `add_states` adds."""
_BECAUSE = {
    "off": "It was switched off.",
    "gone": "It answered 410 Gone, which says that no more is wanted.",
    "failing": "It took no message all through the retry schedule, so nothing more was sent.",
}


@dataclass(frozen=True)
class State:
    """One endpoint's. `held` counts messages."""

    status: Status
    held: int
    closed_at: dt.datetime | None
    failing_since: dt.datetime | None

    @property
    def because(self) -> str:
        """Why it gets nothing, as a sentence; nothing where it is active."""
        return _BECAUSE.get(self.status, "")


def states_of(session: TenantSession, model: Any, ids: Collection[int]) -> dict[int, State]:
    """The state of each record of `model` that is there, with one query. Its `endpoint_id` leads to the endpoint."""
    wanted = (
        select(model.id, Endpoint.closed_as, Endpoint.closed_at, Endpoint.failing_since, func.count(Delivery.id))
        .join(Endpoint, Endpoint.id == model.endpoint_id)
        .outerjoin(Delivery, and_(Delivery.endpoint_id == Endpoint.id, Delivery.status == "held"))
        .where(model.id.in_(ids))
        .group_by(model.id, Endpoint.closed_as, Endpoint.closed_at, Endpoint.failing_since)
    )
    return {row[0]: State(row[1] or "active", row[4], row[2], row[3]) for row in session.execute(wanted)}


def add_states(session: TenantSession, model: Any, rows: list[dict[str, Any]]) -> None:
    """Put its state on each record of a page. One that is gone by now is left out."""
    states = states_of(session, model, [row["id"] for row in rows])
    rows[:] = [row | vars(states[row["id"]]) for row in rows if row["id"] in states]
