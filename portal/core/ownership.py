"""What it means for a table to belong to tenants. Every such table is known by being a subclass here."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar, Literal

from sqlalchemy import BigInteger, ForeignKey, Index, String, Table
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from portal.core.types import UtcDateTime

OnReset = Literal["restore", "keep"]


class TenantOwned:
    """Mixin for a table whose rows belong to a tenant.

    The primary key is `(tenant_id, id)`; `id` is counted per tenant. `on_reset` says what a reset does
    with the rows: `restore` puts back the seed's, `keep` leaves them alone.
    """

    __tablename__: str
    on_reset: ClassVar[OnReset] = "restore"
    is_audited: ClassVar[bool] = True
    public_prefix: ClassVar[str] = ""

    tenant_id: Mapped[int] = mapped_column(
        ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True, autoincrement=False, sort_order=-20
    )
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, sort_order=-19)


class TenantRecord(TenantOwned):
    """A record the API shows: public id, instants, and a version that makes lost updates impossible.

    Each such table has an index by its last change, which `updated_since` reads (contract section 4).
    """

    public_id: Mapped[str] = mapped_column(String(32), unique=True, sort_order=-18)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, sort_order=90)
    updated_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, sort_order=91)
    version: Mapped[int] = mapped_column(sort_order=92)

    def __init_subclass__(cls, **details: Any) -> None:
        super().__init_subclass__(**details)
        if "__tablename__" in vars(cls):
            Index(None, cls.tenant_id, cls.updated_at, cls.id)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version}


class TenantLog(TenantOwned):
    """An append-only row whose id grows with time; a reset keeps it."""

    on_reset: ClassVar[OnReset] = "keep"
    is_audited: ClassVar[bool] = False


def tenant_models(kind: type[TenantOwned] = TenantOwned) -> list[type[TenantOwned]]:
    """Every mapped tenant-owned model of a kind: the register that copying, clearing and restoring walk."""

    def walk(model: type[TenantOwned]) -> list[type[TenantOwned]]:
        own = [model] if "__table__" in vars(model) else []
        return own + [found for child in model.__subclasses__() for found in walk(child)]

    return walk(kind)


def table_of(model: type[TenantOwned]) -> Table:
    """The table behind a tenant-owned model."""
    table = model.__table__  # type: ignore[attr-defined]
    assert isinstance(table, Table)
    return table
