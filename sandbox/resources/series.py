"""Numbers of papers, counted per series without gaps: the number of a deleted paper is the next one taken.

Whoever takes or frees a number holds the series' counter until the transaction ends.
"""

from __future__ import annotations

import re

from sqlalchemy import BigInteger, Index, String, bindparam, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.counters import take_number
from portal.core.database import Base
from portal.core.ownership import TenantOwned, table_of
from portal.core.prepared import scoped
from portal.core.session import TenantSession

COUNTS_A_YEAR = 10**12
_NUMBER = re.compile(r"[A-Z]+-(?:(?P<year>[0-9]{4})-)?(?P<count>[0-9]{1,12})", re.ASCII)


class FreedNumber(TenantOwned, Base):
    """A number whose paper was deleted."""

    __tablename__ = "freed_numbers"
    __table_args__ = (Index("uq_freed_numbers_number", "tenant_id", "series", "number", unique=True),)
    is_audited = False

    series: Mapped[str] = mapped_column(String(60))
    number: Mapped[int] = mapped_column(BigInteger)


_ROWS = table_of(FreedNumber).c
_SMALLEST = scoped(
    select(_ROWS.id, _ROWS.number).where(_ROWS.series == bindparam("series")).order_by(_ROWS.number).limit(1)
)


def document_order(number: str) -> int:
    """Return by what a number such as `INV-2026-1000` or `VEND-1023` is sorted: its year, then its count."""
    parts = _NUMBER.fullmatch(number)
    return int(parts["year"] or 0) * COUNTS_A_YEAR + int(parts["count"]) if parts else 0


def take_from_series(session: TenantSession, series: str) -> int:
    """The smallest freed number of the series, or the one after its last."""
    number = take_number(session, series)
    with session.fetching() as fetch:
        freed = fetch(_SMALLEST, {"series": series})
    if not freed:
        return number
    take_number(session, series, -1)
    id_, number = freed[0]
    session.execute(delete(FreedNumber).where(FreedNumber.id == id_))
    return int(number)


def give_back(session: TenantSession, series: str, number: int) -> None:
    """Free the number of a paper that is deleted in this transaction."""
    take_number(session, series, 0)
    session.add(FreedNumber(series=series, number=number))
    session.flush()
