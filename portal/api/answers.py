"""The envelope: every answer of the API leaves through here (contract section 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
from flask import Response, g, request

from portal.api.operation import Done, Page
from portal.core.errors import DomainError
from portal.core.runtime import runtime

JSON = "application/json"
PROBLEM = "application/problem+json"

encode = msgspec.json.Encoder(decimal_format="number").encode


def answer(result: Any, status: int) -> Response:
    """The success answer for what a handler returned."""
    if isinstance(result, Response):
        return result
    if isinstance(result, Page):
        return _page(result)
    body: dict[str, Any] = {"success": True}
    headers: Mapping[str, str] = {}
    if isinstance(result, Done):
        notice = {"type": "success", "title": result.message, "text": result.message + ".", "display": "toast"}
        body |= {"message": result.message, "data": result.data, "notice": notice}
        headers = result.headers
    else:
        body["data"] = result
    return Response(encode(body), status, headers, mimetype=JSON)


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


def _page(page: Page) -> Response:
    pages = -(-page.total // page.limit)
    meta = {"current_page": page.page, "total_pages": pages, "total_records": page.total}
    response = Response(encode({"success": True, "data": page.items, "meta": meta}), 200, mimetype=JSON)
    if links := _links(page, pages):
        response.headers["Link"] = links
    return response


def _links(page: Page, pages: int) -> str:
    targets = {"first": 1, "prev": page.page - 1, "next": page.page + 1, "last": max(pages, 1)}
    wanted = {name: number for name, number in targets.items() if 1 <= number <= max(pages, 1)}
    base, arguments = runtime().settings.base_url + request.path, request.args.to_dict()
    return ", ".join(f'<{_with_page(base, arguments, number)}>; rel="{name}"' for name, number in wanted.items())


def _with_page(base: str, arguments: dict[str, str], number: int) -> str:
    return f"{base}?{urlencode({**arguments, 'page': number})}"
