"""What a dry run leaves behind, which is nothing; and what the log keeps, which is the newest."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from portal.core.config import Settings
from portal.core.database import Base, Database
from portal.tenancy.models import Tenant
from sandbox.integration.incoming.log import forget_old_messages
from sandbox.integration.incoming.samples import PAYLOADS
from sandbox.tenants import NewSandbox
from tests.conftest import Integration

INCOMING = "/api/v1/integration/incoming"
MAPPINGS = "/api/v2/integration/incoming-mappings"
OF_EVERY_CALL = {"exchanges", "api_keys"}


def everything(database: Database, tenant: Tenant) -> dict[str, Any]:
    """All that the tenant has, table by table, its counters and its revision; but for what every call is noted in."""
    tables = [table for table in Base.metadata.tables.values() if "tenant_id" in table.columns]
    with database.transaction(write=False) as session:
        connection = session.connection()
        revision = connection.scalar(select(Tenant.revision).where(Tenant.id == tenant.id))
        rows = {
            table.name: sorted(map(repr, connection.execute(select(table).where(table.c.tenant_id == tenant.id))))
            for table in tables
            if table.name not in OF_EVERY_CALL
        }
    return {"revision": revision, **rows}


def test_a_dry_run_leaves_nothing_behind_however_it_ends(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    before = everything(database, alices_sandbox.tenant)
    for slug, payload in PAYLOADS.items():
        assert alice.post(f"{INCOMING}?mapping={slug}&dry_run=true", payload).status_code == 200
        assert alice.post(f"{INCOMING}?mapping={slug}&dry_run=true", {}).status_code == 400
        assert alice.post(f"{INCOMING}?mapping={slug}&dry_run=true", [payload, {}, 7]).status_code == 200
    for number, payload in enumerate(PAYLOADS.values(), 1):
        assert alice.post(f"{MAPPINGS}/{number}/run", {"payload": payload}).status_code == 200
    assert everything(database, alices_sandbox.tenant) == before


def test_the_log_keeps_the_newest_messages_of_each_tenant(
    alice: Integration, mallory: Integration, database: Database, settings: Settings
) -> None:
    for caller in (alice, mallory):
        for number in range(3):
            caller.post(INCOMING, {}, headers={"X-Request-Id": f"call-{number}"})
    forget_old_messages(database, settings.model_copy(update={"incoming_log_rows": 2}))
    for caller in (alice, mallory):
        kept = caller.get("/api/v2/integration/incoming-logs").json["data"]
        assert [line["request_id"] for line in kept] == ["call-2", "call-1"]
