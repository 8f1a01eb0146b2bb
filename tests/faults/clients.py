"""Clients that write without a pause, and send what failed again under the same key, as an honest caller does."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.faults.write_log import Attempts, WriteLog

PACE_SECONDS, GUEST_PACE_SECONDS = 0.1, 0.25
"""Between two writes of a client. A guest may write 300 messages an hour, a key be used 1,000 times."""
TIMEOUT = (3.05, 10)
"""Seconds to connect, and to wait for an answer."""
LONGEST_WAIT = 5.0
FINISH_SECONDS = 30
"""In which a client may finish the write it is at, once it was told to stop."""
PAYMENTS = 5


@dataclass
class Sandbox:
    """Where the clients write, and with what."""

    origin: str
    keys: dict[str, str]
    publishable_key: str


@dataclass
class Client:
    """One caller with credentials of its own, on one connection."""

    name: str
    sandbox: Sandbox
    log: WriteLog
    headers: dict[str, str]
    attempts: Attempts = field(default_factory=Attempts)
    stopping: threading.Event = field(default_factory=threading.Event)
    gives_up_at: float = float("inf")
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _session: requests.Session = field(default_factory=requests.Session)

    def new_mark(self) -> str:
        return f"{self.name}-{next(self._numbers):04}"

    def write(self, kind: str, path: str, body: dict[str, Any], mark: str) -> dict[str, Any] | None:
        """Send until the write is acknowledged; None when it is refused for good, or the row is over."""
        write = self.log.begin(kind, mark)
        while time.monotonic() < self.gives_up_at:
            began_at = time.monotonic()
            wait, data = self._attempt(path, body, mark)
            if data is not None:
                write.answer = data
                self.attempts.succeed(began_at, time.monotonic())
                return data
            self.attempts.failures.append(time.monotonic())
            if wait is None:
                return None
            time.sleep(wait)
        return None

    def _attempt(self, path: str, body: dict[str, Any], mark: str) -> tuple[float | None, dict[str, Any] | None]:
        """The record, or how many seconds to wait before the next attempt; neither when the write is refused."""
        headers = self.headers | {"Idempotency-Key": mark}
        try:
            answer = self._session.post(f"{self.sandbox.origin}{path}", json=body, headers=headers, timeout=TIMEOUT)
        except requests.RequestException as error:
            self.log.note_broken(kind_of(error))
            return PACE_SECONDS, None
        self.log.note_status(answer.status_code, answer.text)
        if answer.status_code in {200, 201}:
            return None, answer.json()["data"]
        if answer.status_code in {409, 429} or answer.status_code >= 500:
            return min(LONGEST_WAIT, float(answer.headers.get("Retry-After", PACE_SECONDS))), None
        return None, None


def kind_of(error: requests.RequestException) -> str:
    """How an attempt broke."""
    if isinstance(error, requests.Timeout):
        return "silent"
    return "refused" if "NewConnectionError" in repr(error) else "cut off"


def issue_invoices(client: Client) -> None:
    while not client.stopping.wait(PACE_SECONDS):
        issue_invoice(client)


def pay_invoices(client: Client) -> None:
    """An invoice, then some payments of it, and on."""
    while not client.stopping.wait(PACE_SECONDS):
        invoice = issue_invoice(client)
        for number in range(1, PAYMENTS + 1):
            if invoice is None or client.stopping.wait(PACE_SECONDS):
                break
            mark = client.new_mark()
            body = {"amount": number, "account_id": 1, "method": mark}
            client.write("payment", f"/api/v2/invoices/{invoice['public_id']}/payments", body, mark)


def issue_invoice(client: Client) -> dict[str, Any] | None:
    mark = client.new_mark()
    items = [{"description": "Fault", "amount": 100, "qty": 1}]
    body = {"customer_id": 1, "due_date": "2099-12-31", "items": items, "notes": mark}
    return client.write("invoice", "/api/v2/invoices", body, mark)


@dataclass
class Chat:
    """A guest's conversation: its id, and the proof that it is theirs."""

    public_id: str
    headers: dict[str, str]

    @property
    def path(self) -> str:
        return f"/api/v1/support/guest/{self.public_id}"


def start_chat(sandbox: Sandbox, name: str) -> Chat:
    """Start a conversation within the sandbox."""
    body = {"fullName": "Jane Archer", "email": f"{name}@example.com", "message": "Hello"}
    key = {"X-Publishable-Key": sandbox.publishable_key}
    answer = requests.post(f"{sandbox.origin}/api/v1/support/guest", json=body, headers=key, timeout=TIMEOUT)
    answer.raise_for_status()
    data = answer.json()["data"]
    return Chat(data["public_id"], key | {"Authorization": f"Bearer {data['guest_token']}"})


def write_messages(client: Client, chat: Chat) -> None:
    while not client.stopping.wait(GUEST_PACE_SECONDS):
        mark = client.new_mark()
        client.write("message", f"{chat.path}/messages", {"message": mark, "client_msg_id": mark}, mark)


CALLERS = (
    ("alice", "administrator", issue_invoices),
    ("bob", "manager", issue_invoices),
    ("carol", "accountant", pay_invoices),
    ("dave", "accountant", pay_invoices),
)


@contextmanager
def writing(sandbox: Sandbox, chat: Chat, log: WriteLog, row: int) -> Iterator[list[Client]]:
    """Let all clients write; at the end each finishes what it is at. `row` tells their marks from other rows'."""
    clients, threads = [], []
    for name, role, work in CALLERS:
        client = Client(f"fault-{name}-{row}", sandbox, log, {"Authorization": f"Bearer {sandbox.keys[role]}"})
        clients.append(client)
        threads.append(threading.Thread(target=work, args=[client], daemon=True))
    guest = Client(f"fault-guest-{row}", sandbox, log, chat.headers)
    clients.append(guest)
    threads.append(threading.Thread(target=write_messages, args=[guest, chat], daemon=True))
    for thread in threads:
        thread.start()
    try:
        yield clients
    finally:
        for client in clients:
            client.gives_up_at = time.monotonic() + FINISH_SECONDS
            client.stopping.set()
        for thread in threads:
            thread.join(FINISH_SECONDS + sum(TIMEOUT))
