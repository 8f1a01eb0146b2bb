"""The mappings that a sandbox begins with, live from the first moment."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import func, insert, select

from portal.core.counters import take_block
from portal.core.ids import new_public_id
from portal.core.ownership import table_of
from portal.core.session import TenantSession
from sandbox.integration.incoming.definition import read_definition, stored
from sandbox.integration.incoming.models import IncomingMapping, IncomingVersion
from sandbox.integration.incoming.samples import MAPPINGS

AUTHOR = "Seed"


@cache
def _said(slug: str) -> dict[str, Any]:
    """What a mapping of the seed says, as it would have been saved."""
    return stored(read_definition(next(document for name, _, _, document in MAPPINGS if name == slug)))


def furnish_incoming(session: TenantSession) -> None:
    """Give the session's tenant the mappings of the seed, where it has none."""
    if session.scalar(select(func.count()).select_from(IncomingMapping)):
        return
    now = session.clock.now()
    ids = take_block(session, IncomingMapping.__tablename__, len(MAPPINGS))
    numbers = take_block(session, IncomingVersion.__tablename__, len(MAPPINGS))
    mappings, versions = [], []
    stamps = {"tenant_id": session.owner_id, "created_at": now}
    for id_, number, (slug, name, target, _) in zip(ids, numbers, MAPPINGS, strict=True):
        named = {"slug": slug, "name": name, "target": target, "is_default": slug == MAPPINGS[0][0]}
        public_id = new_public_id(IncomingMapping.public_prefix)
        mappings.append({**stamps, **named, "id": id_, "public_id": public_id, "updated_at": now, "version": 1})
        facts = {"mapping_id": id_, "number": 1, "status": "live", "definition": _said(slug)}
        versions.append({**stamps, **facts, "id": number, "author": AUTHOR, "published_at": now})
    connection = session.connection()
    connection.execute(insert(table_of(IncomingMapping)), mappings)
    connection.execute(insert(table_of(IncomingVersion)), versions)
