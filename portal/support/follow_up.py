"""A reply that its visitor has not seen goes after them by mail, with a link back into the conversation."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select

from portal.core.clock import system_now
from portal.core.jobs import Task, enqueue, handles
from portal.core.mail import page_url, queue_mail
from portal.core.session import TenantSession
from portal.support.models import Conversation, Message
from portal.support.tokens import LINK_LIFETIME, make_link

PATIENCE = dt.timedelta(minutes=10)
KIND = "chat.mail_unseen"


def mail_later(session: TenantSession, conversation: Conversation) -> None:
    """Have what the visitor has not seen by the end of PATIENCE mailed."""
    enqueue(session, KIND, {"conversation": conversation.id}, run_at=system_now() + PATIENCE)


@handles(KIND)
def mail_unseen(task: Task) -> None:
    """Mail every reply that was neither shown nor mailed yet. Later jobs find nothing left to mail."""
    session = task.session
    wanted = select(Conversation).where(Conversation.id == int(task.payload["conversation"]))
    conversation = session.scalar(wanted.with_for_update())
    if conversation is None or conversation.forgotten_at is not None:
        return
    replies = _unseen_replies(session, conversation)
    if not replies:
        return
    link = page_url(f"/support/resume/{make_link(session, conversation)}")
    queue_mail(session, conversation.email, "Support has replied to you", _write(replies, link))
    conversation.mailed_seq = replies[-1].seq


def _unseen_replies(session: TenantSession, conversation: Conversation) -> list[Message]:
    known = max(conversation.seen_seq, conversation.mailed_seq)
    unseen = (Message.conversation_id == conversation.id, Message.author == "staff", Message.seq > known)
    return list(session.scalars(select(Message).where(*unseen).order_by(Message.seq)))


def _write(replies: list[Message], link: str) -> str:
    """Only our own words: whoever typed the address may not be the one who reads this."""
    words = "\n\n".join(f"{reply.author_name or 'Support'}:\n{reply.text}" for reply in replies)
    return (
        f"Hello,\n\nyou wrote to us in the chat and were away when we replied:\n\n{words}\n\n"
        f"To reply, open this link and press the button there. It works once, within {LINK_LIFETIME.days} days:\n"
        f"{link}\n\nIf you did not write to us, somebody typed your address by mistake. You can ignore this message.\n"
    )
