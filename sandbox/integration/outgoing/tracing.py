"""A trace: what one request brought, which records it wrote, which events followed, and where they were delivered."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

from sqlalchemy import select

from portal.api.exchanges import Exchange
from portal.core.errors import NotFound
from portal.core.events import Event
from portal.core.session import TenantSession
from portal.tenancy.models import AuditRow
from sandbox.delivery.models import Attempt, Delivery
from sandbox.integration.incoming.models import IncomingMessage

MOST_SHOWN = 500
"""Of each kind: a batch of the largest size fits."""
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
Row = dict[str, Any]


def read_trace(session: TenantSession, request_id: str) -> Row:
    """Everything known of one request of the tenant's, in the order in which it happened. Raises NotFound."""
    if not _REQUEST_ID.fullmatch(request_id):
        raise NotFound
    trace = {
        "calls": _read(session, Exchange, Exchange.request_id == request_id, _CALL),
        "incoming": _read(session, IncomingMessage, IncomingMessage.request_id == request_id, _INCOMING),
        "records": _records(session, request_id),
        "events": _read(session, Event, Event.trace == request_id, _EVENT),
        "deliveries": _deliveries(session, request_id),
    }
    if not any(trace.values()):
        raise NotFound
    return {"request_id": request_id, **trace}


_CALL = ("operation", "method", "path", "status", "code", "created_at")
_INCOMING = ("public_id", "mapping", "version", "record_count", "outcome", "http_status", "summary", "received_at")
_EVENT = ("public_id", "type", "subject", "created_at")
_DELIVERY = ("public_id", "kind", "type", "subject", "status", "reason", "reference", "created_at", "ended_at")
_ATTEMPT = ("number", "made_at", "answer_status", "failure")


def _read(session: TenantSession, model: Any, condition: Any, names: tuple[str, ...]) -> list[Row]:
    columns = [getattr(model, name) for name in names]
    found = session.execute(select(*columns).where(condition).order_by(model.id).limit(MOST_SHOWN))
    return [dict(zip(names, row, strict=True)) for row in found]


def _records(session: TenantSession, request_id: str) -> list[Row]:
    """The records that the audit trail says the request wrote, each once."""
    acts = select(AuditRow.changes).where(AuditRow.request_id == request_id).order_by(AuditRow.id).limit(MOST_SHOWN)
    seen: dict[tuple[str, ...], Row] = {}
    for changes in session.scalars(acts):
        for change in changes:
            if change["public_id"]:
                row = {name: change[name] for name in ("table", "public_id", "verb")}
                seen.setdefault(tuple(row.values()), row)
    return list(seen.values())[:MOST_SHOWN]


def _deliveries(session: TenantSession, request_id: str) -> list[Row]:
    columns = [Delivery.id, *(getattr(Delivery, name) for name in _DELIVERY)]
    wanted = select(*columns).where(Delivery.trace == request_id).order_by(Delivery.id).limit(MOST_SHOWN)
    rows = list(session.execute(wanted))
    attempts: dict[int, list[Row]] = defaultdict(list)
    made = select(Attempt).where(Attempt.delivery_id.in_([row[0] for row in rows]))
    for attempt in session.scalars(made.order_by(Attempt.delivery_id, Attempt.number)):
        attempts[attempt.delivery_id].append({name: getattr(attempt, name) for name in _ATTEMPT})
    return [{**dict(zip(_DELIVERY, row[1:], strict=True)), "attempts": attempts[row[0]]} for row in rows]
