"""What the console keeps on the server: whose a sandbox is, and one key for each role."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, ForeignKey, ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base
from portal.core.ownership import TenantOwned
from portal.core.types import EncryptedText, UtcDateTime


class SandboxOwner(Base):
    """The developer, guest or signed up, a sandbox belongs to. It goes with either of them."""

    __tablename__ = "sandbox_owners"

    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True)
    developer_id: Mapped[int] = mapped_column(ForeignKey("developers.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class ConsoleKey(TenantOwned, Base):
    """The console's copy of a role's key, encrypted. It is used on the server and never shown again."""

    __tablename__ = "console_keys"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "api_key_id"], ["api_keys.tenant_id", "api_keys.id"], ondelete="CASCADE"),
        Index(None, "tenant_id", "role", unique=True),
    )
    on_reset = "keep"
    is_audited = False

    role: Mapped[str] = mapped_column(String(20))
    api_key_id: Mapped[int] = mapped_column(BigInteger)
    secret: Mapped[str] = mapped_column(EncryptedText)
