"""Guest conversations and their messages."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base
from portal.core.ownership import TenantOwned, TenantRecord
from portal.core.types import UtcDateTime


class Conversation(TenantRecord, Base):
    """A visitor's talk with support. `status` is Open (an answer is due), Pending (answered) or Closed.

    Who holds the token behind `token_hash` holds the conversation; nothing else proves anything.
    `start_key` is what the browser's start form was numbered with, so that sending it twice starts one talk.
    """

    __tablename__ = "conversations"
    __table_args__ = (
        Index(None, "tenant_id", "status", "last_message_at"),
        Index(None, "tenant_id", "start_key", unique=True),
        Index(None, "tenant_id", "token_hash", unique=True),
    )
    public_prefix = "cnv"

    full_name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(254))
    phone: Mapped[str | None] = mapped_column(String(32))
    status: Mapped[str] = mapped_column(String(10))
    closed_by: Mapped[str | None] = mapped_column(String(10))
    last_seq: Mapped[int] = mapped_column(Integer)
    last_message_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    token_hash: Mapped[str] = mapped_column(String(64))
    start_key: Mapped[str | None] = mapped_column(String(64))

    @property
    def is_closed(self) -> bool:
        return self.status == "Closed"

    @property
    def is_over(self) -> bool:
        """True once the guest has ended it; what support closed, the guest may reopen by writing."""
        return self.is_closed and self.closed_by == "guest"


class Message(TenantOwned, Base):
    """One line of a conversation, never changed. `author` is guest, staff or system; `seq` counts from 1.

    A system line carries in `state` the status the conversation changed to.
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
    text: Mapped[str] = mapped_column(String(5000))
    state: Mapped[str | None] = mapped_column(String(10))
    client_msg_id: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
