"""Guest chat: conversations that belong to whoever holds their token, and the messages in them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Literal

from pydantic import Field
from sqlalchemy import select

from portal.api.schema import ApiModel, Code, Email, Name, Paragraph, Phone
from portal.core.errors import Conflict, NotFound
from portal.core.ids import PUBLIC_ID
from portal.core.mail import page_url, queue_mail
from portal.core.remedies import Remedy
from portal.core.secrets import keyed_hash
from portal.core.session import TenantSession
from portal.support.models import Conversation, Message

Author = Literal["guest", "staff", "system"]
Status = Literal["Open", "Pending", "Closed"]
TOKEN_PREFIX = "gst_"  # noqa: S105 — a prefix, not a secret
TOKEN_PURPOSE = "guest-token"  # noqa: S105 — a purpose, not a secret
LONGEST_TOKEN = 100
EVENTS_AT_ONCE = 200
SHOWN_AT_DESK = 100


class Introduction(ApiModel):
    """How a visitor begins a conversation. The form and the API read it alike."""

    full_name: Name = Field(alias="fullName")
    email: Email = Field(description="Where to answer when the visitor has left. It proves nothing")
    phone_number: Phone | None = Field(None, alias="phoneNumber")
    message: Paragraph


class GuestMessage(ApiModel):
    """A further message of the visitor."""

    message: Paragraph
    client_msg_id: Code = Field(description="Chosen by the caller, new for each message; sent twice, stored once")


@dataclass(frozen=True)
class Started:
    """A new conversation and its token, which exists only here."""

    conversation: Conversation
    token: str


def start_conversation(
    session: TenantSession, secret_key: str, introduction: Introduction, *, start_key: str | None = None, tell: str = ""
) -> Started:
    """Begin a conversation with its first message; whoever typed the same e-mail before is not looked up.

    With the `start_key` of an earlier start, that conversation is given again, under a new token; a text it does
    not hold yet is added.
    `tell` is the address to which mail about it is queued.
    """
    token = TOKEN_PREFIX + secrets.token_hex(20)
    token_hash = keyed_hash(secret_key, TOKEN_PURPOSE, token)
    begun = _find_by_start(session, start_key)
    if begun is not None and not begun.is_over:
        begun.token_hash = token_hash
        if all(line.text != introduction.message for line in read_whole(session, begun)):
            post_as_guest(session, begun, introduction.message)
        return Started(begun, token)
    conversation = Conversation(
        full_name=" ".join(introduction.full_name.split()),
        email=introduction.email.lower(),
        phone=introduction.phone_number,
        status="Open",
        last_seq=0,
        last_message_at=session.clock.now(),
        token_hash=token_hash,
        start_key=None if begun else start_key,
    )
    session.add(conversation)
    session.flush()
    _append(session, conversation, "guest", introduction.message, start_key)
    if tell:
        _tell_desk(session, conversation, introduction.message, tell)
    return Started(conversation, token)


def find_guests_conversation(
    session: TenantSession, secret_key: str, token: str, public_id: str | None = None
) -> Conversation:
    """The conversation the token belongs to, when it is the named one. Raises NotFound for every other case."""
    if not token.startswith(TOKEN_PREFIX) or len(token) > LONGEST_TOKEN:
        raise NotFound
    hashed = keyed_hash(secret_key, TOKEN_PURPOSE, token)
    conversation = session.scalar(select(Conversation).where(Conversation.token_hash == hashed))
    if conversation is None or public_id not in {None, conversation.public_id}:
        raise NotFound
    return conversation


def find_conversation(session: TenantSession, public_id: str) -> Conversation:
    """The conversation with this public id, for staff. Raises NotFound."""
    known = PUBLIC_ID.fullmatch(public_id)
    conversation = session.scalar(select(Conversation).where(Conversation.public_id == public_id)) if known else None
    if conversation is None:
        raise NotFound
    return conversation


def post_as_guest(
    session: TenantSession, conversation: Conversation, text: str, client_msg_id: str | None = None
) -> Message:
    """Add the guest's message and make an answer due; what support had closed is open again.

    A known `client_msg_id` gives the message stored first. Raises Conflict once the guest has closed it.
    """
    _lock(session, conversation)
    known = _find_message(session, conversation, "guest", client_msg_id)
    if known is not None:
        return known
    if conversation.is_over:
        message = "This conversation is closed. Start a new one."
        raise Conflict(message, remedy=Remedy("state", "Closed", ["Open", "Pending"]))
    if conversation.is_closed:
        _change_state(session, conversation, "Open", "Open again.")
    conversation.status = "Open"
    return _append(session, conversation, "guest", text, client_msg_id)


def answer_as_staff(
    session: TenantSession, conversation: Conversation, text: str, client_msg_id: str | None = None
) -> Message:
    """Add an answer of ours, as often as it is sent with one `client_msg_id` only once. Reopens what was closed."""
    _lock(session, conversation)
    known = _find_message(session, conversation, "staff", client_msg_id)
    if known is not None:
        return known
    if conversation.is_closed:
        _change_state(session, conversation, "Pending", "Open again.")
    conversation.status = "Pending"
    return _append(session, conversation, "staff", text, client_msg_id)


def close_conversation(session: TenantSession, conversation: Conversation, by: Literal["guest", "staff"]) -> None:
    """Close it, once. The guest's word is final; what staff closed, either side may reopen by writing."""
    _lock(session, conversation)
    if not conversation.is_closed:
        who = "the visitor" if by == "guest" else "support"
        _change_state(session, conversation, "Closed", f"Closed by {who}.")
    if by == "guest" or conversation.closed_by is None:
        conversation.closed_by = by


