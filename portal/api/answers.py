"""The envelope: every answer of the API leaves through here (contract section 3)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import msgspec
from flask import Response, g, request

from portal.api.operation import Done, Operation, Page
from portal.core.errors import DomainError
from portal.core.runtime import runtime

JSON = "application/json"
PROBLEM = "application/problem+json"

encode = msgspec.json.Encoder(decimal_format="number").encode


def answer(result: Any, operation: Operation) -> Response:
    """The success answer for what the operation's handler returned."""
    if isinstance(result, Response):
        return result
    headers = result.headers if isinstance(result, Done) else {}
    response = Response(encode(envelope(result, operation.outcome)), operation.status, headers, mimetype=JSON)
    if isinstance(result, Page) and (links := _links(result)):
        response.headers["Link"] = links
    return response


def envelope(result: Any, outcome: str) -> dict[str, Any]:
    """A success as it is sent: the data, and the meta of a list or the message and notice of an action."""
    if isinstance(result, Page):
        meta = {"current_page": result.page, "total_pages": result.pages, "total_records": result.total}
        return {"success": True, "data": result.items, "meta": meta}
    if isinstance(result, Done):
        notice = {"type": "success", "title": outcome, "text": f"{outcome}.", "display": "toast"}
        return {"success": True, "data": result.data, "message": outcome, "notice": notice}
    return {"success": True, "data": result}


def refusal(error: DomainError) -> Response:
    """The failure answer for an error of the family; problem+json where the client prefers it (RFC 9457)."""
    body: dict[str, Any] = {
        "success": False,
        "message": error.message,
        "code": error.code,
        **error.extra,
        "notice": {
            "type": error.notice_type,
            "title": error.title,
            "text": _advice(error),
            "display": "alert" if error.status in {400, 403, 409} else "toast",
        },
        "docs_url": f"{runtime().settings.base_url}/errors/{error.code}",
        "request_id": g.get("request_id", ""),
    }
    mimetype = JSON
    if _prefers_problem():
        mimetype = PROBLEM
        body = {"type": body["docs_url"], "title": error.title, "status": error.status, "detail": error.message} | body
    return Response(encode(body), error.status, error.headers, mimetype=mimetype)


def _advice(error: DomainError) -> str:
    return "Correct the marked fields and send again." if error.code == "validation_failed" else error.message


def _prefers_problem() -> bool:
    accepted = request.accept_mimetypes
    return PROBLEM in request.headers.get("Accept", "") and accepted[PROBLEM] >= accepted[JSON]


def _links(page: Page) -> str:
    last = max(page.pages, 1)
    targets = {"first": 1, "prev": page.page - 1, "next": page.page + 1, "last": last}
    wanted = {name: number for name, number in targets.items() if 1 <= number <= last}
    base, arguments = runtime().settings.base_url + request.path, request.args.to_dict()
    return ", ".join(f'<{_with_page(base, arguments, number)}>; rel="{name}"' for name, number in wanted.items())


def _with_page(base: str, arguments: dict[str, str], number: int) -> str:
    return f"{base}?{urlencode({**arguments, 'page': number})}"
