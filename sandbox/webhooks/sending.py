"""How a webhook's message becomes a request, and what its answer means (Standard Webhooks specification)."""

from __future__ import annotations

from sqlalchemy import select

from portal.core.clock import system_now
from portal.core.outgoing import OutgoingAnswer, OutgoingRequest
from portal.core.session import TenantSession
from sandbox.delivery.kinds import KindOfDelivery, Parcel, Verdict
from sandbox.delivery.models import Closed, Delivery, Endpoint
from sandbox.delivery.schedule import GONE, OVERWHELMED
from sandbox.integration.closing import switch_off
from sandbox.webhooks.models import Webhook
from sandbox.webhooks.service import secrets_of
from sandbox.webhooks.signing import sign

TIMEOUT_SECONDS = 15
_STAYS = {"Content-Type": "application/json", "User-Agent": "Slipway-Webhooks/1"}


def compose(session: TenantSession, deliveries: list[Delivery]) -> dict[int, Parcel]:
    """Signed requests to the addresses the webhooks have now."""
    places = {delivery.endpoint_id for delivery in deliveries}
    found = session.scalars(select(Webhook).where(Webhook.endpoint_id.in_(places))) if places else ()
    webhooks = {webhook.endpoint_id: webhook for webhook in found}
    keys, now = secrets_of(session, list(webhooks.values())), system_now()
    return {
        delivery.id: Parcel(
            OutgoingRequest(
                method="POST",
                url=webhooks[delivery.endpoint_id].url,
                headers=_STAYS | sign(delivery.message_id, now, delivery.body, keys[webhooks[delivery.endpoint_id].id]),
                body=delivery.body.encode(),
                timeout=TIMEOUT_SECONDS,
            )
        )
        for delivery in deliveries
        if delivery.endpoint_id in webhooks
    }


def judge(session: TenantSession, delivery: Delivery, answer: OutgoingAnswer) -> Verdict:
    """2xx is delivered; 410 asks for nothing more; 429, 502 and 504 ask for less; anything else is a failure."""
    status = answer.status
    if 200 <= status < 300:
        return Verdict(True)
    reason = f"Answered {status}"
    if 300 <= status < 400:
        reason += "; redirects are not followed, so register the address it points to"
    return Verdict(False, reason, is_gone=status == GONE, is_overwhelmed=status in OVERWHELMED)


def tell_closed(session: TenantSession, endpoint: Endpoint, reason: Closed) -> None:
    """Switch the webhook off and tell its owner."""
    webhook = session.scalar(select(Webhook).where(Webhook.endpoint_id == endpoint.id))
    if webhook is not None:
        switch_off(session, webhook, reason)


WEBHOOKS = KindOfDelivery(compose, judge, tell_closed)
