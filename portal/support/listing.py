"""The chats of the desk: what has waited longest first, page by page, found by name, email or text."""

from __future__ import annotations

from sqlalchemy import ColumnElement, case, or_, select

from portal.core.paging import Paged, count_rows, holds, read_page
from portal.core.session import TenantSession
from portal.support.models import Conversation, Message


def list_conversations(session: TenantSession, *, search: str = "", page: int = 1) -> Paged[Conversation]:
    """Return those that wait for a reply, longest wait first, then the replied to and the closed, latest first."""
    rank = case((Conversation.status == "Open", 0), (Conversation.status == "Pending", 1), else_=2)
    waits = case((Conversation.status == "Open", Conversation.waiting_since))
    order = (rank, waits, Conversation.last_message_at.desc(), Conversation.id.desc())
    return read_page(session, Conversation, [_matches(search)] if search else [], order, page)


def count_waiting(session: TenantSession) -> int:
    """Return how many conversations wait for a reply."""
    return count_rows(session, Conversation, Conversation.status == "Open")


def read_first_words(session: TenantSession, chats: list[Conversation]) -> dict[int, str]:
    """Return the first line of each conversation, by the conversation's key."""
    first = (Message.conversation_id.in_([chat.id for chat in chats]), Message.seq == 1)
    return {row.conversation_id: row.text for row in session.scalars(select(Message).where(*first))}


def _matches(search: str) -> ColumnElement[bool]:
    own = Message.tenant_id == Conversation.tenant_id
    said = select(Message.conversation_id).where(own, holds(Message.text, search))
    return or_(holds(Conversation.full_name, search), holds(Conversation.email, search), Conversation.id.in_(said))
