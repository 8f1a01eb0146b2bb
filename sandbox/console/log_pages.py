"""The log: the latest calls of the sandbox, whoever made them, each to be opened and sent again."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, render_template, request

from portal.api.exchanges import Exchange, find_exchange, list_exchanges
from portal.core.errors import NotFound
from portal.core.runtime import current_session
from portal.docs.service import find_operation
from sandbox.console.catalogue import choose_operation
from sandbox.console.drafts import NO_KEY, Draft, can_be_sent, draft_again, printable
from sandbox.console.showing import paint_body, show_logged
from sandbox.console.visitor import own_sandbox, wants_block

ON_A_PAGE = 50
LAST_PAGE = 10_000
CLASSES = ("2", "3", "4", "5")
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def add_routes(blueprint: Blueprint) -> None:
    """The log's pages."""
    blueprint.add_url_rule("/requests", "list_requests", list_requests, methods=["GET"])
    blueprint.add_url_rule("/requests/<request_id>", "show_request", show_request, methods=["GET"])


def list_requests() -> str:
    """Fifty calls on a page; `q` finds one by request id, `status` keeps those of a class, `latest` the first few."""
    tenant = own_sandbox()
    wanted, status = printable(request.args.get("q", "")).strip(), request.args.get("status", "")
    limit = min(max(request.args.get("latest", ON_A_PAGE, int), 1), ON_A_PAGE)
    page = min(max(request.args.get("page", 1, int), 1), LAST_PAGE)
    calls = list_exchanges(
        current_session(),
        limit=limit + 1,
        offset=(page - 1) * ON_A_PAGE,
        request_id=wanted or None,
        status_class=status if status in CLASSES else "",
    )
    words: dict[str, Any] = {
        "calls": calls[:limit],
        "page": page,
        "has_older": len(calls) > limit,
        "wanted": wanted,
        "status": status,
        "classes": CLASSES,
        "compact": "latest" in request.args,
    }
    if wants_block():
        return render_template("console/calls.html", **words)
    return render_template("console/list_requests.html", tenant=tenant, **words)


def show_request(request_id: str) -> str:
    """One call with its answer, secrets masked."""
    tenant = own_sandbox()
    call = _find(request_id)
    operation = find_operation(call.operation)
    return render_template(
        "console/show_request.html",
        tenant=tenant,
        call=call,
        sent=paint_body(call.request_body),
        shown=show_logged(call),
        operation=operation,
        can_send_again=operation is not None and can_be_sent(operation),
    )


def draft_logged(request_id: str) -> Draft:
    """The form filled with a logged call. Raises NotFound."""
    call = _find(request_id)
    body = paint_body(call.request_body)
    return draft_again(
        choose_operation(call.operation), call.path, call.request_headers, call.role or NO_KEY, body.text
    )


def _find(request_id: str) -> Exchange:
    call = find_exchange(current_session(), request_id) if _REQUEST_ID.fullmatch(request_id) else None
    if call is None:
        raise NotFound("The log of this sandbox has no such request.")
    return call
