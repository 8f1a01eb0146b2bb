"""The end of a call: commit, count it against its limit, say how many are left, write it down."""

from __future__ import annotations

import logging
import time
from typing import Any

from flask import Response, g, request
from sqlalchemy.exc import SQLAlchemyError

from portal.api.answers import refusal
from portal.api.exchanges import describe_exchange, is_stale, write_exchange
from portal.api.guards import charge_refused, current_operation
from portal.api.operation import Operation
from portal.core.errors import RateLimited, ServiceUnavailable
from portal.core.meter import Reading, Tab
from portal.core.prepared import direct
from portal.core.runtime import end_transaction, runtime
from portal.limits import limiter
from portal.tenancy.credentials import Caller

log = logging.getLogger("slipway.api")


def finish(response: Response) -> Response:
    """Commit, settle the tab, put the limit's headers on, write the exchange down."""
    response = end_transaction(response)
    operation = current_operation()
    if request.method == "OPTIONS" or operation is None or "tenant_id" not in g:
        return response
    if "tab" in g:
        return _settle_and_log(response, operation, g.tab)
    add_limit_headers(response)
    try:
        with direct(runtime().database.engine, write=True) as connection:
            write_exchange(connection, *_describe(response, operation))
    except (SQLAlchemyError, ServiceUnavailable):
        log.exception("exchange %s was not logged", g.request_id)
    return response


def _settle_and_log(response: Response, operation: Operation, tab: Tab) -> Response:
    row, used_key = _describe(response, operation)
    with direct(runtime().database.engine, write=True) as connection:
        g.reading = tab.settle(connection)
        if g.reading.is_exceeded:
            response = _withhold(g.reading)
            row, used_key = _describe(response, operation)
        response.headers.update(g.reading.headers)
        row["response_headers"] += [list(line) for line in g.reading.headers.items()]
        write_exchange(connection, row, used_key)
    return response


def _withhold(reading: Reading) -> Response:
    try:
        reading.refuse_if_exceeded()
    except RateLimited as error:
        g.refusal_code = error.code
        return refusal(error)
    raise AssertionError("only an exceeded limit is withheld")


def add_limit_headers(response: Response) -> None:
    """Say how many calls are left (contract section 4): the key's, the named limit's, or the address's."""
    if "X-RateLimit-Limit" in response.headers:
        return
    reading = g.get("reading")
    if reading is not None:
        response.headers.update(reading.headers)
        return
    current = limiter.current_limit
    if current is not None:
        response.headers["X-RateLimit-Limit"] = str(current.limit.amount)
        response.headers["X-RateLimit-Remaining"] = str(max(0, current.remaining))
        response.headers["X-RateLimit-Reset"] = str(current.reset_at)
    elif request.method != "OPTIONS":
        try:
            charge_refused()
        except RateLimited:
            pass
        response.headers.update(g.reading.headers)


def _describe(response: Response, operation: Operation) -> tuple[dict[str, Any], tuple[int, int] | None]:
    started: float = g.started
    duration = int((time.perf_counter() - started) * 1_000_000)
    caller: Caller | None = g.get("caller")
    row = describe_exchange(response, tenant_id=g.tenant_id, operation=operation.id, duration=duration)
    used_key = (caller.tenant_id, caller.api_key_id) if caller and is_stale(caller.last_used_at) else None
    return row, used_key
