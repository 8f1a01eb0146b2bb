"""Incoming Logs: what external systems sent and what they were told, found again, exported, tried on a draft."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, get_args

from flask import Blueprint, Response, render_template, request, url_for
from itsdangerous import URLSafeSerializer
from sqlalchemy import select

from portal.api.exchanges import find_exchange
from portal.api.lists import query_schema
from portal.api.operation import Page
from portal.api.paging import ListPlan, Reader
from portal.api.schema import validate
from portal.core.errors import NotFound, ValidationFailed
from portal.core.runtime import current_session, runtime
from portal.tenancy.audit import record_act
from sandbox.console.drafts import printable
from sandbox.console.showing import paint_body, show_logged
from sandbox.console.visitor import visitor_actor, wants_block
from sandbox.integration.incoming.acting import OUTCOMES
from sandbox.integration.incoming.log import find_message
from sandbox.integration.incoming.logs_api import FILTERS, SEARCHES, IncomingLogLine, Overall
from sandbox.integration.incoming.models import IncomingMapping, IncomingMessage
from sandbox.integration.incoming.service import list_mappings
from sandbox.integration.visiting import integrated_sandbox
from sandbox.reports.sheet import Cell, as_download, write_csv

PAGE = 50
REFRESH_SECONDS = 5
MOST_EXPORTED = 10_000
TYPED = ("outcome", "mapping", "date_from", "date_to", "search")
EXPORTED = (*IncomingLogLine.model_fields, "summary")
_COLUMNS = (IncomingMessage.id, *(getattr(IncomingMessage, name) for name in EXPORTED))
_PLAN = ListPlan(IncomingMessage, _COLUMNS, FILTERS, SEARCHES)
_QUERY: Any = query_schema("IncomingLogPages", FILTERS, ("-id",), searches=True, keeps_deletions=False)


def add_routes(blueprint: Blueprint) -> None:
    """The log's pages."""
    blueprint.add_url_rule("/incoming/logs", "list_messages", list_messages, methods=["GET"])
    blueprint.add_url_rule("/incoming/logs.csv", "export_messages", export_messages, methods=["GET"])
    blueprint.add_url_rule("/incoming/logs/<reference>", "show_message", show_message, methods=["GET"])


def list_messages() -> str:
    """A page of the log, newest first, filtered and searched."""
    tenant = integrated_sandbox()
    words = _read()
    if wants_block():
        return render_template("incoming/messages.html", **words)
    mappings = list_mappings(current_session())
    return render_template("incoming/list_messages.html", tenant=tenant, mappings=mappings, **words)


def export_messages() -> Response:
    """All that fits the filter, as a file; written into the audit trail."""
    session = current_session(write=True)
    integrated_sandbox()
    given = {name: text for name, text in _typed().items() if text}
    everything = validate(_QUERY, given).model_copy(update={"limit": MOST_EXPORTED, "page": 1})
    table = write_csv(EXPORTED, _cells(_page(everything)))
    record_act(session, actor=visitor_actor(), action="incoming-logs.list")
    return as_download(table, "incoming-log.csv")


def show_message(reference: str) -> str:
    """One message: what came, secrets masked, and what became of each record."""
    tenant, session = integrated_sandbox(), current_session()
    try:
        message = find_message(session, reference)
    except NotFound:
        raise NotFound("The log of this sandbox has no such message.") from None
    exchange = find_exchange(session, message.request_id)
    return render_template(
        "incoming/show_message.html",
        tenant=tenant,
        message=message,
        body=paint_body(message.body),
        exchange=exchange,
        answer=show_logged(exchange) if exchange else None,
        mapping=session.scalar(select(IncomingMapping).where(IncomingMapping.slug == message.mapping)),
        outcomes=OUTCOMES,
    )


def _typed() -> dict[str, str]:
    return {name: printable(request.args.get(name, "")).strip() for name in TYPED}


def _read() -> dict[str, Any]:
    """What the list needs: its page, the filter as it was typed, and what is wrong with the filter."""
    typed, errors = _typed(), {}
    given = {name: text for name, text in typed.items() if text}
    try:
        query = validate(_QUERY, given | {"limit": str(PAGE), "page": request.args.get("page", "1")})
    except ValidationFailed as refused:
        query, errors = validate(_QUERY, {"limit": str(PAGE)}), refused.errors
    page, current = _page(query), query.page
    kept: dict[str, Any] = {name: text for name, text in typed.items() if text}
    return {
        "messages": [] if errors else page.items,
        "typed": typed,
        "errors": errors,
        "is_filtered": bool(kept) or current > 1,
        "choices": get_args(Overall),
        "outcomes": OUTCOMES,
        "refresh": REFRESH_SECONDS,
        "export": url_for("incoming.export_messages", **kept),
        "newer": url_for("incoming.list_messages", **kept, page=current - 1) if current > 1 else None,
        "older": url_for("incoming.list_messages", **kept, page=current + 1) if current < page.pages else None,
    }


def _page(query: Any) -> Page:
    signer = URLSafeSerializer(runtime().settings.secret_key, salt="incoming log pages")
    return Reader(current_session(), _PLAN, query, signer).read()


def _cells(page: Page) -> Iterator[list[Cell]]:
    for row in page.items:
        yield [_cell(row[name]) for name in EXPORTED]


def _cell(value: Any) -> Cell:
    cell: Cell = value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, dt.datetime) else value
    return cell
