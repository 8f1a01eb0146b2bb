"""The reset of a sandbox as an operation, for the test suites of integrators (contract section 8)."""

from __future__ import annotations

from pydantic import Field

from portal.api.events import EventType
from portal.api.operation import Call, Done, Operation
from portal.api.schema import ApiModel, Instant
from portal.core.errors import NotFound
from portal.tenancy.models import Tenant
from sandbox.seed.service import reset_tenant


class ResetCounts(ApiModel):
    """How many rows a reset restored and removed."""

    restored: int
    removed: int


class ResetView(ApiModel):
    """What the reset did, in rows by table."""

    tenant: str = Field(description="Public id of the tenant")
    reset_at: Instant
    kept: dict[str, int] = Field(description="Left alone: keys, access tokens, snapshots, the log, the trail, events")
    restored: dict[str, int] = Field(description="The seed, as it now is again")
    removed: dict[str, int] = Field(description="Records that had been added to the seed")


def _reset(call: Call) -> Done:
    tenant = call.session.get(Tenant, call.known_caller.tenant_id)
    if tenant is None:
        raise NotFound
    receipt = reset_tenant(call.session, tenant)
    call.subject = tenant.public_id
    return Done(vars(receipt))


OPERATIONS = (
    Operation(
        id="sandbox.reset",
        method="POST",
        path="/api/v2/sandbox/reset",
        summary="Reset the sandbox",
        outcome="Sandbox reset",
        description="Puts the records of your sandbox back to the seed, numbers included, and its clock to real time; "
        "armed scenarios are disarmed. Keys, access tokens, snapshots, the log and the audit trail stay. Not counted "
        "against the hourly limit; a tenant that is no sandbox is refused.",
        permission="administration:write",
        family="sandbox",
        handle=_reset,
        returns=ResetView,
        codes=("conflict",),
        is_counted=False,
        locks_alone=True,
    ),
)

EVENTS = (EventType("sandbox.reset", "A sandbox was put back to its seed", ResetCounts),)
