"""The end of a call: commit, count it against its limit, say how many are left, write it down."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Any

from flask import Response, g, request

from portal.api.answers import refusal
from portal.api.exchanges import describe_exchange, is_stale, note_use, write_exchange
from portal.api.guards import charge_refused, current_operation
from portal.api.operation import Operation
from portal.core.deadlines import hurry
from portal.core.errors import RateLimited, ServiceUnavailable
from portal.core.meter import Reading, Tab
from portal.core.prepared import Direct
from portal.core.runtime import end_transaction, roll_back, runtime
from portal.core.session import TenantSession
from portal.core.store_errors import is_store_failure
from portal.limits import limiter
from portal.tenancy.credentials import Caller

log = logging.getLogger("slipway.api")


@dataclass(frozen=True)
class Entry:
    """What is to be written down of a call: its row in the log, and the charge that is still to be made."""

    row: dict[str, Any]
    tab: Tab | None = None

    def write(self, connection: Direct) -> Reading | None:
        """Charge and log the call; a call over its limit is charged only, as its answer has yet to be withheld."""
        if self.tab is None:
            write_exchange(connection, self.row)
            return None
        reading = self.tab.settle(connection)
        if not reading.is_exceeded:
            shown = self.row["response_headers"] + [list(line) for line in reading.headers.items()]
            write_exchange(connection, {**self.row, "response_headers": shown})
        return reading


def finish(response: Response) -> Response:
    """Commit, settle the tab, put the limit's headers on, write the exchange down.

    If the store fails here, the call has failed: its answer is withheld, as nobody can tell what was kept.
    """
    try:
        return _finish(response)
    except Exception as error:
        if not is_store_failure(error):
            raise
        return _withdraw(error)


def _withdraw(error: Exception) -> Response:
    hurry()
    log.warning("a call could not be finished: %s", error.__cause__ or error, extra={"request_id": g.request_id})
    session: TenantSession | None = g.get("session")
    if session is not None:
        roll_back(session)
    refused = ServiceUnavailable()
    g.refusal_code = refused.code
    return refusal(refused)


def _finish(response: Response) -> Response:
    operation = current_operation()
    if request.method == "OPTIONS" or operation is None or "tenant_id" not in g:
        return end_transaction(response)
    if "caller" in g:
        return _settle(response, operation)
    end_transaction(response)
    add_limit_headers(response)
    try:
        runtime().shared_writes.write(Entry(_describe(response, operation)).write)
    except ServiceUnavailable:
        log.warning("exchange %s was not logged", g.request_id)
    return response


def _settle(response: Response, operation: Operation) -> Response:
    """Commit, charge and log a call with a credential. What it wrote, its charge and its log are one transaction."""
    tab: Tab | None = g.get("tab")
    if tab is None:
        add_limit_headers(response)
    entry = Entry(_describe(response, operation), tab)
    reading = _write(entry, response)
    if reading is not None and reading.is_exceeded:
        response = _withhold(reading)
        _write(Entry(_describe(response, operation)), response)
    elif reading is not None:
        response.headers.update(reading.headers)
    _note_use(g.caller)
    return response


def _write(entry: Entry, response: Response) -> Reading | None:
    """Within the call's own transaction if it has written anything worth keeping, else along with other calls'."""
    session: TenantSession | None = g.get("session")
    if response.status_code >= 400 or session is None or not (session.may_write and session.in_transaction()):
        end_transaction(response)
        written: Reading | None = runtime().shared_writes.write(entry.write)
        return written
    session.revise()
    with session.directly() as connection:
        reading = entry.write(connection)
    end_transaction(_withhold(reading) if reading is not None and reading.is_exceeded else response)
    return reading


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


def _note_use(caller: Caller) -> None:
    """Note a key's use, at most once a minute. In a write of its own, so that a log entry waits for no key's row."""
    if is_stale(caller.last_used_at):
        try:
            runtime().shared_writes.write(lambda connection: note_use(connection, caller.tenant_id, caller.api_key_id))
        except ServiceUnavailable:
            log.warning("the use of key %s was not noted", caller.key_id)


def _describe(response: Response, operation: Operation) -> dict[str, Any]:
    started: float = g.started
    duration = int((time.perf_counter() - started) * 1_000_000)
    return describe_exchange(
        response, tenant_id=g.tenant_id, operation=operation.id, duration=duration, hides=operation.hides
    )
