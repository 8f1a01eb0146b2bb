"""Guest chat: conversations that belong to whoever holds their token, and the messages in them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from pydantic import Field
from sqlalchemy import select

from portal.admin.service import News, notify_staff, withdraw_notice
from portal.api.schema import ApiModel, Code, Email, Name, Paragraph, Phone
from portal.core.errors import Conflict, Duplicate, NotFound
from portal.core.ids import PUBLIC_ID
from portal.core.remedies import Remedy
from portal.core.session import TenantSession
from portal.support.follow_up import mail_later
from portal.support.listing import count_waiting as count_waiting
from portal.support.listing import list_conversations as list_conversations
from portal.support.listing import read_first_words as read_first_words
from portal.support.models import Conversation, Message
from portal.support.reading import read_events as read_events
from portal.support.reading import read_latest as read_latest
from portal.support.reading import write_quietly
from portal.support.tokens import add_token, hash_token, new_token

Author = Literal["guest", "staff", "system"]
Status = Literal["Open", "Pending", "Closed"]


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
    session: TenantSession,
    secret_key: str,
    introduction: Introduction,
    *,
    start_key: str | None = None,
    member_id: str | None = None,
    tell: str = "",
) -> Started:
    """Begin a conversation with its first message; whoever typed the same e-mail before is not looked up.

    With the `start_key` of an earlier start, that conversation is given again, with a token more; what is said anew
    about the visitor holds, and a text that the same form has not sent yet is added.
    `tell` is the address to which mail about it goes, `member_id` the signed-in member who writes.
    """
    begun = _find_by_start(session, start_key)
    client_msg_id = bind_to_text(start_key, introduction.message) if start_key else None
    if begun is not None and not begun.is_over:
        introduce_again(session, begun, introduction)
        post_as_guest(session, begun, introduction.message, client_msg_id, member_id=member_id, tell=tell)
        return Started(begun, add_token(session, secret_key, begun))
    token = new_token()
    conversation = Conversation(
        status="Open",
        last_seq=0,
        last_message_at=session.clock.now(),
        token_hash=hash_token(secret_key, token),
        start_key=None if begun else start_key,
        waiting_since=session.clock.now(),
        seen_at=session.clock.now(),
        member_id=member_id,
        **_described(introduction),
    )
    session.add(conversation)
    session.flush()
    _append(session, conversation, "guest", introduction.message, client_msg_id)
    if tell:
        _tell_desk(session, conversation, introduction.message, tell, can_wait=False)
    return Started(conversation, token)


def introduce_again(session: TenantSession, conversation: Conversation, introduction: Introduction) -> None:
    """Let hold what the visitor says about themselves now; a telephone number left out stays."""
    session.flush()
    write_quietly(session, conversation.id, **_described(introduction))
    session.refresh(conversation)


def is_old_repeat(session: TenantSession, line: Message) -> bool:
    """True if the same author has written something else since: whoever sends such a text again may mean it."""
    later = (Message.conversation_id == line.conversation_id, Message.author == line.author, Message.seq > line.seq)
    return session.scalar(select(Message.id).where(*later).limit(1)) is not None


def bind_to_text(form_number: str, text: str) -> str:
    """Return the id of a message sent by a form: a repeat has the form's number and the text, another text is another.

    A form shown once may be sent again with a changed text, without JavaScript too; its number alone would make the
    new text look like a repeat.
    """
    return hashlib.sha256(f"{form_number}\n{_as_stored(text)}".encode()).hexdigest()


def find_conversation(session: TenantSession, public_id: str) -> Conversation:
    """The conversation with this public id, for staff. Raises NotFound."""
    known = PUBLIC_ID.fullmatch(public_id)
    conversation = session.scalar(select(Conversation).where(Conversation.public_id == public_id)) if known else None
    if conversation is None:
        raise NotFound
    return conversation


def post_as_guest(
    session: TenantSession,
    conversation: Conversation,
    text: str,
    client_msg_id: str | None = None,
    *,
    member_id: str | None = None,
    tell: str = "",
) -> Message:
    """Add the guest's message, after which a reply is due; what support had closed is open again.

    A known `client_msg_id` with the same text gives the message stored first. Raises Duplicate for another text,
    Conflict once the guest has closed the conversation. Mail about it goes to `tell` if nobody replies for a while.
    """
    _lock(session, conversation)
    known = _find_message(session, conversation, "guest", client_msg_id)
    if known is not None:
        return _as_repeat(known, text)
    if conversation.is_over:
        message = "This conversation is closed. Start a new one."
        raise Conflict(message, remedy=Remedy("state", "Closed", ["Open", "Pending"]))
    if conversation.is_closed:
        _change_state(session, conversation, "Open", "Open again.")
    if conversation.status != "Open" or conversation.waiting_since is None:
        conversation.waiting_since = session.clock.now()
    conversation.status = "Open"
    conversation.member_id = conversation.member_id or member_id
    line = _append(session, conversation, "guest", text, client_msg_id)
    if tell:
        _tell_desk(session, conversation, text, tell, can_wait=True)
    return line


def answer_as_staff(
    session: TenantSession,
    conversation: Conversation,
    text: str,
    client_msg_id: str | None = None,
    *,
    author_name: str | None = None,
) -> Message:
    """Add a reply of ours, which is mailed if the visitor does not see it. Reopens what was closed.

    A known `client_msg_id` with the same text gives the reply stored first. Raises Duplicate for another text,
    Conflict once the visitor is forgotten.
    """
    _lock(session, conversation)
    known = _find_message(session, conversation, "staff", client_msg_id)
    if known is not None:
        return _as_repeat(known, text)
    if conversation.forgotten_at is not None:
        raise Conflict("The visitor ended this conversation and had it forgotten. Nobody would read a reply.")
    if conversation.is_closed:
        _change_state(session, conversation, "Pending", "Open again.")
    conversation.status, conversation.waiting_since = "Pending", None
    line = _append(session, conversation, "staff", text, client_msg_id)
    line.author_name = author_name
    withdraw_notice(session, conversation.public_id)
    mail_later(session, conversation)
    return line


def close_conversation(session: TenantSession, conversation: Conversation, by: Literal["guest", "staff"]) -> None:
    """Close it, once. The guest's word is final; what staff closed, either side may reopen by writing."""
    _lock(session, conversation)
    if not conversation.is_closed:
        who = "the visitor" if by == "guest" else "support"
        _change_state(session, conversation, "Closed", f"Closed by {who}.")
        conversation.waiting_since = None
        withdraw_notice(session, conversation.public_id)
    if by == "guest" or conversation.closed_by is None:
        conversation.closed_by = by


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
        text=_as_stored(text),
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


def _as_stored(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def _as_repeat(known: Message, text: str) -> Message:
    if known.text != _as_stored(text):
        raise Duplicate(
            {"client_msg_id": "This id belongs to a message with another text. Use a new id for a new text."}
        )
    return known


def _described(introduction: Introduction) -> dict[str, str]:
    said = {
        "full_name": " ".join(introduction.full_name.split()),
        "email": introduction.email.lower(),
        "phone": introduction.phone_number,
    }
    return {name: value for name, value in said.items() if value}


def _tell_desk(session: TenantSession, conversation: Conversation, text: str, address: str, *, can_wait: bool) -> None:
    name, public_id = conversation.full_name, conversation.public_id
    news = News(public_id, f"Chat with {name}", text, f"/staff/chats/{public_id}", conversation.email)
    notify_staff(session, address, news, can_wait=can_wait)
