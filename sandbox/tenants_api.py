"""The making of a tenant as an operation, for the platform owner (contract section 6)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from portal.api.acts import record_abroad
from portal.api.operation import Call, Done, Operation
from portal.api.schema import ApiModel, Name
from portal.tenancy.api import SAMPLE_ID, TENANT, Plan, TenantView, show_tenant
from portal.tenancy.permissions import ROLES
from sandbox.tenants import create_sandbox


class TenantBody(ApiModel):
    """The tenant to make."""

    read_only = ApiModel.read_only | set(TenantView.model_fields) - {"name", "plan", "mode"} | {"keys"}

    name: Name
    plan: Plan = "enterprise"
    mode: Literal["sandbox"] = "sandbox"


class NewTenantView(TenantView):
    """A new tenant with its secret keys."""

    keys: dict[str, str] = Field(description="A secret key for each role; shown here and never again")


def _create(call: Call) -> Done:
    with call.session.beside() as session:
        new = create_sandbox(session, call.settings, call.body.name, call.body.plan)
        record_abroad(session, call, new.tenant.public_id)
        shown = show_tenant(new.tenant)
    call.subject = new.tenant.public_id
    headers = {"Location": f"/api/tenants/{new.tenant.public_id}", "Cache-Control": "no-store"}
    return Done(shown | {"keys": new.keys}, headers)


def _example() -> dict[str, Any]:
    keys = {role: f"sk_test_{role[:1].upper()}3kQ9mZ2vB7x_…" for role in ROLES}
    return TENANT | {"public_id": SAMPLE_ID, "name": "Acme Trading", "keys": keys}


OPERATIONS = (
    Operation(
        id="tenants.create",
        method="POST",
        path="/api/tenants",
        summary="Create a tenant",
        outcome="Tenant created",
        description="A sandbox with the seed in it and a key for each role, shown once. For the platform owner alone, "
        "who calls with an administrator's key of the house tenant.",
        permission="platform:write",
        family="platform",
        handle=_create,
        body=TenantBody,
        returns=NewTenantView,
        status=201,
        sample={"name": "Acme Trading", "plan": "enterprise"},
        example=Done(_example()),
    ),
)
