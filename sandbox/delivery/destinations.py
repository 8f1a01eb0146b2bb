"""Where webhooks and connections may lead (contract section 7): one rule for both, by the API and by the pages."""

from __future__ import annotations

from typing import Any

from portal.core.errors import ValidationFailed
from portal.core.outgoing import OutgoingClient, OutgoingFailed
from portal.core.session import TenantSession
from sandbox.delivery.models import Endpoint
from sandbox.delivery.service import find_endpoint

UNRESOLVED = (
    "The name in the URL does not resolve at present, so the address is unverified. Messages are sent there anyway. "
    "Check the spelling of the name and its DNS entry."
)
"""What a person is told of an address that is saved all the same."""


def check_destination(client: OutgoingClient, url: str) -> bool:
    """Return whether the name in a URL resolves. Raises ValidationFailed for a URL that must not be called.

    What the name resolves to later is checked on each connection, whatever it was before.
    """
    try:
        client.check(url)
    except OutgoingFailed as error:
        if error.kind == "unresolved":
            return False
        raise ValidationFailed({"url": error.text}) from None
    return True


def note_destination(session: TenantSession, record: Any, *, is_resolved: bool) -> None:
    """Note on the endpoint behind a webhook or connection whether its new address was resolved."""
    endpoint: Endpoint | None = find_endpoint(session, record.endpoint_id)
    if endpoint is not None:
        endpoint.is_unverified = not is_resolved
        session.flush()
