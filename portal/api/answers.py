"""The envelope: every answer of the API leaves through here (contract section 3)."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any
from urllib.parse import urlencode

import msgspec
from flask import Response, g, request

from portal.api.guards import current_operation
from portal.api.operation import Bare, Done, Operation, Page
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
    status = result.status if isinstance(result, Bare) and result.status else operation.status
    body = encode(envelope(result, operation.outcome))
    response = Response(body, status, headers, mimetype=JSON)
    if operation.shows_record:
        response.set_etag(entity_tag(encode(result.data if isinstance(result, Done) else result)))
    elif not operation.writes:
        response.set_etag(entity_tag(body))
    if isinstance(result, Page):
        response.headers["Link"] = _links(result)
    return response


def entity_tag(content: bytes) -> str:
    """The strong tag of what is answered, without its quotes."""
    return blake2b(content, digest_size=12).hexdigest()


def envelope(result: Any, outcome: str) -> Any:
    """A success as it is sent: the data, and the meta of a list or the message and notice of an action."""
    if isinstance(result, Bare):
        return result.content
    if isinstance(result, Page):
        deleted = {} if result.deleted is None else {"deleted": result.deleted}
        return {"success": True, "data": result.items, **deleted, "meta": result.meta}
    if isinstance(result, Done):
        kind = "warning" if result.remark else "success"
        notice = {"type": kind, "title": outcome, "text": result.remark or f"{outcome}.", "display": "toast"}
        return {"success": True, "data": result.data, "message": outcome, "notice": notice}
    return {"success": True, "data": result}


def refusal(error: DomainError) -> Response:
    """The failure answer for an error of the family: in the operation's own form where it has one, else the
    envelope, or problem+json where the client prefers it (RFC 9457).
    """
    body: dict[str, Any] = {
        "success": False,
        "message": error.message,
        "code": error.code,
        **error.extra,
        **({"remedy": error.remedy.shown()} if error.remedy else {}),
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
    operation = current_operation()
    if operation is not None and operation.shape is not None:
        body = operation.shape.refusal(body)
    elif _prefers_problem():
        mimetype = PROBLEM
        body = {"type": body["docs_url"], "title": error.title, "status": error.status, "detail": error.message} | body
    return Response(encode(body), error.status, error.headers, mimetype=mimetype)


def _advice(error: DomainError) -> str:
    return "Correct the marked fields and send again." if error.code == "validation_failed" else error.message


def _prefers_problem() -> bool:
    accepted = request.accept_mimetypes
    return PROBLEM in request.headers.get("Accept", "") and accepted[PROBLEM] >= accepted[JSON]


def _links(page: Page) -> str:
    """The neighbours of a page (RFC 8288)."""
    base, arguments = runtime().settings.base_url + request.path, request.args.to_dict()
    places = _pages_around(page) if page.page is not None else _steps_of_walk(page)
    links = {name: f"{base}?{urlencode(arguments | place)}" for name, place in places.items()}
    return ", ".join(f'<{link}>; rel="{name}"' for name, link in links.items())


def _pages_around(page: Page) -> dict[str, dict[str, str]]:
    number, last = page.page or 1, max(page.pages, 1)
    targets = {"first": 1, "prev": number - 1, "next": number + 1, "last": last}
    return {name: {"page": str(target)} for name, target in targets.items() if 1 <= target <= last}


def _steps_of_walk(page: Page) -> dict[str, dict[str, str]]:
    following = {"next": {"cursor": page.next_cursor}} if page.next_cursor else {}
    return {"first": {"cursor": ""}, **following}
