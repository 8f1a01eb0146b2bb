"""The log of what came in, as a person reads it: filtered, page by page, or as a sheet."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select

from portal.core.session import TenantSession
from portal.core.types import lowered
from sandbox.integration.incoming.models import IncomingMessage
from sandbox.reports.sheet import Cell, write_csv

SHEET = (
    "received_at",
    "request_id",
    "mapping",
    "version",
    "key_id",
    "http_status",
    "record",
    "outcome",
    "record_id",
    "error_code",
    "message",
    "duration_ms",
)
MOST_LINES = 5000


@dataclass(frozen=True)
class Wanted:
    """Which messages: by outcome, by the mapping's slug, by the days they came (both included), by a text in them."""

    outcome: str | None = None
    mapping: str | None = None
    date_from: dt.date | None = None
    date_to: dt.date | None = None
    search: str | None = None


def list_messages(
    session: TenantSession, wanted: Wanted, *, limit: int = 20, page: int = 1
) -> tuple[list[IncomingMessage], int]:
    """One page of messages, newest first, and how many there are in all."""
    conditions = list(_conditions(wanted))
    found = select(IncomingMessage).where(*conditions).order_by(IncomingMessage.id.desc())
    total = session.scalar(select(func.count(IncomingMessage.id)).where(*conditions)) or 0
    return list(session.scalars(found.limit(limit).offset((page - 1) * limit))), total


def export_messages(session: TenantSession, wanted: Wanted) -> str:
    """The messages as CSV, newest first, a line for each record."""
    messages, _ = list_messages(session, wanted, limit=MOST_LINES)
    return write_csv(SHEET, (line for message in messages for line in _lines(message)))


def _lines(message: IncomingMessage) -> Iterator[tuple[Cell, ...]]:
    head = (
        message.received_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        message.request_id,
        message.mapping,
        message.version,
        message.key_id,
        message.http_status,
    )
    for number, outcome in enumerate(message.outcomes, 1):
        told = (outcome["outcome"], outcome.get("record_id"), outcome.get("code"), outcome.get("message"))
        yield (*head, number, *told, message.duration // 1000)


def _conditions(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    if wanted.outcome:
        yield IncomingMessage.outcome == wanted.outcome
    if wanted.mapping:
        yield IncomingMessage.mapping == wanted.mapping
    if wanted.date_from:
        yield IncomingMessage.received_at >= _midnight(wanted.date_from)
    if wanted.date_to:
        yield IncomingMessage.received_at < _midnight(min(wanted.date_to, dt.date(9999, 12, 30))) + dt.timedelta(days=1)
    if wanted.search:
        needle = "%" + re.sub(r"([\\%_])", r"\\\1", wanted.search.lower()) + "%"
        columns = (IncomingMessage.request_id, IncomingMessage.summary, IncomingMessage.body)
        yield or_(*(lowered(column).like(needle, escape="\\") for column in columns))


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)
