"""Entity tags: what a caller has read is told apart from what is there now (RFC 9110 sections 8.8 and 13).

A tag is a hash of the record as it is answered, so two answers with one tag are the same byte for byte.
"""

from __future__ import annotations

from flask import Response, request

from portal.api.answers import encode, entity_tag
from portal.api.operation import Call
from portal.core.errors import PreconditionFailed
from portal.core.remedies import Remedy
from portal.core.runtime import READING_METHODS

LONGEST_SHOWN = 200


def refuse_outdated(call: Call) -> None:
    """Raises PreconditionFailed when `If-Match` names another state of the record than the one at hand."""
    if "If-Match" not in request.headers or call.operation.represent is None:
        return
    current = entity_tag(encode(call.operation.represent(call)))
    if not request.if_match.contains(current):
        remedy = Remedy("version", request.headers["If-Match"][:LONGEST_SHOWN], f'"{current}"')
        raise PreconditionFailed(remedy=remedy, current=f'"{current}"')


def answer_conditionally(response: Response) -> Response:
    """304 without a body where the caller holds the very same answer already."""
    if request.method in READING_METHODS and response.status_code == 200 and not response.is_streamed:
        response.make_conditional(request)
    return response
