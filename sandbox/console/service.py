"""The sandbox of a developer: opening, finding, keeping and deleting it, and the keys the console sends with."""

from __future__ import annotations

from sqlalchemy import Select, delete, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute

from portal.accounts.models import Developer
from portal.accounts.service import keep_guest, when_guest_joins
from portal.core.clock import system_now
from portal.core.config import Settings
from portal.core.errors import Conflict
from portal.core.mail import queue_mail
from portal.core.session import TenantSession
from portal.tenancy.audit import record_act
from portal.tenancy.keys import IssuedKey, issue_key, key_id_in, list_keys, revoke_key
from portal.tenancy.models import ApiKey, Tenant
from portal.tenancy.permissions import ROLES
from portal.tenancy.service import GUEST_LIFETIME, has_expired
from sandbox.console.forms import KeyBody
from sandbox.console.models import ConsoleKey, SandboxOwner
from sandbox.tenants import NewSandbox, create_sandbox

NAME = "My sandbox"
MOST_KEYS = 100
MOST_SANDBOXES = 5


def list_sandboxes(session: TenantSession, developer: Developer) -> list[Tenant]:
    """The developer's sandboxes, newest first; expired ones too, until they are swept away."""
    owned = select(Tenant).join(SandboxOwner, SandboxOwner.tenant_id == Tenant.id)
    mine = owned.where(SandboxOwner.developer_id == developer.id, Tenant.mode == "sandbox")
    return list(session.scalars(mine.order_by(Tenant.id.desc())))


def open_sandbox(session: TenantSession, settings: Settings, developer: Developer, plan: str) -> NewSandbox:
    """Give the developer a tenant: for 24 hours to a guest, for good to a member.

    Raises ValidationFailed for an unknown plan, Conflict for more sandboxes than one developer needs.
    """
    running = [tenant for tenant in list_sandboxes(session, developer) if not has_expired(tenant)]
    if len(running) >= (MOST_SANDBOXES if developer.is_member else 1):
        raise Conflict(f"A guest has one sandbox, a member {MOST_SANDBOXES} at most. Delete one first.")
    keep_guest(developer)
    expires_at = None if developer.is_member else system_now() + GUEST_LIFETIME
    new = create_sandbox(session, settings, NAME, plan, expires_at)
    session.add(SandboxOwner(tenant_id=new.tenant.id, developer_id=developer.id, created_at=system_now()))
    for role, secret in new.keys.items():
        _keep_secret(session, role, secret)
    record_act(session, actor=developer.actor, action="console.open", subject=new.tenant.public_id)
    return new


def delete_sandbox(session: TenantSession, tenant: Tenant) -> None:
    """Delete a sandbox with all that is its own, keys and log too."""
    session.execute(delete(Tenant).where(Tenant.id == tenant.id, Tenant.mode == "sandbox"))


def tell_owner(session: TenantSession, subject: str, text: str) -> None:
    """Mail whom the session's sandbox belongs to; nobody where that is a guest, or a command has made it."""
    owned = SandboxOwner.tenant_id == session.owner_id
    address = session.scalar(
        select(Developer.email).join(SandboxOwner, SandboxOwner.developer_id == Developer.id).where(owned)
    )
    if address is not None:
        queue_mail(session, address, subject, text)


@when_guest_joins
def keep_for_member(session: TenantSession, guest: Developer, member: Developer) -> None:
    """Hand the guest's sandboxes to the member they turned out to be, and take the end off them."""
    owned = select(SandboxOwner.tenant_id).where(SandboxOwner.developer_id == guest.id)
    unended = update(Tenant).where(Tenant.id.in_(owned), Tenant.expires_at > system_now())
    session.execute(unended.values(expires_at=None))
    session.execute(update(SandboxOwner).where(SandboxOwner.developer_id == guest.id).values(developer_id=member.id))


def list_roles(session: TenantSession) -> list[str]:
    """The roles the console can send as: those whose key it has and would be accepted."""
    held = set(session.scalars(_usable(session, ConsoleKey.role)))
    return [role for role in ROLES if role in held]


def list_held_keys(session: TenantSession) -> set[int]:
    """The ids of the keys of which the console has a copy."""
    return set(session.scalars(select(ConsoleKey.api_key_id)))


def find_secret(session: TenantSession, role: str) -> str | None:
    """The secret key of a role, for sending; None when the console holds none that would be accepted."""
    return session.scalar(_usable(session, ConsoleKey.secret).where(ConsoleKey.role == role))


def add_key(session: TenantSession, settings: Settings, tenant: Tenant, actor: str, body: KeyBody) -> IssuedKey:
    """Issue a further key. The console keeps it where it has no usable one of that role.

    Raises ValidationFailed, and Conflict once the sandbox has had MOST_KEYS.
    """
    if len(list_keys(session)) >= MOST_KEYS:
        raise Conflict(f"A sandbox has {MOST_KEYS} keys at most, revoked ones counted.")
    issued = issue_key(session, settings.secret_key, tenant, name=body.name, role=body.role)
    if find_secret(session, body.role) is None:
        session.execute(delete(ConsoleKey).where(ConsoleKey.role == body.role))
        _keep_secret(session, body.role, issued.secret)
    record_act(session, actor=actor, action="console.keys.issue")
    return issued


def end_key(session: TenantSession, actor: str, key_id: str) -> ApiKey:
    """Revoke a key at once; the console forgets its copy. Raises NotFound."""
    key = revoke_key(session, key_id)
    session.execute(delete(ConsoleKey).where(ConsoleKey.api_key_id == key.id))
    record_act(session, actor=actor, action="console.keys.revoke")
    return key


def _keep_secret(session: TenantSession, role: str, secret: str) -> None:
    row_id = session.scalars(select(ApiKey.id).where(ApiKey.key_id == key_id_in(secret))).one()
    session.add(ConsoleKey(role=role, api_key_id=row_id, secret=secret))
    session.flush()


def _usable(session: TenantSession, column: InstrumentedAttribute[str]) -> Select[str]:
    """`column` of the console's keys that the API would accept now."""
    unexpired = or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > session.clock.now())
    same = (ApiKey.tenant_id == ConsoleKey.tenant_id) & (ApiKey.id == ConsoleKey.api_key_id)
    return select(column).join_from(ConsoleKey, ApiKey, same).where(ApiKey.revoked_at.is_(None), unexpired)
