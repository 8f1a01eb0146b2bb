"""One row: clients write, a fault begins and ends, everything is read back."""

from __future__ import annotations

import contextlib
import signal
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

import requests

from tests.faults.accounting import Account, missing_deliveries, settle
from tests.faults.clients import TIMEOUT, Chat, Client, start_chat, writing
from tests.faults.deployments import Deployment
from tests.faults.faults import Fault
from tests.faults.processes import Product
from tests.faults.reading import EVENTS, Found, read_back
from tests.faults.receiver import Receiver
from tests.faults.write_log import WriteLog

RECOVERY_AIM = 10.0
RECOVERY_PATIENCE = 60.0
DELIVERY_PATIENCE = 60.0
STEADY_SECONDS = 2.0
"""For which nothing may fail before a product counts as recovered."""
WARM_WRITES = 5
"""Of each client before the fault begins."""
ROW_SECONDS = 240
_LOOK_SECONDS = 0.05


class Overdue(Exception):
    """Something did not come about in its time."""


@dataclass
class Row:
    """What one fault did. `seconds` is None where the product did not recover, `failure` why there are no figures."""

    fault: Fault
    store: str
    account: Account | None = None
    statuses: dict[int, int] = field(default_factory=dict)
    broken: dict[str, int] = field(default_factory=dict)
    seconds: float | None = None
    failure: str = ""
    left_out: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def is_met(self) -> bool:
        """Return True if every aim was."""
        if self.account is None or self.failure or self.seconds is None or self.notes:
            return False
        is_whole = not (self.account.lost or self.account.doubled or self.account.inconsistent)
        return is_whole and not self.statuses.get(500) and self.seconds < RECOVERY_AIM


def run_row(fault: Fault, deployment: Deployment, receiver: Receiver, number: int) -> Row:
    """Inject one fault. Whatever happens, a row comes back within its time."""
    row = Row(fault, deployment.store)
    log = WriteLog()
    try:
        with _deadline(ROW_SECONDS):
            deployment.bring_up()
            path = f"/{uuid.uuid4().hex}"
            chat = _set_up(deployment, receiver.url(path), number)
            with writing(deployment.sandbox, chat, log, number) as clients:
                _wait(
                    lambda: all(len(one.attempts.successes) >= WARM_WRITES for one in clients),
                    60,
                    "the clients' first writes",
                )
                _wait(lambda: bool(receiver.arrivals(path)), 60, "the first delivery")
                row.seconds = _inject(fault, deployment, clients, log, receiver, path)
            row.account = settle(log.writes, _read_back(deployment, chat, receiver, path))
    except Exception as error:
        row.failure = f"{type(error).__name__}: {error}"
    row.statuses, row.broken, row.notes = dict(log.statuses), dict(log.broken), log.unexpected
    return row


def _set_up(deployment: Deployment, address: str, number: int) -> Chat:
    """A fresh sandbox with one webhook, and a guest's conversation in it."""
    headers = {"Authorization": f"Bearer {deployment.sandbox.keys['administrator']}"}
    origin = deployment.sandbox.origin
    requests.post(f"{origin}/api/v2/sandbox/reset", headers=headers, timeout=30).raise_for_status()
    for webhook in requests.get(f"{origin}/api/v2/webhooks", headers=headers, timeout=10).json()["data"]:
        requests.delete(f"{origin}/api/v2/webhooks/{webhook['id']}", headers=headers, timeout=10).raise_for_status()
    body = {"url": address, "events": list(EVENTS.values())}
    requests.post(f"{origin}/api/v2/webhooks", json=body, headers=headers, timeout=TIMEOUT).raise_for_status()
    return start_chat(deployment.sandbox, f"jane-{number}")


def _inject(
    fault: Fault, deployment: Deployment, clients: Sequence[Client], log: WriteLog, receiver: Receiver, path: str
) -> float | None:
    injected_at = time.monotonic()
    with fault.inject(deployment):
        if fault.from_start:
            since = time.monotonic() if fault.lasts else injected_at
        time.sleep(fault.lasts)
    if not fault.from_start:
        since = time.monotonic()
    return _recovery(deployment.product, clients, log, receiver, path, since)


def _recovery(
    product: Product, clients: Sequence[Client], log: WriteLog, receiver: Receiver, path: str, since: float
) -> float | None:
    """Seconds from `since` until every client wrote again, nothing failed after that, and something new arrived.

    Not before every process is there again: those left behind by one that was killed may serve a little longer.
    """
    until = time.monotonic() + RECOVERY_PATIENCE
    while time.monotonic() < until:
        time.sleep(_LOOK_SECONDS)
        back = [at for client in clients if (at := client.attempts.back_at(since)) is not None]
        if len(back) < len(clients) or time.monotonic() - max(back) < STEADY_SECONDS or not product.is_whole():
            continue
        subjects = {
            write.answer["public_id"] for write in log.answered(since=since) if write.kind in EVENTS and write.answer
        }
        arrived = [one.at for one in receiver.arrivals(path) if one.subject in subjects]
        if arrived:
            return max(*back, min(arrived)) - since
    return None


def _read_back(deployment: Deployment, chat: Chat, receiver: Receiver, path: str) -> Found:
    """What is there, once everything was delivered or the time is up."""
    found = read_back(deployment.sandbox, chat)
    with contextlib.suppress(Overdue):
        _wait(lambda: not missing_deliveries(found, receiver.arrivals(path)), DELIVERY_PATIENCE, "all deliveries")
    found.arrivals = receiver.arrivals(path)
    return found


def _wait(is_so: Callable[[], bool], seconds: float, what: str) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > until:
            raise Overdue(f"{what}: not in {seconds:g} s")
        time.sleep(_LOOK_SECONDS)


@contextmanager
def _deadline(seconds: int) -> Iterator[None]:
    """Raise Overdue in this, the main thread when the time is up, wherever it waits."""

    def end(_: int, __: FrameType | None) -> None:
        raise Overdue(f"the row took longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
