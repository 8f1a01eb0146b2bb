"""How webhooks and connections stand: active or why not, since when, and how many messages wait."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import and_, func, select

from portal.core.session import TenantSession
from sandbox.delivery.models import Delivery, Endpoint

Status = Literal["active", "unverified", "off", "gone", "failing"]
ABOUT_STATUS = (
    "`unverified`: the name of its address did not resolve when it was saved, and it has not answered yet; "
    "`off`: switched off; `gone`: it answered 410; `failing`: it took nothing for three days"
)
COMPUTED = ("status", "held", "closed_at", "failing_since")
"""The members that `add_states` adds."""
_BECAUSE = {
    "off": "It was switched off.",
    "gone": "It answered 410 Gone, which says that no more is wanted.",
    "failing": "It took no message all through the retry schedule, so nothing more was sent.",
}
_SHOWN = (Endpoint.closed_as, Endpoint.closed_at, Endpoint.failing_since, Endpoint.is_unverified)


@dataclass(frozen=True)
class State:
    """One endpoint's. `held` counts messages. An unverified one gets its messages like an active one."""

    status: Status
    held: int
    closed_at: dt.datetime | None
    failing_since: dt.datetime | None

    @property
    def is_open(self) -> bool:
        """True where messages are sent."""
        return self.closed_at is None

    @property
    def because(self) -> str:
        """Why it gets nothing, as a sentence; nothing where it is active."""
        return _BECAUSE.get(self.status, "")


def states_of(session: TenantSession, model: Any, ids: Collection[int]) -> dict[int, State]:
    """The state of each record of `model` that is there, with one query. Its `endpoint_id` leads to the endpoint."""
    wanted = (
        select(model.id, *_SHOWN, func.count(Delivery.id))
        .join(Endpoint, Endpoint.id == model.endpoint_id)
        .outerjoin(Delivery, and_(Delivery.endpoint_id == Endpoint.id, Delivery.status == "held"))
        .where(model.id.in_(ids))
        .group_by(model.id, *_SHOWN)
    )
    return {
        id_: State(closed_as or ("unverified" if is_unverified else "active"), held, closed_at, failing_since)
        for id_, closed_as, closed_at, failing_since, is_unverified, held in session.execute(wanted)
    }


def add_states(session: TenantSession, model: Any, rows: list[dict[str, Any]]) -> None:
    """Put its state on each record of a page. One that is gone by now is left out."""
    states = states_of(session, model, [row["id"] for row in rows])
    rows[:] = [row | vars(states[row["id"]]) for row in rows if row["id"] in states]
