"""What the pages of outgoing calls share: who writes, what is written down, how bodies are painted."""

from __future__ import annotations

from portal.core.runtime import current_session
from portal.tenancy.audit import record_act
from portal.tenancy.service import lock_tenant
from sandbox.console.visitor import visitor_actor

AUTHOR = "Console"


def begin_writing() -> None:
    """Let no reset come between, and name who writes."""
    session = current_session()
    lock_tenant(session)
    session.author = AUTHOR


def note(action: str, subject: str | None = None) -> None:
    """Write the visitor's act into the audit trail."""
    session = current_session()
    session.flush()
    record_act(session, actor=visitor_actor(), action=action, subject=subject)
