"""A developer's sandbox: made with its keys, put back, swept away when its time is over."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from portal.core.config import Settings
from portal.core.session import TenantSession
from portal.tenancy.audit import record_act
from portal.tenancy.keys import issue_role_keys
from portal.tenancy.models import Tenant
from portal.tenancy.service import create_tenant, find_tenant
from sandbox.integration.furnishing import furnish
from sandbox.seed.receipts import Receipt
from sandbox.seed.service import fill_tenant, reset_tenant
from sandbox.seed.template import ensure_template


@dataclass(frozen=True)
class NewSandbox:
    """A sandbox and its secret keys by role, which exist only here."""

    tenant: Tenant
    keys: dict[str, str]


def create_sandbox(
    session: TenantSession,
    settings: Settings,
    name: str,
    plan: str = "enterprise",
    expires_at: dt.datetime | None = None,
) -> NewSandbox:
    """Create a sandbox with one key for each role and the seed in it. Binds the session to it.

    Raises ValidationFailed for an unknown plan or a bad name.
    """
    ensure_template(session, settings.content_path / "demo")
    tenant = create_tenant(session, name=name, mode="sandbox", plan=plan, expires_at=expires_at)
    keys = issue_role_keys(session, settings.secret_key, tenant)
    fill_tenant(session, tenant)
    furnish(session, tenant, settings.base_url)
    return NewSandbox(tenant, keys)


def reset(session: TenantSession, public_id: str, actor: str) -> Receipt:
    """Reset the sandbox with this public id and write down who did. Raises NotFound, Conflict."""
    tenant = find_tenant(session, public_id)
    receipt = reset_tenant(session, tenant)
    record_act(session, actor=actor, action="sandbox.reset", subject=tenant.public_id)
    return receipt
