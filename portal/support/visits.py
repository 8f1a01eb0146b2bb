"""What the edge of the chat needs besides services: whom to tell, and what a visitor was shown."""

from __future__ import annotations

from flask import current_app, request
from sqlalchemy.orm import object_session

from portal.core.runtime import READING_METHODS, runtime
from portal.core.session import TenantSession
from portal.support.models import Conversation
from portal.support.reading import has_news, mark_seen


def desk_address() -> str:
    """Return where mail about the company's own chats goes."""
    return str(current_app.jinja_env.globals["site"].contact.email)  # type: ignore[attr-defined]


def note_reading(conversation: Conversation, up_to: int) -> None:
    """Write down that the visitor was shown the lines up to `up_to`, in a transaction of its own.

    A request that writes holds the store's lock and is followed by one that reads, so it notes nothing.
    """
    session = object_session(conversation)
    assert isinstance(session, TenantSession)
    if request.method not in READING_METHODS or not has_news(session, conversation, up_to):
        return
    tenant_id, conversation_id, clock = conversation.tenant_id, conversation.id, session.clock
    with runtime().database.transaction() as writing:
        writing.bind_tenant(tenant_id, clock)
        mark_seen(writing, conversation_id, up_to)
