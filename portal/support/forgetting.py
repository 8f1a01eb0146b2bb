"""Forgetting a visitor: what they said and who they are is deleted; that somebody wrote stays."""

from __future__ import annotations

from sqlalchemy import delete

from portal.admin.service import withdraw_notice
from portal.core.session import TenantSession
from portal.support.models import Conversation, Message
from portal.support.reading import write_quietly
from portal.support.service import close_conversation
from portal.support.tokens import forget_tokens

TRACE = "The visitor ended this chat and had it forgotten."


def forget_conversation(session: TenantSession, conversation: Conversation) -> None:
    """Close a conversation for good and delete its messages, tokens, links, name, email and telephone number.

    What stays for staff is the conversation's id and times, with one line that says what happened.
    """
    close_conversation(session, conversation, "guest")
    withdraw_notice(session, conversation.public_id)
    forget_tokens(session, conversation)
    session.flush()
    session.execute(delete(Message).where(Message.conversation_id == conversation.id))
    now = session.clock.now()
    nobody = {"full_name": "", "email": "", "phone": None, "member_id": None, "forgotten_at": now}
    write_quietly(session, conversation.id, **nobody)
    session.refresh(conversation)
    conversation.last_seq += 1
    trace = Message(conversation_id=conversation.id, seq=conversation.last_seq, author="system", text=TRACE)
    trace.state = "Closed"
    session.add(trace)
    session.flush()
