"""What waits to be told to the staff."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base
from portal.core.ownership import TenantOwned
from portal.core.types import UtcDateTime


class StaffNotice(TenantOwned, Base):
    """Something at the desk that staff should know of, until it is mailed or dealt with.

    `subject` is the public id of the chat or inquiry, `count` how often it was told. A mailed notice keeps
    no words, only the time of the mail, from which the pause before the next one counts.
    """

    __tablename__ = "staff_notices"
    __table_args__ = (Index(None, "tenant_id", "address", "mailed_at"), Index(None, "tenant_id", "subject"))
    is_audited = False

    address: Mapped[str] = mapped_column(String(254))
    subject: Mapped[str] = mapped_column(String(32))
    title: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    path: Mapped[str] = mapped_column(String(200))
    reply_to: Mapped[str] = mapped_column(String(254))
    count: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    mailed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
