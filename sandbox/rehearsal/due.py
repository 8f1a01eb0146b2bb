"""What falls due in a sandbox as its time goes on: each kind is a question to the store, asked between two instants."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute

from portal.api.idempotency import IdempotencyKey
from portal.core.clock import Clock
from portal.core.session import TenantSession
from portal.tenancy.models import AccessToken, ApiKey
from sandbox.delivery.models import Delivery, Queued
from sandbox.integration.outgoing.models import OutgoingMapping, SendSchedule
from sandbox.resources.invoice_records import Invoice
from sandbox.resources.quote_records import Quote
from sandbox.webhooks.models import EarlierSecret, Webhook

_ALMOST_A_SECOND = dt.timedelta(microseconds=999_999)


@dataclass(frozen=True)
class Due:
    """One thing that fell due, or will: when, what kind of thing, and which one."""

    at: dt.datetime
    type: str
    subject: str | None


@dataclass(frozen=True)
class Kind:
    """A kind of thing that falls due: an instant, or a last day, which ends with the day of the tenant's time zone.

    With `is_real` the column holds the machine's time, as the queue of deliveries does.
    """

    type: str
    text: str
    column: InstrumentedAttribute[Any]
    subject: InstrumentedAttribute[Any]
    conditions: tuple[ColumnElement[bool], ...] = ()
    is_day: bool = False
    is_real: bool = False
    read: Callable[[Select[Any]], Select[Any]] = lambda statement: statement

    def between(self, clock: Clock, after: dt.datetime, until: dt.datetime) -> Select[Any]:
        """What falls due after one instant, and at another at the latest."""
        column: Any = self.column
        if self.is_real:
            after, until = after - clock.offset, until - clock.offset
        window = (column > after, column <= until)
        if self.is_day:
            days = clock.calendar
            window = (column >= days.date_of(after), column < days.date_of(until))
        return self.read(select(column, self.subject).where(*window, *self.conditions))

    def at(self, clock: Clock, value: Any) -> dt.datetime:
        """The instant a value of the column stands for, by the tenant's clock."""
        if self.is_real:
            return clock.at(value + _ALMOST_A_SECOND)
        return clock.calendar.end_of(value) if self.is_day else value


_OPEN = Invoice.status.in_(("Unpaid", "Partially Paid"))
KINDS = (
    Kind("invoice.overdue", "An invoice was not paid in time", Invoice.due_date, Invoice.public_id, (_OPEN,), True),
    Kind(
        "quote.expired", "A quote ended unanswered", Quote.valid_until, Quote.public_id, (Quote.status == "Open",), True
    ),
    Kind("api_key.expired", "A key ended", ApiKey.expires_at, ApiKey.key_id, (ApiKey.revoked_at.is_(None),)),
    Kind(
        "access_token.expired",
        "An access token ended; named by its key",
        AccessToken.expires_at,
        ApiKey.key_id,
        (ApiKey.revoked_at.is_(None),),
        read=lambda statement: statement.join(
            ApiKey, (ApiKey.tenant_id == AccessToken.tenant_id) & (ApiKey.id == AccessToken.api_key_id)
        ),
    ),
    Kind(
        "idempotency_key.expired",
        "An answer is no longer kept for its idempotency key",
        IdempotencyKey.expires_at,
        IdempotencyKey.key,
        (IdempotencyKey.status.is_not(None),),
    ),
    Kind(
        "webhook_secret.expired",
        "An earlier secret of a webhook ended",
        EarlierSecret.ends_at,
        Webhook.public_id,
        read=lambda statement: statement.join(
            Webhook, (Webhook.tenant_id == EarlierSecret.tenant_id) & (Webhook.id == EarlierSecret.webhook_id)
        ),
    ),
    Kind(
        "outgoing_mapping.due",
        "A scheduled mapping sends what changed",
        SendSchedule.next_at,
        OutgoingMapping.public_id,
        read=lambda statement: statement.join(
            OutgoingMapping,
            (OutgoingMapping.tenant_id == SendSchedule.tenant_id) & (OutgoingMapping.id == SendSchedule.mapping_id),
        ),
    ),
    Kind(
        "delivery.due",
        "A message is tried again",
        Queued.due_at,
        Delivery.public_id,
        is_real=True,
        read=lambda statement: statement.join(
            Delivery, (Delivery.tenant_id == Queued.tenant_id) & (Delivery.id == Queued.delivery_id)
        ),
    ),
)


def list_due(session: TenantSession, after: dt.datetime, until: dt.datetime, most: int) -> tuple[list[Due], int]:
    """What falls due after one instant, at another at the latest, in order: the first `most`, and how many in all."""
    found: list[Due] = []
    total = 0
    for kind in KINDS:
        statement = kind.between(session.clock, after, until)
        total += session.scalar(select(func.count()).select_from(statement.subquery())) or 0
        rows = session.execute(statement.order_by(kind.column, kind.subject).limit(most))
        found += [Due(kind.at(session.clock, value), kind.type, subject) for value, subject in rows]
    return sorted(found, key=lambda due: due.at)[:most], total


def find_next(session: TenantSession, after: dt.datetime, until: dt.datetime) -> Due | None:
    """What falls due first, if anything does up to `until`."""
    return next(iter(list_due(session, after, until, 1)[0]), None)
