"""A thousand events, workers killed ten times, a receiver that fails a third of the time: nothing is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import func, select

from portal.core.config import ROOT, Settings
from portal.core.database import Database
from portal.core.events import Event
from sandbox.delivery.models import Attempt, Delivery
from sandbox.tenants import NewSandbox
from tests.conftest import Integration
from tests.sandbox.delivery.conftest import HookMaker, bound, cause
from tests.sandbox.delivery.sink import Answer, Arrival, Sink

KILLS, EVENTS = 10, 1000
PATIENCE_SECONDS = 120


class Workers:
    """Starts workers, and kills them."""

    def __init__(self, nursery: subprocess.Popen[str]) -> None:
        self._nursery = nursery
        self._alive: set[int] = set()

    def start(self) -> int:
        """A new worker's process id."""
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        self._nursery.stdin.write("one more\n")
        self._nursery.stdin.flush()
        pid = int(self._nursery.stdout.readline())
        self._alive.add(pid)
        return pid

    def kill(self, pid: int) -> None:
        """Kill a worker; it has no time to say goodbye."""
        self._alive.remove(pid)
        os.kill(pid, signal.SIGKILL)

    def kill_all(self) -> None:
        for pid in tuple(self._alive):
            self.kill(pid)


def open_workers(settings: Settings, lease: float) -> Iterator[Workers]:
    options = {
        "database_url": settings.database_url,
        "secret_key": settings.secret_key,
        "threads": 8,
        "waits": [0.2] * 40,
        "lease": lease,
    }
    command = [sys.executable, "-m", "tests.sandbox.delivery.worker_process", json.dumps(options)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, **pipes) as nursery:
        found = Workers(nursery)
        yield found
        found.kill_all()
        nursery.kill()


@pytest.fixture
def workers(settings: Settings) -> Iterator[Workers]:
    yield from open_workers(settings, lease=2)


@pytest.fixture
def workers_of_long_leases(settings: Settings) -> Iterator[Workers]:
    yield from open_workers(settings, lease=86_400)


class Progress:
    """Lets a test wait for so many arrivals."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._more = threading.Condition()
        self.taken: Counter[str] = Counter()

    def decide(self, arrival: Arrival) -> Answer:
        """Refuse every third arrival."""
        with self._more:
            self._more.notify_all()
            if len(self._sink.arrivals) % 3 == 0:
                return 500, {}
            self.taken[arrival.headers["webhook-id"]] += 1
            return 200, {}

    def wait_until(self, is_reached: Callable[[], bool]) -> None:
        with self._more:
            assert self._more.wait_for(is_reached, PATIENCE_SECONDS), f"{len(self.taken)} messages arrived"


def test_every_event_arrives_though_workers_are_killed_and_a_third_is_refused(
    alice: Integration,
    alices_sandbox: NewSandbox,
    hook: HookMaker,
    sink: Sink,
    workers: Workers,
    database: Database,
) -> None:
    hook()
    progress = Progress(sink)
    sink.decide = progress.decide
    for start in range(0, EVENTS, 500):
        rows = [{"account": f"Customer {number}"} for number in range(start, start + 500)]
        assert alice.post("/api/v2/batch/customers", {"customers": rows}).status_code == 200

    for _ in range(KILLS):
        before = len(sink.arrivals)
        pid = workers.start()
        progress.wait_until(lambda: len(sink.arrivals) >= before + 20 or len(progress.taken) >= EVENTS)  # noqa: B023
        workers.kill(pid)
    for _ in range(2):
        workers.start()
    progress.wait_until(lambda: len(progress.taken) >= EVENTS)
    wait_for_settling(database, alices_sandbox)

    with database.transaction(write=False) as session:
        bound(session, alices_sandbox)
        events = set(session.scalars(select(Event.public_id)))
        statuses = Counter(session.scalars(select(Delivery.status)))
        logged = dict(session.execute(select(Attempt.delivery_id, func.count()).group_by(Attempt.delivery_id)).all())
        counted = dict(session.execute(select(Delivery.id, Delivery.attempts)).all())
    assert set(progress.taken) == events, "an event was lost, or one arrived that never was"
    assert statuses == {"delivered": EVENTS}
    assert logged == counted
    bodies: dict[str, set[bytes]] = {}
    for arrival in sink.arrivals:
        bodies.setdefault(arrival.headers["webhook-id"], set()).add(arrival.body)
    assert all(len(found) == 1 for found in bodies.values()), "a repeat differs from the first"


def wait_for_settling(database: Database, new: NewSandbox) -> None:
    """Wait until the workers have written down the last answers."""
    pause = threading.Event()
    for _ in range(PATIENCE_SECONDS * 20):
        with database.transaction(write=False) as session:
            waiting = bound(session, new).scalar(select(func.count()).where(Delivery.status == "pending"))
        if not waiting:
            return
        pause.wait(0.05)
    pytest.fail("the workers did not settle")


def test_what_a_killed_worker_held_is_sent_by_another_at_once(
    alice: Integration, hook: HookMaker, sink: Sink, workers_of_long_leases: Workers
) -> None:
    """Its leases would go on for a day."""
    hook()
    progress, is_killed = Progress(sink), threading.Event()

    def decide(arrival: Arrival) -> Answer:
        progress.decide(arrival)
        is_killed.wait(timeout=PATIENCE_SECONDS)
        return 200, {}

    sink.decide = decide
    cause(alice, 4)
    first = workers_of_long_leases.start()
    progress.wait_until(lambda: len(sink.arrivals) == 4)
    workers_of_long_leases.kill(first)
    is_killed.set()
    workers_of_long_leases.start()
    progress.wait_until(lambda: len(sink.arrivals) == 8)
    assert sorted(sink.ids[:4]) == sorted(sink.ids[4:])
