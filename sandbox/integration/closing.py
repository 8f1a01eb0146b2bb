"""What the owner of a webhook or a connection is told when the engine closes it."""

from __future__ import annotations

from urllib.parse import urlsplit

from portal.core.mail import page_url
from portal.core.session import TenantSession
from portal.tenancy.audit import record_act
from sandbox.console.service import tell_owner
from sandbox.delivery.models import Closed
from sandbox.integration.navigation import ROOT
from sandbox.integration.outgoing.models import Connection
from sandbox.webhooks.models import Webhook

_BECAUSE: dict[Closed, str] = {
    "gone": "It answered 410 Gone, which says that no more is wanted.",
    "failing": "It took no message all through the retry schedule of three days.",
}


def switch_off(session: TenantSession, found: Webhook | Connection, reason: Closed) -> None:
    """Show it as inactive, write that into the audit trail, and mail whom the sandbox belongs to."""
    found.active = False
    record_act(session, actor="delivery", action=f"{found.__tablename__}.disabled_as_{reason}", subject=found.public_id)
    what, host = found.__tablename__.removesuffix("s"), urlsplit(found.url).hostname
    text = (
        f"{_BECAUSE[reason]}\n\nWhat comes from now on is held; nothing is lost. Enable the {what} at\n"
        f"{page_url(f'{ROOT}/{found.__tablename__}/{found.public_id}')}\nand what is held goes out first.\n"
    )
    tell_owner(session, f"Your {what} to {host} was disabled", text)
