"""A sink to deliver to, and a courier that is run by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from portal.core.clock import system_now
from portal.core.database import Database
from portal.core.outgoing import OutgoingClient
from portal.core.session import TenantSession
from portal.tenancy.models import Tenant
from sandbox.delivery.models import Queued
from sandbox.delivery.worker import Courier
from sandbox.tenants import NewSandbox
from sandbox.webhooks.models import Webhook
from sandbox.webhooks.service import add_webhook
from tests.conftest import Integration
from tests.sandbox.delivery.sink import Sink, open_sink

CourierMaker = Callable[..., Courier]
HookMaker = Callable[..., Webhook]
Visit = Callable[[], Any]


@pytest.fixture
def sink() -> Iterator[Sink]:
    with open_sink() as sink:
        yield sink


@pytest.fixture
def outgoing() -> Iterator[OutgoingClient]:
    """A client that may call loopback."""
    client = OutgoingClient(allow=["127.0.0.0/8"])
    yield client
    client.close()


@pytest.fixture
def courier(database: Database, outgoing: OutgoingClient) -> CourierMaker:
    return lambda **options: Courier(database, outgoing, **options)


def bound(session: TenantSession, new: NewSandbox) -> TenantSession:
    """The session, bound to a sandbox."""
    tenant = session.get(Tenant, new.tenant.id)
    assert tenant is not None
    session.bind_tenant(tenant.id, tenant.clock)
    return session


def cause(alice: Integration, count: int = 1) -> list[str]:
    """Events: customers created. Their names in order."""
    names = [f"Customer {number}" for number in range(count)]
    for name in names:
        assert alice.post("/api/v2/customers", {"account": name}).status_code == 201
    return names


@pytest.fixture
def hook(database: Database, alices_sandbox: NewSandbox, sink: Sink) -> HookMaker:
    """Webhooks of alice's that point at the sink."""

    def make(**fields: Any) -> Webhook:
        given = {"url": sink.url, "events": ["*"], "description": None, "active": True, "ordered": False} | fields
        with database.transaction() as session:
            webhook = add_webhook(bound(session, alices_sandbox), given)
            session.flush()
        return webhook

    return make


@pytest.fixture
def make_due(database: Database, alices_sandbox: NewSandbox) -> Callable[[], None]:
    """Let what waits for another attempt be due at once."""

    def hurry() -> None:
        with database.transaction() as session:
            for row in session.query(Queued).where(Queued.tenant_id == alices_sandbox.tenant.id):
                row.due_at = system_now()

    return hurry
