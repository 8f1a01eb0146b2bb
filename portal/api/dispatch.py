"""From declared operations to Flask views: checks in the contract's order, one transaction, one envelope."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from flask import Blueprint, Response, g, request
from sqlalchemy.exc import IntegrityError

from portal.api.answers import answer
from portal.api.body import read_json
from portal.api.operation import Call, Operation
from portal.api.schema import validate
from portal.api.settling import finish
from portal.core.errors import Forbidden, UpgradeRequired, ValidationFailed
from portal.core.runtime import current_session, runtime
from portal.tenancy.audit import record_act
from portal.tenancy.credentials import Caller
from portal.tenancy.permissions import is_permitted, module_of
from portal.tenancy.plans import MODULES, is_entitled
from portal.tenancy.service import lock_tenant

_PARAMETER = re.compile(r"\{(\w+)\}")


def build_blueprint(name: str, operations: Sequence[Operation]) -> Blueprint:
    """A blueprint with one view for each operation. The guard comes with the line that mounts it."""
    blueprint = Blueprint(name, __name__)
    for operation in operations:
        blueprint.add_url_rule(
            _PARAMETER.sub(r"<string:\1>", operation.path),
            operation.id.replace(".", "_"),
            _view(operation),
            methods=[operation.method],
        )
    blueprint.after_request(finish)
    return blueprint


def _view(operation: Operation) -> Callable[..., Response]:
    def perform(**path: str) -> Response:
        call = _open(operation, path)
        try:
            result = _run(call)
        except IntegrityError:
            # Another request stored the same unique value first; seen again, it is an ordinary refusal.
            call.session.rollback()
            call.session.changes.clear()
            result = _run(call)
        return answer(result, operation)

    perform.__name__ = operation.id.replace(".", "_")
    view: Any = perform
    for wrap in operation.wraps:
        view = wrap(view)
    view.operation = operation
    return view  # type: ignore[no-any-return]


def _open(operation: Operation, path: dict[str, str]) -> Call:
    caller: Caller | None = g.get("caller")
    if caller is not None:
        check_permission(caller, operation)
    session = current_session()
    session.bind_tenant(g.tenant_id, caller.clock if caller else g.tenant_clock)
    return Call(operation, session, runtime().settings, path, caller)


def check_permission(caller: Caller, operation: Operation) -> None:
    """Role and scope first, then plan. Raises Forbidden, UpgradeRequired."""
    permission = operation.permission
    if permission is None:
        return
    in_scope = caller.scopes is None or permission in caller.scopes
    if not (in_scope and is_permitted(caller.role, permission)):
        raise Forbidden(f"The role {caller.role} may not do this; it takes {permission}.", required=permission)
    module = module_of(permission)
    if not is_entitled(caller.plan, module):
        raise UpgradeRequired(
            f"The {caller.plan} plan does not include {module}.",
            upgrade={
                "module": module,
                "current_plan": caller.plan,
                "required_plan": MODULES[module],
                "url": f"{runtime().settings.base_url}/contact?topic=upgrade",
            },
        )


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
    if operation.body is not None:
        call.body = validate(operation.body, read_json(request))
    result = operation.handle(call)
    if operation.writes:
        _audit(call)
        call.session.flush()
    return result


def _arguments() -> dict[str, Any]:
    repeated = {name[:60]: "Given more than once" for name, values in request.args.lists() if len(values) > 1}
    if repeated:
        raise ValidationFailed(repeated)
    return request.args.to_dict()


def _audit(call: Call) -> None:
    actor = call.caller.actor if call.caller else "public"
    record_act(call.session, actor=actor, action=call.operation.id, request_id=g.request_id)
