"""The log of sends: read by page, by search, whole with every attempt, or as a table for a spreadsheet."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any, Literal

from itsdangerous import URLSafeSerializer
from pydantic import Field

from portal.api.lists import Filter, equals, from_day_of, query_schema, to_day_of
from portal.api.operation import Page
from portal.api.paging import ListPlan, Reader
from portal.api.schema import ApiModel, Date
from portal.core.session import TenantSession
from sandbox.delivery.models import Delivery
from sandbox.integration.outgoing.mappings import Slug
from sandbox.integration.outgoing.shown import COLUMNS, Status, show_sends
from sandbox.reports.sheet import Cell, write_csv

MOST_EXPORTED = 10_000
EXPORT_NAME = "outgoing-log.csv"
EXPORTED = (
    "created_at", "mapping", "subject", "status", "attempts", "answer_status", "reference", "reason",
    "idempotency_key", "url", "attempted_at", "ended_at", "trace", "record_version", "previous_idempotency_key",
)  # fmt: skip
ORDER = ("-id", "created_at")
_SEARCHED = (
    Delivery.type, Delivery.subject, Delivery.reference, Delivery.message_id, Delivery.previous_id, Delivery.trace,
    Delivery.body,
)  # fmt: skip
_COMMON = {
    "mapping": equals(Delivery.type, Slug, "Slug of the mapping"),
    "date_from": from_day_of(Delivery.created_at, Date),
    "date_to": to_day_of(Delivery.created_at, Date),
}
_FIXED = {"kind": equals(Delivery.kind, str), "status": equals(Delivery.status, Status)}
LOG_FILTERS: dict[str, Filter] = {"status": _FIXED["status"], **_COMMON}
QUEUE_FILTERS: dict[str, Filter] = dict(_COMMON)
_PLAN = ListPlan(Delivery, tuple(getattr(Delivery, name) for name in COLUMNS), _FIXED | _COMMON, _SEARCHED)


def log_query(name: str, filters: dict[str, Filter]) -> type[ApiModel]:
    """The schema of the query of a list of sends."""
    return query_schema(name, filters, ORDER, searches=True, keeps_deletions=False)


class LogQuery(log_query("SendQuery", LOG_FILTERS)):  # type: ignore[misc]
    """The query of the log, which may also be had as a file."""

    format: Literal["json", "csv"] = Field("json", description="The envelope, or a file for a spreadsheet")


def read_log(session: TenantSession, query: Any, signer: URLSafeSerializer, **fixed: str) -> Page:
    """One page of the sends that a query asks for. `fixed` may set what the query leaves open, such as the status."""
    page = Reader(session, _PLAN, query.model_copy(update={"kind": "send", **fixed}), signer).read()
    return replace(page, items=show_sends(session, page.items))


def export_log(session: TenantSession, query: Any, signer: URLSafeSerializer) -> str:
    """All that a query asks for, whatever its page, as CSV: the first MOST_EXPORTED in its order."""
    everything = query.model_copy(update={"limit": MOST_EXPORTED, "page": 1, "cursor": None})
    page = read_log(session, everything, signer)
    return write_csv(EXPORTED, ([_cell(row[name]) for name in EXPORTED] for row in page.items))


def _cell(value: Any) -> Cell:
    if isinstance(value, dt.datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    cell: Cell = value
    return cell
