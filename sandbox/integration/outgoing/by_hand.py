"""Sending one record because somebody asked: `Send to API`."""

from __future__ import annotations

from typing import Any

from portal.core.errors import Conflict
from portal.core.remedies import Remedy
from portal.core.session import TenantSession
from sandbox.delivery.models import Delivery
from sandbox.delivery.service import send_again
from sandbox.integration.outgoing.failed import was_edited, why_not_again
from sandbox.integration.outgoing.models import OutgoingMapping
from sandbox.integration.outgoing.sending import Outlet, compose_all, outlet_of, send_records
from sandbox.integration.outgoing.versions_sent import find_by_key, find_claimed

UNDER_WAY = ("pending", "held")


def send_by_hand(session: TenantSession, mapping: OutgoingMapping, record: Any) -> Delivery:
    """Send one record as somebody asked, and return its send.

    A version that was posted before and did not get through goes on under its key: what is under way is left alone,
    what failed is tried again. One that was delivered, or would have another body now, becomes a send of its own.
    Raises Conflict for a mapping that may not be sent so, or is switched off.
    """
    if not mapping.active:
        message = f"The mapping {mapping.slug} is switched off. Switch it on, then repeat."
        raise Conflict(message, remedy=Remedy("state", "off", "active"))
    if not mapping.rows:
        message = f"The mapping {mapping.slug} is nothing but a draft. Publish it, then repeat."
        raise Conflict(message, remedy=Remedy("state", "draft", "live"))
    if not mapping.manual:
        message = f"The mapping {mapping.slug} is not sent by hand. Set manual on it, then repeat."
        raise Conflict(message, remedy=Remedy("state", "not manual", "manual"))
    outlet = outlet_of(session, mapping)
    posted = send_records(session, outlet, [record])
    return posted[0] if posted else _send_once_more(session, outlet, record)


def find_latest(session: TenantSession, mapping: OutgoingMapping, record: Any) -> Delivery | None:
    """Return the send that carries the record's present version by this mapping; None if there is none."""
    claimed = find_claimed(session, outlet_of(session, mapping).place, record.public_id)
    is_present = claimed is not None and claimed.version >= record.version
    return find_by_key(session, claimed.key) if claimed is not None and is_present else None


def _send_once_more(session: TenantSession, outlet: Outlet, record: Any) -> Delivery:
    claimed = find_claimed(session, outlet.place, record.public_id)
    latest = find_by_key(session, claimed.key) if claimed is not None else None
    if latest is not None and latest.status in UNDER_WAY:
        return latest
    if latest is None or latest.status == "delivered" or _differs(session, outlet, record, latest):
        previous = claimed.key if claimed is not None else None
        (delivery,) = send_records(session, outlet, [record], afresh=True, previous=previous)
        return delivery
    reason = why_not_again(session, latest)
    if reason is None:
        send_again(session, [latest])
    else:
        latest.status, latest.reason = "failed", reason
    return latest


def _differs(session: TenantSession, outlet: Outlet, record: Any, latest: Delivery) -> bool:
    """True where the record would be sent with another body than a partner may have got, or somebody has written."""
    if not latest.attempts and not was_edited(session, latest):
        return False
    return latest.body != compose_all(session, outlet, [record])[record.id].text
