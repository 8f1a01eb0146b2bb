"""Tenants: creating, finding, locking, listing those whose time is over."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Any

from sqlalchemy import delete, func, or_, select, text
from sqlalchemy.orm import Session

from portal.core.clock import system_now
from portal.core.config import Settings
from portal.core.database import Database
from portal.core.errors import NotFound, ValidationFailed
from portal.core.events import record_event
from portal.core.ids import PUBLIC_ID, new_public_id
from portal.core.ownership import TenantLog, table_of, tenant_models
from portal.core.retention import delete_in_steps
from portal.core.session import Change, TenantSession
from portal.tenancy.keys import new_publishable_key
from portal.tenancy.models import HIDDEN_MODES, Tenant
from portal.tenancy.plans import PLANS, modules_of

GUEST_LIFETIME = dt.timedelta(hours=24)
HOUSE_NAME = "House"
RESET_SETTINGS = frozenset({"time_zone", "daily_reset_hour"})


def create_tenant(
    session: TenantSession, *, name: str, mode: str, plan: str = "enterprise", expires_at: dt.datetime | None = None
) -> Tenant:
    """Create a tenant and bind the session to it. Raises ValidationFailed for an unknown plan or a bad name."""
    errors = {}
    if plan not in PLANS:
        errors["plan"] = f"Plan must be one of {', '.join(PLANS)}"
    if not 1 <= len(name.strip()) <= 120:
        errors["name"] = "Name must have 1 to 120 characters"
    if errors:
        raise ValidationFailed(errors)
    tenant = Tenant(
        public_id=new_public_id("ten"),
        name=name.strip(),
        mode=mode,
        plan=plan,
        clock_offset=0,
        salt=secrets.token_hex(16),
        publishable_id=new_publishable_key() if mode == "sandbox" else None,
        created_at=system_now().replace(microsecond=0),
        expires_at=expires_at,
    )
    session.add(tenant)
    session.flush()
    session.bind_tenant(tenant.id, tenant.clock)
    return tenant


def find_tenant(session: Session, public_id: str) -> Tenant:
    """The tenant with this public id, unless it has expired or is a hidden one. Raises NotFound."""
    if not PUBLIC_ID.fullmatch(public_id):
        raise NotFound
    tenant = session.scalar(select(Tenant).where(Tenant.public_id == public_id, Tenant.mode.not_in(HIDDEN_MODES)))
    if tenant is None or has_expired(tenant):
        raise NotFound
    return tenant


def find_own(session: TenantSession, *, lock: bool = False) -> Tenant:
    """The tenant the session is bound to; with `lock` as it now stands, and held until the transaction ends."""
    statement = select(Tenant).where(Tenant.id == session.owner_id)
    if lock:
        statement = statement.with_for_update(key_share=True).execution_options(populate_existing=True)
    return session.scalars(statement).one()


def change_settings(session: TenantSession, tenant: Tenant, fields: dict[str, Any]) -> bool:
    """Change settings of a tenant and note what they were. Returns False if all are as they were.

    A changed hour or zone of the daily reset counts from the next day on, so no change resets a sandbox at once.
    Raises ValidationFailed for a reset hour of a tenant that is not a sandbox.
    """
    if "daily_reset_hour" in fields and not tenant.is_sandbox:
        raise ValidationFailed({"daily_reset_hour": "Only a sandbox has a daily reset"})
    changed = {name: (getattr(tenant, name), value) for name, value in fields.items() if getattr(tenant, name) != value}
    for name, (_, value) in changed.items():
        setattr(tenant, name, value)
    if not changed.keys().isdisjoint(RESET_SETTINGS):
        tenant.daily_reset_from = tenant.calendar.date_of(system_now()) + dt.timedelta(days=1)
    if changed:
        session.changes.append(Change("tenants", tenant.public_id, "changed", changed))
    return bool(changed)


def change_plan(session: TenantSession, tenant: Tenant, plan: str) -> bool:
    """Put the tenant on a plan; it holds from the next request on. Announces `subscription.changed` if it differs.

    Returns False if the tenant is on this plan already.
    """
    previous = tenant.plan
    if previous == plan:
        return False
    change_settings(session, tenant, {"plan": plan})
    payload = {"tenant": tenant.public_id, "plan": plan, "previous_plan": previous, "modules": modules_of(plan)}
    record_event(session, "subscription.changed", tenant.public_id, payload)
    return True


def list_tenants(
    session: Session, *, page: int, limit: int, sort: str, mode: str | None = None, plan: str | None = None
) -> tuple[list[Tenant], int]:
    """One page of the tenants that are neither hidden nor expired, and how many there are."""
    running = or_(Tenant.expires_at.is_(None), Tenant.expires_at > system_now())
    wanted = select(Tenant).where(Tenant.mode.not_in(HIDDEN_MODES), running)
    if mode is not None:
        wanted = wanted.where(Tenant.mode == mode)
    if plan is not None:
        wanted = wanted.where(Tenant.plan == plan)
    column = getattr(Tenant, sort.removeprefix("-"))
    order = (column.desc(), Tenant.id.desc()) if sort.startswith("-") else (column, Tenant.id)
    total = session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    return list(session.scalars(wanted.order_by(*order).limit(limit).offset((page - 1) * limit))), total


def has_expired(tenant: Tenant) -> bool:
    """True once a tenant's time is over, whether or not it has been swept away yet."""
    return tenant.expires_at is not None and tenant.expires_at <= system_now()


