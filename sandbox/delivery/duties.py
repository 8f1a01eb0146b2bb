"""What the worker does by the clock for deliveries: forget what is old, put right what passed each other."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Select, Table, and_, select, true, union

from portal.core.clock import system_now
from portal.core.config import Settings
from portal.core.database import Database
from portal.core.ownership import table_of
from portal.core.retention import delete_in_steps
from portal.core.session import TenantSession
from portal.schedule import Duty, Sweep
from portal.tenancy.models import Tenant
from sandbox.delivery.models import Delivery, Endpoint, Queued
from sandbox.delivery.queue import hold_all, release_all
from sandbox.delivery.service import find_endpoint

_ENDED = ("delivered", "discarded")
_QUEUE: Table = Queued.__table__  # type: ignore[assignment]


def forget_old_deliveries(database: Database, settings: Settings) -> None:
    """Delete what was delivered or discarded longer ago, by its tenant's time, than it is kept, attempts too.

    Failed ones wait for a person.
    """
    if not settings.delivery_log_days:
        return
    table, last = table_of(Delivery), system_now() - dt.timedelta(days=settings.delivery_log_days)
    with database.transaction(write=False) as session:
        tenants = session.execute(select(Tenant.id, Tenant.clock_offset).order_by(Tenant.id)).all()
    for tenant_id, seconds in tenants:
        is_old = table.c.ended_at < last + dt.timedelta(seconds=seconds)
        delete_in_steps(database, table, table.c.tenant_id == tenant_id, table.c.status.in_(_ENDED), is_old)


def sweep_held(session: TenantSession) -> None:
    """Put right what a message and a change of its endpoint left behind by passing each other.

    What is held for an open endpoint is let go, what is queued for a closed one held.
    """
    endpoints, deliveries = table_of(Endpoint).c, table_of(Delivery).c
    strays = union(
        _of_endpoints(deliveries, deliveries.status == "held", endpoints.closed_as.is_(None)),
        _of_endpoints(_QUEUE.c, true(), endpoints.closed_as.is_not(None)),
    )
    for tenant_id, endpoint_id in session.connection().execute(strays).all():
        with session.beside() as own:
            own.bind_tenant(tenant_id)
            endpoint = find_endpoint(own, endpoint_id, lock=True)
            if endpoint is not None:
                (release_all if endpoint.closed_as is None else hold_all)(own, endpoint_id)


def _of_endpoints(rows: Any, *conditions: Any) -> Select[Any]:
    """The endpoints, with their tenants, of rows that fulfil the conditions."""
    endpoints = table_of(Endpoint).c
    same = and_(endpoints.tenant_id == rows.tenant_id, endpoints.id == rows.endpoint_id)
    return select(endpoints.tenant_id, endpoints.id).where(same, *conditions).distinct()


DUTIES = (
    Sweep("forget old deliveries", dt.timedelta(hours=6), forget_old_deliveries),
    Duty("sweep held deliveries", dt.timedelta(minutes=5), sweep_held),
)
