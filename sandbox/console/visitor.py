"""Whose page this is: the one way the console's views get at a sandbox."""

from __future__ import annotations

from flask import request, session

from portal.accounts.guards import current_developer
from portal.core.errors import NotFound
from portal.core.runtime import current_session
from portal.tenancy.models import Tenant
from portal.tenancy.service import has_expired
from sandbox.console.service import list_sandboxes


class NoSandbox(NotFound):
    """The visitor has no sandbox to work in."""

    default_message = "You have no sandbox, or its time is over. A new one takes one click and no account."
    next_step = ("Create my sandbox", "/sandbox")


def list_own_sandboxes() -> list[Tenant]:
    """The visitor's sandboxes, newest first, expired ones too."""
    developer = current_developer()
    return list_sandboxes(current_session(), developer) if developer else []


def list_running_sandboxes() -> list[Tenant]:
    """The visitor's sandboxes that can be used, newest first."""
    return [tenant for tenant in list_own_sandboxes() if not has_expired(tenant)]


def find_own_sandbox() -> Tenant | None:
    """The sandbox the visitor works in, with the session bound to it: the chosen one, else the newest; or None."""
    running = list_running_sandboxes()
    if not running:
        return None
    chosen = session.get("sandbox")
    tenant = next((tenant for tenant in running if tenant.public_id == chosen), running[0])
    current_session().bind_tenant(tenant.id, tenant.clock)
    return tenant


def choose_sandbox(public_id: str) -> None:
    """Work in this sandbox from now on. Raises NotFound for one that is not the visitor's."""
    if public_id not in {tenant.public_id for tenant in list_running_sandboxes()}:
        raise NoSandbox
    session["sandbox"] = public_id


def own_sandbox() -> Tenant:
    """The visitor's sandbox with the session bound to it. Raises NotFound."""
    tenant = find_own_sandbox()
    if tenant is None:
        raise NoSandbox
    return tenant


def visitor_actor() -> str:
    """How the audit trail names the visitor."""
    developer = current_developer()
    assert developer is not None
    return developer.actor


def is_member() -> bool:
    """True for a developer who has signed up."""
    developer = current_developer()
    return developer is not None and developer.is_member


def wants_block() -> bool:
    """True where a script asks for the changed block of a page only."""
    return request.headers.get("X-Partial") == "1"
