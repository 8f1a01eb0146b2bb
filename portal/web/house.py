"""Pages that are about the company's own tenant."""

from __future__ import annotations

from portal.core.runtime import current_session
from portal.core.session import TenantSession
from portal.tenancy.service import find_house


def house_session() -> TenantSession:
    """The request's session, bound to the house tenant. Raises NotFound before there is one."""
    session = current_session()
    house = find_house(session)
    session.bind_tenant(house.id, house.clock)
    return session
