"""Setting a tenant's clock. Limits, browser sessions and a guest's 24 hours keep the machine's time."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import update

from portal.core.session import TenantSession
from portal.tenancy.models import AccessToken, Tenant

TOKEN_LIFETIME = dt.timedelta(hours=1)


def set_clock(session: TenantSession, tenant: Tenant, offset: int) -> None:
    """Put the clock of the session's tenant `offset` seconds ahead of the machine's, from this very transaction on.

    Where it goes back, an access token of the time that is undone lasts its hour from now: none outlives an hour.
    """
    goes_back = offset < tenant.clock_offset
    tenant.clock_offset = offset
    session.bind_tenant(tenant.id, tenant.clock)
    if goes_back:
        now = session.clock.now()
        undone = update(AccessToken).where(AccessToken.issued_at > now)
        session.execute(undone.values(issued_at=now, expires_at=now + TOKEN_LIFETIME))
