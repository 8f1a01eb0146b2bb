"""What a call is to the tenants it touches: whose data it reaches, and what it leaves in the audit trail."""

from __future__ import annotations

from flask import g, request

from portal.api.operation import Call, Operation
from portal.api.permissions import check_permission, crosses_border
from portal.core.clock import Clock
from portal.core.runtime import current_session, runtime
from portal.core.session import TenantSession
from portal.tenancy.audit import record_act
from portal.tenancy.credentials import Caller
from portal.tenancy.permissions import PLATFORM
from portal.tenancy.service import find_tenant


def open_call(operation: Operation, path: dict[str, str]) -> Call:
    """The call, its session bound to the caller's tenant, or to the one that the platform owner names in the path.

    Raises Forbidden, UpgradeRequired, NotFound.
    """
    caller: Caller | None = g.get("caller")
    if caller is not None:
        check_permission(caller, operation)
    crosses = caller is not None and crosses_border(caller, operation, path)
    is_audited = operation.writes or crosses or operation.permission in PLATFORM or _is_export(operation)
    session = current_session(write=is_audited)
    if crosses:
        session.bind_tenant(*_abroad(path["id"]))
    else:
        session.bind_tenant(g.tenant_id, caller.clock if caller else g.tenant_clock)
    session.author = caller.key_name if caller else ""
    session.trace = g.request_id
    return Call(operation, session, runtime().settings, path, caller, crosses=crosses, is_audited=is_audited)


def record_call(call: Call) -> None:
    """Write the act down. The platform owner's on another tenant stands in both trails (contract section 6)."""
    caller, action = call.caller, call.operation.id
    if caller is None or not call.crosses:
        actor = caller.actor if caller else "public"
        record_act(call.session, actor=actor, action=action, subject=call.subject, request_id=g.request_id)
        return
    record_abroad(call.session, call, call.subject or call.path["id"])
    with call.session.beside() as own:
        own.bind_tenant(caller.tenant_id, caller.clock)
        record_act(own, actor=caller.actor, action=action, subject=call.path["id"], request_id=g.request_id)


def record_abroad(session: TenantSession, call: Call, subject: str) -> None:
    """Write the platform owner's act into the trail of the tenant that `session` is bound to."""
    actor = call.known_caller.actor_abroad
    record_act(session, actor=actor, action=call.operation.id, subject=subject, request_id=g.request_id)


def _abroad(public_id: str) -> tuple[int, Clock]:
    with runtime().database.transaction(write=False) as session:
        tenant = find_tenant(session, public_id)
        return tenant.id, tenant.clock


def _is_export(operation: Operation) -> bool:
    wanted = operation.exports_when
    return bool(wanted) and all(request.args.get(name) == value for name, value in wanted.items())
