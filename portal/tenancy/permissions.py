"""Roles: the one table that says who may do what (contract section 2).

A permission is written `module:read` or `module:write`.
"""

from __future__ import annotations

from portal.tenancy.plans import MODULES

_EVERYTHING = frozenset(MODULES)

_READS: dict[str, frozenset[str]] = {
    "administrator": _EVERYTHING,
    "manager": _EVERYTHING,
    "accountant": frozenset({"accounting", "procurement", "crm", "catalog", "reports"}),
    "sales": frozenset({"crm", "pos", "catalog", "inventory"}),
    "support": frozenset({"support", "crm"}),
    "viewer": _EVERYTHING - {"administration", "integration"},
}
_WRITES: dict[str, frozenset[str]] = {
    "administrator": _EVERYTHING,
    "manager": _EVERYTHING - {"administration"},
    "accountant": frozenset({"accounting", "procurement"}),
    "sales": frozenset({"crm", "pos"}),
    "support": frozenset({"support"}),
    "viewer": frozenset(),
}

ROLES = tuple(_READS)
PERMISSIONS: dict[str, frozenset[str]] = {
    role: frozenset(f"{module}:read" for module in _READS[role])
    | frozenset(f"{module}:write" for module in _WRITES[role])
    for role in ROLES
}
"""Every role and its permissions."""

PLATFORM = frozenset({"platform:read", "platform:write"})
"""What the platform owner alone holds: an administrator's key of the house tenant (contract section 6)."""
PLATFORM_OWNER = "platform owner"


def permissions_of(role: str, mode: str) -> frozenset[str]:
    """What a role may do in a tenant of this mode."""
    return PERMISSIONS[role] | PLATFORM if (role, mode) == ("administrator", "house") else PERMISSIONS[role]


def is_permitted(role: str, permission: str) -> bool:
    """True where the role holds the permission."""
    return permission in PERMISSIONS[role]


def module_of(permission: str) -> str:
    """The module a permission is about."""
    return permission.partition(":")[0]


def roles_with(permission: str) -> list[str]:
    """The roles that hold a permission, for refusals and reference pages."""
    if permission in PLATFORM:
        return [PLATFORM_OWNER]
    return [role for role in ROLES if is_permitted(role, permission)]
