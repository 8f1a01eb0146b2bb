"""Setting a tenant's clock, by which tokens, keys, idempotency keys and webhook secrets end.

Limits, browser sessions, a guest's 24 hours and the daily reset keep the machine's time.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import InstrumentedAttribute

from portal.core.session import TenantSession
from portal.tenancy.models import AccessToken, Tenant

TOKEN_LIFETIME = dt.timedelta(hours=1)
_LIFETIMES: dict[InstrumentedAttribute[Any], dt.timedelta] = {}


def ends_within(column: InstrumentedAttribute[Any], lifetime: dt.timedelta) -> None:
    """Declare that what ends at `column` never lasts longer than `lifetime`, even if a tenant's clock goes back."""
    _LIFETIMES[column] = lifetime


def set_clock(session: TenantSession, tenant: Tenant, offset: int) -> None:
    """Put the clock of the session's tenant `offset` seconds ahead of the machine's, from this very transaction on.

    If it goes back, what was to end at a time that is undone lasts its declared time from now, and no longer.
    """
    goes_back = offset < tenant.clock_offset
    tenant.clock_offset = offset
    session.bind_tenant(tenant.id, tenant.clock)
    if goes_back:
        session.flush()
        for column, lifetime in _LIFETIMES.items():
            latest = session.clock.now() + lifetime
            session.execute(update(column.class_).where(column > latest).values({column: latest}))


ends_within(AccessToken.expires_at, TOKEN_LIFETIME)
