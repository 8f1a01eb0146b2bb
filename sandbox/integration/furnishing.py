"""What a sandbox's integration begins with, besides its records: an address to receive at, mappings to be called."""

from __future__ import annotations

from portal.core.session import TenantSession
from portal.tenancy.models import Tenant
from sandbox.inbox.service import first_address, furnish_inbox, url_of
from sandbox.integration.incoming.furnishing import furnish_incoming
from sandbox.integration.outgoing.furnishing import furnish_outgoing


def furnish(session: TenantSession, tenant: Tenant, base_url: str = "") -> None:
    """Give the tenant, to which the session is bound, what each part of the integration begins with and it lacks.

    Connections to its own inbox need `base_url`, the deployment's address; a reset keeps them and goes without.
    """
    furnish_inbox(session)
    furnish_incoming(session)
    inbox = first_address(session)
    if base_url and inbox is not None:
        furnish_outgoing(session, url_of(base_url, inbox.token))
