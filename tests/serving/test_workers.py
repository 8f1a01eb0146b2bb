"""A worker is seen while it lives, and missed as soon as it does not (attack 38)."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, func, select

from portal.core.clock import system_now
from portal.core.database import Database
from portal.core.heartbeats import FORGOTTEN, SILENCE, Heart, Heartbeat
from portal.core.mail import queue_mail
from portal.core.processes import name_process
from portal.serving.processes import worker_command
from portal.serving.working import work
from portal.tenancy.models import Tenant
from sandbox.delivery.models import Delivery
from sandbox.tenants import NewSandbox, create_sandbox
from sandbox.webhooks.service import add_webhook
from tests.conftest import Integration, runtime_of
from tests.portal.people import new_email
from tests.sandbox.delivery.conftest import bound, cause
from tests.sandbox.delivery.sink import Arrival, Sink, open_sink
from tests.serving.processes import PATIENCE, ROOT, end, environ_for, wait_until

Starter = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def database(quiet: Flask) -> Iterator[Database]:
    found = runtime_of(quiet).database
    yield found
    with found.transaction() as session:
        session.execute(delete(Heartbeat))


@pytest.fixture
def start_worker(quiet: Flask) -> Iterator[Starter]:
    """Starts workers as an operator does, on any machine."""
    settings = runtime_of(quiet).settings
    with ExitStack() as stack:

        def start(**more: str) -> subprocess.Popen[bytes]:
            environ = environ_for(settings, settings.port, **more)
            process = subprocess.Popen(worker_command(), cwd=ROOT, env=environ, start_new_session=True)
            stack.callback(end_hard, process)
            return process

        yield start


def end_hard(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    process.wait()


def readiness(app: Flask) -> tuple[int, dict[str, Any]]:
    response = app.test_client().get("/readyz")
    return response.status_code, response.get_json()


def alive(app: Flask) -> int:
    return int(readiness(app)[1]["workers"]["alive"])


def rows(database: Database) -> int:
    with database.transaction(write=False) as session:
        return session.scalar(select(func.count()).select_from(Heartbeat)) or 0


def add_row(database: Database, process: str, beat_at: dt.datetime) -> None:
    place = {"host": "elsewhere", "pid": 7, "started_at": beat_at, "beat_at": beat_at}
    with database.transaction() as session:
        session.add(Heartbeat(process=process, kind="worker", **place))


def gauges(app: Flask) -> dict[str, float]:
    text = app.test_client().get("/metrics").get_data(as_text=True)
    return {name: float(value) for name, value in re.findall(r"^(slipway_\S+) (\S+)$", text, re.M)}


def test_without_a_worker_a_web_machine_is_degraded_and_stays_in_use(quiet: Flask, database: Database) -> None:
    status, told = readiness(quiet)
    assert (status, told["status"]) == (200, "degraded")
    assert told["workers"] == {"alive": 0, "last_beat_at": None}
    assert told["stores"]["database"] is True


def test_workers_are_counted_while_they_live_and_leave_no_trace(
    quiet: Flask, database: Database, start_worker: Starter
) -> None:
    """As two `serve` on one machine with one database have them."""
    workers = [start_worker(), start_worker()]
    wait_until(lambda: alive(quiet) == 2)
    assert readiness(quiet)[1]["status"] == "ok"
    for worker in workers:
        worker.send_signal(signal.SIGTERM)
        assert end(worker) == 0
    assert readiness(quiet)[1]["workers"] == {"alive": 0, "last_beat_at": None}


def test_a_worker_killed_for_good_is_missed_at_once_and_its_row_swept_by_the_next(
    quiet: Flask, database: Database, start_worker: Starter
) -> None:
    first = start_worker()
    wait_until(lambda: alive(quiet) == 1)
    first.kill()
    first.wait()
    status, told = readiness(quiet)
    assert (status, told["status"], told["workers"]["alive"]) == (200, "degraded", 0)
    assert told["workers"]["last_beat_at"]
    start_worker()
    wait_until(lambda: alive(quiet) == 1)
    assert rows(database) == 1


def test_a_worker_of_another_machine_is_alive_until_it_has_been_silent(quiet: Flask, database: Database) -> None:
    add_row(database, "elsewhere/1 7 1", system_now())
    assert alive(quiet) == 1
    add_row(database, "elsewhere/1 8 1", system_now() - SILENCE)
    assert alive(quiet) == 1


def test_rows_of_workers_that_never_came_back_are_swept(database: Database) -> None:
    add_row(database, "elsewhere/1 7 1", system_now() - FORGOTTEN - dt.timedelta(minutes=1))
    add_row(database, "elsewhere/1 8 1", system_now() - SILENCE)
    Heart(database).beat()
    with database.transaction(write=False) as session:
        assert set(session.scalars(select(Heartbeat.process))) == {"elsewhere/1 8 1", name_process()}


def test_metrics_tell_who_works_and_what_waits(quiet: Flask, database: Database) -> None:
    before = gauges(quiet)
    assert before['slipway_workers{kind="worker"}'] == 0
    assert 'slipway_worker_silence_seconds{kind="worker"}' not in before
    add_row(database, "elsewhere/1 7 1", system_now() - dt.timedelta(seconds=5))
    with database.transaction() as session:
        queue_mail(session, new_email(), "Hello", "Hello")
    after = gauges(quiet)
    assert after['slipway_workers{kind="worker"}'] == 1
    assert after['slipway_worker_silence_seconds{kind="worker"}'] >= 5
    assert after['slipway_due{queue="jobs"}'] == before['slipway_due{queue="jobs"}'] + 1
    assert after['slipway_due{queue="deliveries"}'] == 0
    assert after['slipway_oldest_due_seconds{queue="jobs"}'] > 0


def test_a_worker_whose_loop_has_ended_ends_too_so_that_it_is_started_again(quiet: Flask, database: Database) -> None:
    """A thread that dies alone would leave deliveries waiting unseen."""

    def die(parts: object, stopping: object) -> None:
        return

    assert work(runtime_of(quiet), [die], [], threading.Event()) == 1
    assert rows(database) == 0


@pytest.fixture
def alices(quiet: Flask) -> Iterator[NewSandbox]:
    parts = runtime_of(quiet)
    with parts.database.transaction() as session:
        new = create_sandbox(session, parts.settings, name="Alice's", plan="enterprise")
    yield new
    with parts.database.transaction() as session:
        session.execute(delete(Tenant).where(Tenant.id == new.tenant.id))


def deliveries(database: Database, alices: NewSandbox) -> list[tuple[str, int]]:
    with database.transaction(write=False) as session:
        found = bound(session, alices).execute(select(Delivery.status, Delivery.attempts).order_by(Delivery.id))
        return [(row.status, row.attempts) for row in found]


def send_something(quiet: Flask, alices: NewSandbox, sink: Sink) -> None:
    """One message to a webhook of alice's that points at the sink."""
    with runtime_of(quiet).database.transaction() as session:
        given = {"url": sink.url, "events": ["*"], "description": None, "active": True, "ordered": False}
        add_webhook(bound(session, alices), given)
    cause(Integration(quiet.test_client(), alices.keys["administrator"], alices.tenant.public_id))


