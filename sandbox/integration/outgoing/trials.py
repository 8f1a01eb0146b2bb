"""What rows make of a record, ready for a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from portal.api.records import find_record
from portal.core.errors import NotFound
from portal.core.session import TenantSession
from sandbox.console.drafts import printable
from sandbox.console.showing import Painted, paint_body
from sandbox.integration.outgoing.composing import Composed, compose_body
from sandbox.integration.outgoing.rows import lists_in
from sandbox.integration.outgoing.schedules import zone_of
from sandbox.integration.outgoing.sources import SOURCES


@dataclass(frozen=True)
class Trial:
    """What would be sent of a record; or why there is none to try."""

    error: str = ""
    composed: Composed | None = None
    body: Painted | None = None


def try_rows(session: TenantSession, source_name: str, rows: list[dict[str, Any]], reference: str) -> Trial:
    """Compose checked rows on a record; record 1 where none is named."""
    source = SOURCES[source_name]
    try:
        record = find_record(session, source.resource.model, printable(reference).strip() or "1")
    except NotFound:
        return Trial(f"No such {source.singular}")
    facts = source.read(session, [record], lists_in(rows))[record.id]
    composed = compose_body(rows, facts, zone_of(session))
    return Trial("", composed, paint_body(composed.text))