def read_events(session: TenantSession, conversation: Conversation, after: int = 0) -> list[Message]:
    """Messages and changes of state behind `after`, in order, at most EVENTS_AT_ONCE."""
    newer = (Message.conversation_id == conversation.id, Message.seq > after)
    return list(session.scalars(select(Message).where(*newer).order_by(Message.seq).limit(EVENTS_AT_ONCE)))


def read_whole(session: TenantSession, conversation: Conversation) -> list[Message]:
    """Every line of a conversation, in order."""
    return list(
        session.scalars(select(Message).where(Message.conversation_id == conversation.id).order_by(Message.seq))
    )


def list_conversations(session: TenantSession, *, limit: int = SHOWN_AT_DESK) -> list[Conversation]:
    """What waits for an answer first, then what is answered, then what is closed; the latest of each first."""
    wanted: list[Conversation] = []
    for status in ("Open", "Pending", "Closed"):
        latest = select(Conversation).where(Conversation.status == status).order_by(Conversation.last_message_at.desc())
        wanted += session.scalars(latest.limit(limit - len(wanted)))
    return wanted


def _lock(session: TenantSession, conversation: Conversation) -> None:
    """Hold the row until the transaction ends, seen as it is now: lines are numbered one after another."""
    session.flush()
    session.refresh(conversation, with_for_update=True)


def _append(
    session: TenantSession,
    conversation: Conversation,
    author: Author,
    text: str,
    client_msg_id: str | None = None,
    state: str | None = None,
) -> Message:
    conversation.last_seq += 1
    conversation.last_message_at = session.clock.now()
    message = Message(
        conversation_id=conversation.id,
        seq=conversation.last_seq,
        author=author,
        text=text.replace("\r\n", "\n"),
        state=state,
        client_msg_id=client_msg_id,
    )
    session.add(message)
    session.flush()
    return message


def _change_state(session: TenantSession, conversation: Conversation, status: str, text: str) -> None:
    conversation.status = status
    conversation.closed_by = None
    _append(session, conversation, "system", text, state=status)


def _find_message(
    session: TenantSession, conversation: Conversation, author: Author, client_msg_id: str | None
) -> Message | None:
    if client_msg_id is None:
        return None
    same = (Message.conversation_id == conversation.id, Message.author == author)
    return session.scalar(select(Message).where(*same, Message.client_msg_id == client_msg_id))


def _find_by_start(session: TenantSession, start_key: str | None) -> Conversation | None:
    if start_key is None:
        return None
    return session.scalar(select(Conversation).where(Conversation.start_key == start_key))


def _tell_desk(session: TenantSession, conversation: Conversation, text: str, address: str) -> None:
    name, public_id = conversation.full_name, conversation.public_id
    body = (
        f"Name: {name}\nE-mail: {conversation.email}\nTelephone: {conversation.phone or '-'}\n\n{text}\n\n"
        f"Reply at the desk: {page_url(f'/staff/chats/{public_id}')}\n"
    )
    queue_mail(session, address, f"Chat with {name}", body, reply_to=conversation.email)
