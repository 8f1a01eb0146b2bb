"""Webhooks from commit to arrival: how many a second the workers drain, and how late they come at a steady pace."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from portal.core.config import ROOT
from portal.core.events import record_event
from portal.core.session import TenantSession
from portal.tenancy.models import Tenant
from sandbox.tenants import create_sandbox
from sandbox.webhooks.service import add_webhook
from tests.bench.load import free_port, running
from tests.bench.ours import Store, new_store
from tests.stores import find_stores

BACKLOG = 3000
PACE, PACED_SECONDS = 100, 15
WORKERS = (1, 2)
LANES = 4
"""Webhooks of as many tenants, so that no one address is the limit."""
RATE_AIM, LATE_AIM = 200, 1.0
_PATIENCE_SECONDS = 120


@dataclass
class Deliveries:
    """By store and number of workers: deliveries a second from a backlog, seconds to arrival at a steady pace."""

    rates: dict[tuple[str, int], float] = field(default_factory=dict)
    delays: dict[tuple[str, int], list[float]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def late(self, store: str, workers: int, share: float) -> float:
        """The delay that so large a share of messages stay within."""
        delays = sorted(self.delays[store, workers])
        return delays[min(len(delays) - 1, int(len(delays) * share))]


def measure(folder: Path) -> Deliveries:
    """Each store with one worker and with two."""
    found = Deliveries()
    with ExitStack() as stack:
        postgresql = stack.enter_context(find_stores())["postgresql"]
        if postgresql.reason:
            found.left_out.append(postgresql.reason)
        for name, url in [("SQLite", ""), ("PostgreSQL", postgresql.database_url)]:
            if url or name == "SQLite":
                store = stack.enter_context(new_store(folder, f"deliveries-{name}", url))
                sink = stack.enter_context(_sink())
                tenants = [_subscribe(store, sink) for _ in range(LANES)]
                for workers in WORKERS:
                    _measure_on(store, sink, tenants, workers, found, name)
    return found


def _measure_on(store: Store, sink: str, tenants: list[int], workers: int, found: Deliveries, name: str) -> None:
    committed = _commit_backlog(store, tenants)
    with _workers(store, workers):
        _wait_for(sink, 1)
        arrivals = _wait_for(sink, len(committed))
        found.rates[name, workers] = len(arrivals) / (max(arrivals.values()) - min(arrivals.values()))
        requests.delete(sink, timeout=10)
        committed = _commit_at_pace(store, tenants)
        arrivals = _wait_for(sink, len(committed))
        found.delays[name, workers] = [arrivals[id_] - at for id_, at in committed.items()]
        requests.delete(sink, timeout=10)


def _commit_backlog(store: Store, tenants: list[int]) -> dict[str, float]:
    committed: dict[str, float] = {}
    for tenant_id in tenants:
        committed |= _commit(store, tenant_id, BACKLOG // len(tenants))
    return committed


def _commit_at_pace(store: Store, tenants: list[int]) -> dict[str, float]:
    """One event a transaction, PACE a second, the tenants in turn."""
    committed: dict[str, float] = {}
    started = time.monotonic()
    for number in range(PACE * PACED_SECONDS):
        time.sleep(max(0, started + number / PACE - time.monotonic()))
        committed |= _commit(store, tenants[number % len(tenants)], 1)
    return committed


def _commit(store: Store, tenant_id: int, count: int) -> dict[str, float]:
    """Record events in one transaction. Their ids, with the time at which it was committed."""
    with store.database.transaction() as session:
        session.bind_tenant(tenant_id)
        ids = [_record(session) for _ in range(count)]
    return dict.fromkeys(ids, time.time())


def _record(session: TenantSession) -> str:
    facts: dict[str, Any] = {
        "public_id": "cus_b83f1d6a40c79e25d1806ca3",
        "account": "Harbour Supplies",
        "city": "Mumbai",
    }
    return record_event(session, "customer.created", "cus_b83f1d6a40c79e25d1806ca3", facts).public_id


def _subscribe(store: Store, sink: str) -> int:
    with store.database.transaction() as session:
        tenant: Tenant = create_sandbox(session, store.settings, name="Deliveries").tenant
        add_webhook(session, {"url": sink, "events": ["*"], "description": None, "active": True, "ordered": False})
        return tenant.id


def _wait_for(sink: str, count: int) -> dict[str, float]:
    """What the sink has noted, once it is so many messages."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        arrivals: dict[str, float] = requests.get(sink, timeout=10).json()
        if len(arrivals) >= count:
            return arrivals
        time.sleep(0.25)
    raise SystemExit(f"{count} messages should have arrived, {len(arrivals)} did")


@contextmanager
def _sink() -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "tests.bench.sink", str(port)]
    with running(command, {}, f"http://127.0.0.1:{port}", "/") as origin:
        yield f"{origin}/hook"


@contextmanager
def _workers(store: Store, count: int) -> Iterator[None]:
    """So many worker processes, as an operator would run them; sent to loopback by leave."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "worker"]
    environ = {**store.environ, "OUTGOING_ALLOW": "127.0.0.0/8", "LOG_LEVEL": "WARNING"}
    started = [subprocess.Popen(command, cwd=ROOT, env=environ) for _ in range(count)]
    try:
        yield
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(timeout=30)


def show(found: Deliveries) -> Iterator[str]:
    """The table, with what was aimed at."""
    yield f"{'webhooks':24}{'per second':>12}{'p50 s':>10}{'p95 s':>10}    at {PACE} a second"
    for (store, workers), rate in found.rates.items():
        p50, p95 = (found.late(store, workers, share) for share in (0.5, 0.95))
        verdict = "met" if rate >= RATE_AIM and p95 < LATE_AIM else "missed"
        name = f"{store}, {workers} worker" + "s" * (workers > 1)
        aim = f"aim >= {RATE_AIM}/s, p95 < {LATE_AIM:g} s: {verdict}"
        yield f"  {name:22}{rate:>12,.0f}{p50:>10.2f}{p95:>10.2f}    {aim}"
