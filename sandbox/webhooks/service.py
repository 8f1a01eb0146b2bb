"""Webhooks: registering an address, rotating its secret, switching it off and on, sending it a test."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select

from portal.api.records import find_record
from portal.core.errors import Conflict, NotFound, ValidationFailed
from portal.core.ids import new_public_id
from portal.core.remedies import Remedy
from portal.core.session import TenantSession
from portal.tenancy.clocks import ends_within
from sandbox.delivery.models import Delivery, Endpoint
from sandbox.delivery.service import (
    Message,
    change_lane,
    close_endpoint,
    find_endpoint,
    open_endpoint,
    post,
    remove_endpoint,
    reopen_endpoint,
    send_again,
)
from sandbox.webhooks.models import EarlierSecret, Webhook
from sandbox.webhooks.signing import new_secret
from sandbox.webhooks.subscriptions import forget_subscribers, payload_of

MOST_WEBHOOKS = 20
OVERLAP = dt.timedelta(hours=24)
"""How long messages also carry a signature by a secret that was replaced, by the tenant's clock."""
MOST_EARLIER = 10
TEST_EVENT = "webhook.test"
MOST_RESENT = 1000
"""How many messages one call sends again."""


def add_webhook(session: TenantSession, fields: dict[str, Any]) -> Webhook:
    """Register an address under a new secret. Raises Conflict beyond MOST_WEBHOOKS."""
    if len(session.scalars(select(Webhook.id)).all()) >= MOST_WEBHOOKS:
        message = f"A tenant has {MOST_WEBHOOKS} webhooks at most. Delete one first."
        raise Conflict(message, remedy=Remedy("limit", MOST_WEBHOOKS, "fewer webhooks"))
    endpoint = open_endpoint(session, "webhook", is_ordered=fields["ordered"])
    webhook = Webhook(endpoint_id=endpoint.id, secret=new_secret(), **fields)
    session.add(webhook)
    if not webhook.active:
        close_endpoint(session, endpoint, "off")
    forget_subscribers(session)
    return webhook


def change_webhook(session: TenantSession, webhook: Webhook, fields: dict[str, Any]) -> None:
    """Change a webhook. Switched on, it gets what was held for it first, at its present address."""
    for name, value in fields.items():
        setattr(webhook, name, value)
    endpoint = endpoint_of(session, webhook)
    change_lane(session, endpoint.id, is_ordered=webhook.ordered)
    if not webhook.active and endpoint.closed_as is None:
        close_endpoint(session, endpoint, "off")
    elif webhook.active and endpoint.closed_as is not None:
        reopen_endpoint(session, endpoint)
    forget_subscribers(session)


def remove_webhook(session: TenantSession, webhook: Webhook) -> None:
    """Take a webhook's endpoint away with it; the log of what was sent stays."""
    endpoint = endpoint_of(session, webhook)
    session.delete(webhook)
    session.flush()
    remove_endpoint(session, endpoint)
    forget_subscribers(session)


def rotate_secret(session: TenantSession, webhook: Webhook) -> str:
    """Give a webhook a new secret, from the next message on. For OVERLAP messages are signed with the old one as well.

    Each earlier secret keeps its own OVERLAP, by the tenant's clock. Raises Conflict beyond MOST_EARLIER of them.
    """
    now = session.clock.now()
    own = EarlierSecret.webhook_id == webhook.id
    session.execute(delete(EarlierSecret).where(own, EarlierSecret.ends_at <= now))
    if len(session.scalars(select(EarlierSecret.id).where(own)).all()) >= MOST_EARLIER:
        message = f"Messages are signed with {MOST_EARLIER} earlier secrets already. Wait until one of them ends."
        raise Conflict(message, remedy=Remedy("limit", MOST_EARLIER, "fewer earlier secrets"))
    webhook.old_secret_until = now + OVERLAP
    session.add(EarlierSecret(webhook_id=webhook.id, secret=webhook.secret, ends_at=webhook.old_secret_until))
    webhook.secret = new_secret()
    return webhook.secret


def send_test(session: TenantSession, webhook: Webhook) -> Delivery:
    """Post a test event to one webhook, whatever it subscribes to. It is held where the webhook is off."""
    facts = {"public_id": webhook.public_id, "message": "This is a test. Nothing happened to any record."}
    body = payload_of(TEST_EVENT, session.clock.now(), facts)
    message = Message(new_public_id("evt"), TEST_EVENT, webhook.url, body, subject=webhook.public_id)
    return post(session, endpoint_of(session, webhook), message)


@dataclass(frozen=True)
class Resent:
    """How many messages are sent again; where that was not all, the instant and the delivery to go on from."""

    resent: int
    next_from: dt.datetime | None
    next_after: str | None


def send_again_since(
    session: TenantSession,
    webhook: Webhook,
    *,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    after: str | None = None,
    only_failed: bool = False,
) -> Resent:
    """Send a webhook's ended messages again, oldest first, MOST_RESENT at most.

    Those announced from `since` to `until`, both included, by the tenant's time; None leaves a side open. Those
    behind the delivery `after`, a public id: each call that goes on from the last one's `next_after` sends others.
    Raises ValidationFailed for one that is unknown.
    """
    ended = ("failed",) if only_failed else ("delivered", "failed", "discarded")
    wanted = select(Delivery).where(Delivery.endpoint_id == webhook.endpoint_id, Delivery.status.in_(ended))
    if since is not None:
        wanted = wanted.where(Delivery.created_at >= since)
    if until is not None:
        wanted = wanted.where(Delivery.created_at <= until)
    if after is not None:
        wanted = wanted.where(Delivery.id > _place_of(session, after))
    found = list(session.scalars(wanted.order_by(Delivery.id).limit(MOST_RESENT + 1)))
    chosen, rest = found[:MOST_RESENT], found[MOST_RESENT:]
    next_after = chosen[-1].public_id if rest else None
    return Resent(send_again(session, chosen), rest[0].created_at if rest else None, next_after)


def _place_of(session: TenantSession, delivery: str) -> int:
    try:
        return find_record(session, Delivery, delivery).id
    except NotFound:
        raise ValidationFailed({"after": "No such delivery"}) from None


def endpoint_of(session: TenantSession, webhook: Webhook) -> Endpoint:
    """The endpoint behind a webhook."""
    endpoint = find_endpoint(session, webhook.endpoint_id)
    assert endpoint is not None
    return endpoint


def secrets_of(session: TenantSession, webhooks: Sequence[Webhook]) -> dict[int, list[str]]:
    """Return what each webhook's messages are signed with now: its secret, then those replaced, the latest first."""
    found = {webhook.id: [webhook.secret] for webhook in webhooks}
    earlier = select(EarlierSecret.webhook_id, EarlierSecret.secret).where(
        EarlierSecret.webhook_id.in_(found), EarlierSecret.ends_at > session.clock.now()
    )
    for webhook_id, secret in session.execute(earlier.order_by(EarlierSecret.id.desc())):
        found[webhook_id].append(secret)
    return found


def secrets_for_url(session: TenantSession, url: str) -> list[str]:
    """The secrets of the tenant's webhooks with this address."""
    found = session.scalars(select(Webhook).where(Webhook.url == url).order_by(Webhook.id)).all()
    return [secret for secrets in secrets_of(session, found).values() for secret in secrets]


ends_within(EarlierSecret.ends_at, OVERLAP)
ends_within(Webhook.old_secret_until, OVERLAP)