def find_publishable(session: Session, publishable_key: str) -> Tenant | None:
    """The sandbox tenant behind a publishable key, or None."""
    tenant = session.scalar(select(Tenant).where(Tenant.publishable_id == publishable_key))
    return None if tenant is None or has_expired(tenant) else tenant


def find_house(session: Session) -> Tenant:
    """The company's own tenant. Raises NotFound before `flask prepare` has made it."""
    tenant = session.scalar(select(Tenant).where(Tenant.mode == "house"))
    if tenant is None:
        raise NotFound("The house tenant does not exist yet; run `flask --app wsgi prepare`.")
    return tenant


def ensure_house(session: TenantSession) -> Tenant:
    """The house tenant, made when missing."""
    found = session.scalar(select(Tenant).where(Tenant.mode == "house"))
    return found or create_tenant(session, name=HOUSE_NAME, mode="house")


def lock_tenant(session: TenantSession, *, alone: bool = False) -> None:
    """Keep a reset and the tenant's writes apart: writers share the lock, a reset holds it alone.

    SQLite needs none: it has one writer at a time. On PostgreSQL the lock ends with the transaction.
    """
    if session.get_bind().dialect.name == "postgresql":
        function = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
        session.connection().execute(text(f"SELECT {function}(7301, CAST(:key AS integer))"), {"key": session.owner_id})


def list_tenant_ids(database: Database) -> list[int]:
    """Return the numbers of all tenants, the hidden ones too."""
    with database.transaction(write=False) as session:
        return list(session.scalars(select(Tenant.id).order_by(Tenant.id)))


def sweep_expired(database: Database, settings: Settings) -> int:
    """Delete the sandboxes whose time is over, with all that is theirs, one a transaction. Return how many.

    The long logs go first, in small steps.
    """
    over = (Tenant.mode == "sandbox", Tenant.expires_at.is_not(None), Tenant.expires_at <= system_now())
    with database.transaction(write=False) as session:
        ids = list(session.scalars(select(Tenant.id).where(*over)))
    return sum(_delete_expired(database, tenant_id, over) for tenant_id in ids)


def _delete_expired(database: Database, tenant_id: int, over: tuple[Any, ...]) -> int:
    for model in tenant_models(TenantLog):
        table = table_of(model)
        delete_in_steps(database, table, table.c.tenant_id == tenant_id)
    with database.transaction() as session:
        return int(session.connection().execute(delete(Tenant).where(Tenant.id == tenant_id, *over)).rowcount)
