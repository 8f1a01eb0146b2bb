"""What a developer has ticked."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base
from portal.core.types import UtcDateTime


class Tick(Base):
    """One point of the checklist, by its slug, that a developer holds for settled."""

    __tablename__ = "checklist_ticks"

    developer_id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"),
        ForeignKey("developers.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    )
    point: Mapped[str] = mapped_column(String(40), primary_key=True)
    ticked_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
