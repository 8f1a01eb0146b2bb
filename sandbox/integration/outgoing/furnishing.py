"""The connections and mappings that a sandbox begins with: they send to its own inbox."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import func, insert, select

from portal.core.counters import take_block
from portal.core.ids import new_public_id
from portal.core.ownership import TenantRecord, table_of
from portal.core.session import TenantSession
from sandbox.delivery.models import Endpoint, Lane
from sandbox.delivery.service import AT_ONCE
from sandbox.integration.outgoing.examples import INVOICE_ROWS, RECEIPT_ROWS, VENDOR_ROWS
from sandbox.integration.outgoing.headers import SHOWN_SECRET
from sandbox.integration.outgoing.models import Connection, OutgoingMapping, OutgoingVersion

AUTHOR = "Seed"
HEADER = "X-Api-Key"
STAND_IN = "the-key-that-the-project-portal-issued"
CONNECTIONS = ("Project portal", "Payment portal")
MAPPINGS: tuple[tuple[str, str, str, list[dict[str, Any]], list[str]], ...] = (
    ("Invoices to the project portal", "invoice-to-project-portal", "invoice", INVOICE_ROWS, ["invoice.approved"]),
    ("Vendors to the project portal", "vendor-to-project-portal", "vendor", VENDOR_ROWS, []),
    ("Receipts to the project portal", "goods-receipt-to-project-portal", "goods_receipt", RECEIPT_ROWS, []),
)


def furnish_outgoing(session: TenantSession, inbox: str) -> None:
    """Give the session's tenant two connections to the address `inbox` and a few mappings, where it has none."""
    if session.scalar(select(func.count()).select_from(Connection)):
        return
    endpoints = take_block(session, Endpoint.__tablename__, len(CONNECTIONS))
    ids = take_block(session, Connection.__tablename__, len(CONNECTIONS))
    own = {"tenant_id": session.owner_id}
    lane = {"at_once": AT_ONCE, "is_ordered": False, "slowdowns": 0}
    details = {
        "url": inbox,
        "method": "POST",
        "headers": [{"name": HEADER, "value": SHOWN_SECRET, "secret": True}],
        "secrets": json.dumps({HEADER.lower(): STAND_IN}),
        "timeout": 10,
        "active": True,
        "success_statuses": [],
        "reference_path": "reference",
    }
    connection = session.connection()
    connection.execute(insert(table_of(Endpoint)), [{**own, "id": id_, "kind": "send"} for id_ in endpoints])
    lanes: list[dict[str, object]] = [{**own, **lane, "endpoint_id": id_} for id_ in endpoints]
    connection.execute(insert(Lane), lanes)
    named = zip(ids, endpoints, CONNECTIONS, strict=True)
    rows = [
        {**_stamps(session, Connection), **details, "id": id_, "endpoint_id": endpoint, "name": name}
        for id_, endpoint, name in named
    ]
    connection.execute(insert(table_of(Connection)), rows)
    _add_mappings(session, ids[0])


def _add_mappings(session: TenantSession, connection_id: int) -> None:
    ids = take_block(session, OutgoingMapping.__tablename__, len(MAPPINGS))
    numbers = take_block(session, OutgoingVersion.__tablename__, len(MAPPINGS))
    now = session.clock.now()
    usual = {"tenant_id": session.owner_id, "number": 1, "status": "live", "author": AUTHOR}
    found, versions = [], []
    for id_, number, (name, slug, source, rows, events) in zip(ids, numbers, MAPPINGS, strict=True):
        facts = {"name": name, "slug": slug, "source": source, "rows": rows, "events": events}
        flags = {"connection_id": connection_id, "manual": True, "active": True}
        found.append({**_stamps(session, OutgoingMapping), **facts, **flags, "id": id_})
        said = {"id": number, "mapping_id": id_, "source": source, "rows": rows}
        versions.append({**usual, **said, "created_at": now, "published_at": now})
    connection = session.connection()
    connection.execute(insert(table_of(OutgoingMapping)), found)
    connection.execute(insert(table_of(OutgoingVersion)), versions)


def _stamps(session: TenantSession, model: type[TenantRecord]) -> dict[str, object]:
    now = session.clock.now()
    public_id = new_public_id(model.public_prefix)
    return {"tenant_id": session.owner_id, "public_id": public_id, "created_at": now, "updated_at": now, "version": 1}
