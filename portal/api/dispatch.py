"""From declared operations to Flask views: checks in the contract's order, one transaction, one envelope."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from flask import Blueprint, Response, g, request
from sqlalchemy.exc import IntegrityError
from werkzeug.routing import BaseConverter, Map

from portal.api.acts import open_call, record_call
from portal.api.answers import answer
from portal.api.body import read_json
from portal.api.conditional import answer_conditionally, refuse_outdated
from portal.api.idempotency import Claim, claim_key, given_key, keep_answer, release, release_waiting
from portal.api.kept import recall, remember
from portal.api.operation import Call, Operation
from portal.api.rehearsing import deliver, rehearse
from portal.api.schema import validate
from portal.api.settling import finish
from portal.core.errors import ValidationFailed
from portal.tenancy.service import lock_tenant

_PARAMETER = re.compile(r"\{(\w+)\}")


def build_blueprint(name: str, operations: Sequence[Operation]) -> Blueprint:
    """A blueprint with one view for each operation. The guard comes with the line that mounts it."""
    blueprint = Blueprint(name, __name__)
    blueprint.record(lambda state: state.app.url_map.converters.update(besides=Besides))
    paths = {operation.path for operation in operations}
    for operation in operations:
        blueprint.add_url_rule(
            _route(operation.path, paths),
            operation.id.replace(".", "_"),
            _view(operation),
            methods=[operation.method],
        )
    blueprint.after_request(deliver)
    blueprint.after_request(_release_refused)
    blueprint.after_request(finish)
    return blueprint


class Besides(BaseConverter):
    """One segment of a path, but none of the words that stand in its place in other paths."""

    def __init__(self, url_map: Map, *words: str) -> None:
        super().__init__(url_map)
        if words:
            self.regex = f"(?!(?:{'|'.join(map(re.escape, words))})$)[^/]+"


def _route(path: str, paths: set[str]) -> str:
    """The path as a rule of Flask. Where `/failed/retry` is a path too, `/failed/{id}` leaves it alone."""
    start, mark, _ = path.rpartition("/{")
    siblings = {other.removeprefix(f"{start}/") for other in paths if other.startswith(f"{start}/")} if mark else set()
    words = sorted(word for word in siblings if "/" not in word and "{" not in word) if path.endswith("}") else []
    route = _PARAMETER.sub(r"<string:\1>", path)
    if not words:
        return route
    return f"{route.rpartition('/<string:')[0]}/<besides({','.join(map(repr, words))}):{path[len(start) + 2 : -1]}>"


def _view(operation: Operation) -> Callable[..., Response]:
    def perform(**path: str) -> Response:
        request.max_content_length = operation.body_limit
        call = open_call(operation, path)
        rehearsed = rehearse(call)
        if rehearsed is not None:
            return rehearsed
        key = given_key(operation)
        return _answer(call) if key is None else _answer_once(call, key)

    perform.__name__ = operation.id.replace(".", "_")
    view: Any = perform
    for wrap in operation.wraps:
        view = wrap(view)
    view.operation = operation
    return view  # type: ignore[no-any-return]


def _answer(call: Call) -> Response:
    response = recall(call) or remember(call, answer(_perform(call), call.operation))
    return answer_conditionally(response)


def _perform(call: Call) -> Any:
    try:
        return _run(call)
    except IntegrityError:
        # Another request stored the same unique value first; seen again, it is an ordinary refusal.
        call.session.rollback()
        call.session.changes.clear()
        return _run(call)


def _answer_once(call: Call, key: str) -> Response:
    """Carry out a keyed request, or repeat the answer it was given before."""
    claim = claim_key(call.session, call.operation, key)
    if isinstance(claim, Response):
        return claim
    g.claim = claim
    response = _answer(call)
    keep_answer(call.session, claim, response)
    return response


def _release_refused(response: Response) -> Response:
    """A keyed request that was refused may be sent again; by now its transaction has ended."""
    claim: Claim | None = g.get("claim")
    if claim is not None and response.status_code >= 400:
        release(claim)
    elif response.status_code < 500:
        release_waiting()
    return response


def _run(call: Call) -> Any:
    operation = call.operation
    if operation.writes:
        lock_tenant(call.session, alone=operation.locks_alone)
    if operation.find is not None:
        call.record = operation.find(call)
    if operation.query is not None:
        call.query = validate(operation.query, _arguments())
    elif request.args:
        raise ValidationFailed({name[:60]: "Unknown parameter" for name in request.args})
    if operation.takes_json:
        call.body = _read_body(operation)
    refuse_outdated(call)
    result = operation.handle(call)
    if call.is_dry:
        call.session.rollback()
        call.session.changes.clear()
    elif call.is_audited and (call.has_changed or call.crosses):
        record_call(call)
        call.session.flush()
    return result


def _read_body(operation: Operation) -> Any:
    """The body, checked where the operation declares what it takes. Raises ValidationFailed."""
    given = read_json(request)
    body = given if operation.body is None else validate(operation.body, given)
    if operation.needs_body and not request.get_data(cache=True):
        raise ValidationFailed({"body": "A JSON object is required, even if it names no field"})
    return body


def _arguments() -> dict[str, Any]:
    repeated = {name[:60]: "Given more than once" for name, values in request.args.lists() if len(values) > 1}
    if repeated:
        raise ValidationFailed(repeated)
    return request.args.to_dict()
