"""What mappings received so far: how many messages of each outcome, and when the last one came."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from sqlalchemy import func, select

from portal.core.session import TenantSession
from sandbox.integration.incoming.models import IncomingMessage, IncomingVersion


@dataclass
class Tally:
    """One mapping's. `counts` are messages by outcome, those whose records differ under MIXED."""

    counts: dict[str, int] = field(default_factory=dict)
    last_at: dt.datetime | None = None


def tally_messages(session: TenantSession) -> dict[str, Tally]:
    """A tally for each slug that has messages in the log."""
    count, last = func.count(IncomingMessage.id), func.max(IncomingMessage.received_at)
    wanted = select(IncomingMessage.mapping, IncomingMessage.outcome, count, last)
    tallies: dict[str, Tally] = {}
    for slug, outcome, messages, last_at in session.execute(
        wanted.group_by(IncomingMessage.mapping, IncomingMessage.outcome)
    ):
        tally = tallies.setdefault(slug, Tally())
        tally.counts[outcome] = messages
        tally.last_at = max(filter(None, (tally.last_at, last_at)), default=None)
    return tallies


def number_versions(session: TenantSession) -> dict[int, dict[str, int]]:
    """The number of the `draft` and of the `live` version of each mapping, by its id."""
    current = select(IncomingVersion.mapping_id, IncomingVersion.status, IncomingVersion.number)
    numbers: dict[int, dict[str, int]] = {}
    for mapping_id, status, number in session.execute(current.where(IncomingVersion.status != "retired")):
        numbers.setdefault(mapping_id, {})[status] = number
    return numbers