class Patient:
    """A receiver that answers its first message once it may, all others at once."""

    def __init__(self, sink: Sink) -> None:
        self.may_answer, self.has_arrived = threading.Event(), threading.Event()
        sink.decide = self._decide

    def _decide(self, arrival: Arrival) -> tuple[int, dict[str, str]]:
        if not self.has_arrived.is_set():
            self.has_arrived.set()
            self.may_answer.wait(PATIENCE)
        return 200, {}


def test_a_worker_told_to_stop_ends_the_delivery_under_way(
    quiet: Flask, database: Database, start_worker: Starter, alices: NewSandbox
) -> None:
    with open_sink() as sink:
        receiver = Patient(sink)
        send_something(quiet, alices, sink)
        worker = start_worker(OUTGOING_ALLOW="127.0.0.0/8")
        assert receiver.has_arrived.wait(PATIENCE)
        worker.send_signal(signal.SIGTERM)
        receiver.may_answer.set()
        assert end(worker) == 0
        assert deliveries(database, alices) == [("delivered", 1)]
        assert len(sink.arrivals) == 1


def test_a_worker_told_twice_ends_hard_and_another_delivers(
    quiet: Flask, database: Database, start_worker: Starter, alices: NewSandbox
) -> None:
    with open_sink() as sink:
        receiver = Patient(sink)
        send_something(quiet, alices, sink)
        worker = start_worker(OUTGOING_ALLOW="127.0.0.0/8", SHUTDOWN_TIMEOUT="600")
        assert receiver.has_arrived.wait(PATIENCE)
        wait_until(lambda: has_ended_told_again(worker))
        assert worker.returncode == 1
        receiver.may_answer.set()
        start_worker(OUTGOING_ALLOW="127.0.0.0/8")
        wait_until(lambda: deliveries(database, alices) == [("delivered", 1)])
        assert len(set(sink.ids)) == 1


def has_ended_told_again(worker: subprocess.Popen[bytes]) -> bool:
    worker.send_signal(signal.SIGTERM)
    return worker.poll() is not None
