"""A store that goes while messages are under way: each arrives, none is sent a second time for it."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from portal.core.outgoing import OutgoingClient
from sandbox.delivery.models import Attempt, Delivery
from sandbox.delivery.worker import Courier
from sandbox.webhooks.service import add_webhook
from tests.outages.conftest import Stack
from tests.outages.proxy import losing_confirmations
from tests.outages.test_stuck import LONG, in_time
from tests.sandbox.delivery.conftest import bound
from tests.sandbox.delivery.sink import Answer, Arrival, Sink, open_sink


class Worker:
    """A courier in a thread, and a receiver whose answers wait for a word."""

    def __init__(self, stack: Stack, sink: Sink) -> None:
        self.stack, self.sink = stack, sink
        self.may_answer, self.has_arrived, self._stopping = (threading.Event() for _ in range(3))
        self.client = OutgoingClient(["127.0.0.0/8"])
        self._database = stack.app.extensions["slipway"].database
        courier = Courier(self._database, self.client, threads=1, lease=dt.timedelta(hours=1))
        self._thread = threading.Thread(target=courier.run, args=[self._stopping], daemon=True)
        sink.decide = self._decide
        with self._database.transaction() as session:
            given = {"url": sink.url, "events": ["*"], "description": None, "active": True, "ordered": False}
            self._webhook = add_webhook(bound(session, stack.new), given)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self.may_answer.set()
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=LONG)
        self.client.close()
        with self._database.transaction() as session:
            session.delete(
                bound(session, self.stack.new).get(type(self._webhook), (self.stack.new.tenant.id, self._webhook.id))
            )

    def settled(self) -> tuple[str, int, list[str | None]]:
        """The newest delivery once nothing is pending: its status, attempts, and how those failed."""
        return in_time(self._read)  # type: ignore[no-any-return]

    def _read(self) -> tuple[str, int, list[str | None]]:
        while True:
            with self._database.transaction(write=False) as session:
                rows = bound(session, self.stack.new).scalars(select(Delivery).order_by(Delivery.id)).all()
                failures = session.scalars(select(Attempt.failure).where(Attempt.delivery_id == rows[-1].id)).all()
            if all(row.status != "pending" for row in rows):
                return rows[-1].status, rows[-1].attempts, list(failures)

    def _decide(self, arrival: Arrival) -> Answer:
        self.has_arrived.set()
        self.may_answer.wait(timeout=LONG)
        return 200, {}


def wait_for_words(caplog: pytest.LogCaptureFixture, words: str) -> bool:
    """Wait until the log says so."""
    while not any(words in record.getMessage() for record in list(caplog.records)):
        time.sleep(0.01)
    return True


@pytest.fixture
def worker(stack: Stack) -> Iterator[Worker]:
    with open_sink() as sink:
        worker = Worker(stack, sink)
        yield worker
        stack.postgresql.ensure_running()
        worker.end()


def test_what_came_back_while_the_store_was_gone_is_written_down_later_and_sent_once(
    stack: Stack, worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    worker.start()
    assert stack.alice.post("/api/v2/customers", {"account": "Sent once"}).status_code == 201
    assert worker.has_arrived.wait(timeout=LONG)
    stack.postgresql.stop()
    worker.may_answer.set()
    in_time(lambda: wait_for_words(caplog, "wait for the store"))
    stack.postgresql.start()
    assert worker.settled() == ("delivered", 1, [None])
    assert len(worker.sink.arrivals) == 1


def test_what_could_not_be_composed_while_the_store_was_gone_counts_as_no_attempt(stack: Stack, worker: Worker) -> None:
    worker.may_answer.set()
    assert stack.alice.post("/api/v2/customers", {"account": "Composed later"}).status_code == 201
    with stack.postgresql.hold("webhooks") as waiters:
        worker.start()
        while not waiters():
            pass
        stack.postgresql.stop()
    stack.postgresql.start()
    assert worker.settled() == ("delivered", 1, [None])
    assert len(worker.sink.arrivals) == 1


def test_a_delivery_whose_lease_was_not_confirmed_is_sent_at_once(stack: Stack, worker: Worker) -> None:
    """The lease is committed and the connection ends before the store can say so: it would go on for a day."""
    worker.may_answer.set()
    assert stack.alice.post("/api/v2/customers", {"account": "Sent at once"}).status_code == 201
    with losing_confirmations(stack.postgresql.port, b"UPDATE delivery_queue SET lease") as proxy:
        database = stack.database_at(proxy.port)
        other = Courier(database, worker.client, lease=dt.timedelta(days=1))
        with pytest.raises(OperationalError):
            other.deliver_due()
        other.deliver_due()
        database.close()
    assert (proxy.lost, worker.settled()) == (1, ("delivered", 1, [None]))
