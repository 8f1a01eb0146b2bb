"""Guest conversations and their messages."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base
from portal.core.derived import comparison_key
from portal.core.ownership import TenantOwned, TenantRecord
from portal.core.types import UtcDateTime


class Conversation(TenantRecord, Base):
    """A visitor's talk with support. `status` is Open (an answer is due), Pending (answered) or Closed.

    Who holds the token behind `token_hash`, or behind a GuestToken, holds the conversation; nothing else proves
    anything. `start_key` is what the browser's start form was numbered with, so that sending it twice starts one talk.
    `waiting_since` is the time of the first message not replied to. The visitor was shown lines up to `seen_seq`, last
    at `seen_at`, and was mailed up to `mailed_seq`. `member_id` names the signed-in member who wrote. `forgotten_at`
    is set once the visitor has had everything personal deleted.
    """

    __tablename__ = "conversations"
    __table_args__ = (
        Index(None, "tenant_id", "status", "last_message_at"),
        Index(None, "tenant_id", "status", "waiting_since"),
        Index(None, "tenant_id", "start_key", unique=True),
        Index(None, "tenant_id", "token_hash", unique=True),
    )
    public_prefix = "cnv"

    full_name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str | None] = comparison_key("email")
    phone: Mapped[str | None] = mapped_column(String(32))
    status: Mapped[str] = mapped_column(String(10))
    closed_by: Mapped[str | None] = mapped_column(String(10))
    last_seq: Mapped[int] = mapped_column(Integer)
    last_message_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    token_hash: Mapped[str] = mapped_column(String(64))
    start_key: Mapped[str | None] = mapped_column(String(64))
    waiting_since: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    seen_seq: Mapped[int] = mapped_column(Integer, server_default="0", default=0)
    seen_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    mailed_seq: Mapped[int] = mapped_column(Integer, server_default="0", default=0)
    member_id: Mapped[str | None] = mapped_column(String(32))
    forgotten_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)

    @property
    def is_closed(self) -> bool:
        return self.status == "Closed"

    @property
    def is_over(self) -> bool:
        """True once the guest has ended it; what support closed, the guest may reopen by writing."""
        return self.is_closed and self.closed_by == "guest"


class Message(TenantOwned, Base):
    """One line of a conversation, never changed. `author` is guest, staff or system; `seq` counts from 1.

    A system line carries in `state` the status the conversation changed to, a staff line in `author_name` the name
    its author had then.
    """

    __tablename__ = "messages"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "conversation_id"], ["conversations.tenant_id", "conversations.id"], ondelete="CASCADE"
        ),
        Index(None, "tenant_id", "conversation_id", "seq", unique=True),
        Index(None, "tenant_id", "conversation_id", "author", "client_msg_id", unique=True),
    )
    is_audited = False

    conversation_id: Mapped[int] = mapped_column(BigInteger)
    seq: Mapped[int] = mapped_column(Integer)
    author: Mapped[str] = mapped_column(String(10))
    author_name: Mapped[str | None] = mapped_column(String(120))
    text: Mapped[str] = mapped_column(String(5000))
    state: Mapped[str | None] = mapped_column(String(10))
    client_msg_id: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class GuestToken(TenantOwned, Base):
    """A further way into a conversation: a token, or a mailed link that becomes one when it is opened.

    A link has `link_hash` and ends at `link_expires_at`; once opened it has `token_hash` too.
    """

    __tablename__ = "guest_tokens"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "conversation_id"], ["conversations.tenant_id", "conversations.id"], ondelete="CASCADE"
        ),
        Index(None, "tenant_id", "conversation_id"),
        Index(None, "tenant_id", "token_hash", unique=True),
        Index(None, "tenant_id", "link_hash", unique=True),
    )
    is_audited = False

    conversation_id: Mapped[int] = mapped_column(BigInteger)
    token_hash: Mapped[str | None] = mapped_column(String(64))
    link_hash: Mapped[str | None] = mapped_column(String(64))
    link_expires_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
