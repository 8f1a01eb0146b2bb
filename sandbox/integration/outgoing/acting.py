"""What the pages of outgoing calls share: who writes, what is written down, how bodies are painted."""

from __future__ import annotations

from portal.api.records import find_record
from portal.core.runtime import current_session
from portal.tenancy.audit import record_act
from portal.tenancy.service import lock_tenant
from sandbox.console.visitor import visitor_actor
from sandbox.integration.outgoing.models import OutgoingMapping

AUTHOR = "Console"


def begin_writing() -> None:
    """Let no reset come between, and name who writes."""
    session = current_session()
    lock_tenant(session)
    session.author = AUTHOR


def own_mapping(reference: str, *, lock: bool = False) -> OutgoingMapping:
    """The sandbox's mapping. Raises NotFound."""
    return find_record(current_session(), OutgoingMapping, reference, lock=lock)


def note(action: str, subject: str | None = None) -> None:
    """Write the visitor's act into the audit trail."""
    session = current_session()
    session.flush()
    record_act(session, actor=visitor_actor(), action=action, subject=subject)
