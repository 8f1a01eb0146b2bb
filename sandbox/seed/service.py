"""Filling a tenant with the seed, and putting it back: the same copying (contract section 8)."""

from __future__ import annotations

from portal.api.idempotency import forget_answers
from portal.core.clock import system_now
from portal.core.config import Settings
from portal.core.database import Database
from portal.core.errors import Conflict, ServiceUnavailable
from portal.core.events import record_event
from portal.core.remedies import Remedy
from portal.core.session import TenantSession
from portal.tenancy.clocks import set_clock
from portal.tenancy.copying import copy_tenant, count_added, count_copied, count_kept
from portal.tenancy.models import Tenant
from portal.tenancy.service import find_own, lock_tenant
from sandbox.integration.furnishing import furnish
from sandbox.seed.receipts import Receipt
from sandbox.seed.template import drop_outdated, ensure_template, find_template


def prepare_seed(database: Database, settings: Settings) -> None:
    """Build the template when it is missing or outdated. Any number of processes may call this at once."""
    folder = settings.content_path / "demo"
    with database.transaction() as session:
        ensure_template(session, folder)
        drop_outdated(session, folder)


def fill_tenant(session: TenantSession, tenant: Tenant) -> None:
    """Make the tenant's records those of the seed. Raises ServiceUnavailable when there is none."""
    _fill(session, _template(session), tenant)


def reset_tenant(session: TenantSession, tenant: Tenant) -> Receipt:
    """Put a sandbox back to its seed, alone: its writes wait. Keys, tokens, the log and the trail stay.

    The seed's time is the machine's: a clock that was moved goes back. Raises Conflict for a tenant that is no sandbox.
    """
    if not tenant.is_sandbox:
        message = "Only a sandbox can be reset; this tenant is not one."
        raise Conflict(message, remedy=Remedy("state", tenant.mode, "sandbox"))
    session.bind_tenant(tenant.id, tenant.clock)
    lock_tenant(session, alone=True)
    tenant = find_own(session, lock=True)
    template = _template(session)
    removed = {table: count for table, count in count_added(session, template.id, tenant).items() if count}
    _fill(session, template, tenant)
    furnish(session, tenant)
    forget_answers(session)
    set_clock(session, tenant, 0)
    restored = count_copied(session, tenant)
    tenant.last_reset_at = system_now().replace(microsecond=0)
    session.flush()
    counts = {"restored": sum(restored.values()), "removed": sum(removed.values())}
    record_event(session, "sandbox.reset", tenant.public_id, counts)
    return Receipt(tenant.public_id, tenant.last_reset_at, count_kept(session, tenant), restored, removed)


def _fill(session: TenantSession, template: Tenant, tenant: Tenant) -> None:
    tenant.seed_version = template.seed_version
    copy_tenant(session, template.id, tenant)


def _template(session: TenantSession) -> Tenant:
    template = find_template(session)
    if template is None:
        raise ServiceUnavailable("The seed is not built yet; run `flask --app wsgi prepare`.")
    return template
