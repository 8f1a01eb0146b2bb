"""May the caller do this? Role and scope first, then plan (contract section 2); then whose tenant it is about."""

from __future__ import annotations

from portal.api.operation import Operation
from portal.core.errors import Forbidden, NotFound, UpgradeRequired
from portal.core.remedies import Remedy
from portal.core.runtime import runtime
from portal.tenancy.credentials import Caller
from portal.tenancy.permissions import PLATFORM, PLATFORM_OWNER, module_of, permissions_of, roles_with
from portal.tenancy.plans import is_entitled, smallest_plan


def check_permission(caller: Caller, operation: Operation) -> None:
    """Raises Forbidden where the role or the scope lacks the permission, UpgradeRequired where the plan lacks it."""
    permission = operation.permission
    if permission is None:
        return
    if permission not in permissions_of(caller.role, caller.mode):
        raise _beyond_role(caller, permission)
    if caller.scopes is not None and permission not in caller.scopes:
        raise beyond_scope(caller, caller.scopes, permission)
    needed = () if permission in PLATFORM else (module_of(permission), *operation.modules)
    for module in needed:
        if not is_entitled(caller.plan, module):
            raise beyond_plan(caller.plan, module, smallest_plan(needed))


def crosses_border(caller: Caller, operation: Operation, path: dict[str, str]) -> bool:
    """True where the platform owner names another tenant in the path. Raises NotFound for anybody else who does."""
    if not operation.tenant_in_path or path["id"] == caller.tenant:
        return False
    needed = "platform:write" if operation.writes else "platform:read"
    is_in_scope = caller.scopes is None or needed in caller.scopes
    if not (is_in_scope and needed in permissions_of(caller.role, caller.mode)):
        raise NotFound
    return True


def _beyond_role(caller: Caller, permission: str) -> Forbidden:
    message = f"The role {caller.role} may not do this; it takes {permission}."
    if permission in PLATFORM:
        message = f"Only the {PLATFORM_OWNER} may do this; it takes an administrator's key of the house tenant."
    return Forbidden(message, remedy=Remedy("role", caller.role, roles_with(permission)), required=permission)


def beyond_scope(caller: Caller, scopes: frozenset[str], permission: str) -> Forbidden:
    """What a credential with these scopes is told that would need `permission` too."""
    message = (
        f"The scope of this credential leaves out {permission}, which its role {caller.role} holds. "
        "Use a key or an access token with a wider scope."
    )
    wider = Remedy("scope", " ".join(sorted(scopes)), " ".join(sorted({*scopes, permission})))
    return Forbidden(message, remedy=wider, required=permission)


def beyond_plan(plan: str, module: str, needed: str) -> UpgradeRequired:
    """What a tenant on `plan` is told that would have to be on `needed` for the module."""
    return UpgradeRequired(
        f"The {plan} plan does not include {module}.",
        remedy=Remedy("plan", plan, needed),
        upgrade={
            "module": module,
            "current_plan": plan,
            "required_plan": needed,
            "url": f"{runtime().settings.base_url}/contact?topic=upgrade",
        },
    )
