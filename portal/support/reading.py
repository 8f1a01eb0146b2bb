"""Reading a conversation: the newest lines first, older ones by cursor, and what its visitor has seen."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

from portal.core.ownership import table_of
from portal.core.session import TenantSession
from portal.support.models import Conversation, Message

EVENTS_AT_ONCE = 200
SHOWN_AT_ONCE = 50
VISIT_NOTED_EVERY = dt.timedelta(hours=1)


@dataclass(frozen=True)
class Lines:
    """Some lines of a conversation, oldest first. `older` is the cursor of those before, None if there are none."""

    rows: list[Message]
    older: int | None = None


def read_events(session: TenantSession, conversation: Conversation, after: int = 0) -> list[Message]:
    """Return messages and changes of state behind `after`, in order, at most EVENTS_AT_ONCE."""
    newer = (Message.conversation_id == conversation.id, Message.seq > after)
    return list(session.scalars(select(Message).where(*newer).order_by(Message.seq).limit(EVENTS_AT_ONCE)))


def read_latest(session: TenantSession, conversation: Conversation, before: int | None = None) -> Lines:
    """Return the last SHOWN_AT_ONCE lines, or those before the cursor `before`."""
    wanted = select(Message).where(Message.conversation_id == conversation.id)
    if before is not None:
        wanted = wanted.where(Message.seq < before)
    rows = list(session.scalars(wanted.order_by(Message.seq.desc()).limit(SHOWN_AT_ONCE + 1)))
    shown = rows[:SHOWN_AT_ONCE][::-1]
    return Lines(shown, shown[0].seq if len(rows) > SHOWN_AT_ONCE else None)


def has_news(session: TenantSession, conversation: Conversation, up_to: int) -> bool:
    """True if showing the visitor the lines up to `up_to` is worth writing down."""
    seen_at = conversation.seen_at
    is_stale = seen_at is None or seen_at + VISIT_NOTED_EVERY <= session.clock.now()
    return is_stale or up_to > conversation.seen_seq


def mark_seen(session: TenantSession, conversation_id: int, up_to: int) -> None:
    """Note that the visitor was shown the lines up to `up_to`."""
    write_quietly(session, conversation_id, seen_at=session.clock.now())
    write_quietly(session, conversation_id, Conversation.seen_seq < up_to, seen_seq=up_to)


def write_quietly(session: TenantSession, conversation_id: int, *conditions: Any, **values: Any) -> None:
    """Change a conversation without a new version and without a trace of the old values in the audit trail."""
    mine = (Conversation.tenant_id == session.owner_id, Conversation.id == conversation_id, *conditions)
    session.connection().execute(update(table_of(Conversation)).where(*mine).values(**values))
