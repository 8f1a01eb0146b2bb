"""What the operations under /api/v2/sandbox share: an administrator's key, a sandbox, no count against the limit."""

from __future__ import annotations

from typing import Any

from portal.api.operation import Call, Handler, Operation
from portal.core.errors import Conflict
from portal.core.remedies import Remedy
from portal.tenancy.models import Tenant
from portal.tenancy.service import find_own

PATH = "/api/v2/sandbox"


def sandbox_operation(
    name: str, method: str, path: str, *, handle: Handler, codes: tuple[str, ...] = (), **details: Any
) -> Operation:
    """An operation on the caller's own sandbox."""
    return Operation(
        id=f"sandbox.{name}",
        method=method,
        path=f"{PATH}/{path}",
        permission=f"administration:{'read' if method == 'GET' else 'write'}",
        family="sandbox",
        handle=lambda call: _in_sandbox(call, handle),
        codes=("conflict", *codes),
        is_counted=False,
        **details,
    )


def hold_tenant(call: Call) -> Tenant:
    """The caller's tenant as it now stands; a writing call holds its row until it ends."""
    return find_own(call.session, lock=call.operation.writes)


def _in_sandbox(call: Call, handle: Handler) -> Any:
    """409 elsewhere, since the credential may do it and the operation exists: the tenant is what stands in the way."""
    mode = call.known_caller.mode
    if not call.known_caller.is_sandbox:
        raise Conflict("This tenant is no sandbox. Use a key of one.", remedy=Remedy("state", mode, "sandbox"))
    return handle(call)
