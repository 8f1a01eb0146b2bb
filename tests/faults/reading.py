"""Reading everything back, through the API."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import requests

from tests.faults.clients import Chat, Sandbox
from tests.faults.receiver import Arrival

EVENTS = {"invoice": "invoice.created", "payment": "payment.received"}
"""By kind of write: the event that tells of it."""
MARK = re.compile("fault-[a-z]+-[0-9]+-[0-9]+")
PATIENCE_SECONDS = 40


@dataclass(frozen=True)
class Record:
    """A record that a client made: `number` is an invoice's, `paid` what it says was paid or, of a payment, its sum."""

    kind: str
    mark: str
    public_id: str
    number: str = ""
    paid: Decimal = Decimal()
    invoice: str = ""


@dataclass
class Found:
    """What is there afterwards. `messages` in the order of the conversation, `events` by type and subject."""

    records: list[Record] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    events: list[tuple[str, str]] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)


def read_back(sandbox: Sandbox, chat: Chat) -> Found:
    """Every record, event and message the clients made. What came to the receiver is added by the caller."""
    invoices = list(_newest(sandbox, "/api/v2/invoices", "notes"))
    known = {invoice["id"]: invoice["public_id"] for invoice in invoices}
    payments = _newest(sandbox, "/api/v2/transactions", "method")
    records = [
        Record("invoice", one["notes"], one["public_id"], one["invoice_number"], one["paid"]) for one in invoices
    ]
    records += [
        Record("payment", one["method"], one["public_id"], paid=one["amount"], invoice=known.get(one["invoice_id"], ""))
        for one in payments
    ]
    subjects = {record.public_id for record in records}
    told = [(one["type"], one["subject"]) for one in _events(sandbox) if one["subject"] in subjects]
    return Found(records, _messages(sandbox, chat), [one for one in told if one[0] in EVENTS.values()])


def _newest(sandbox: Sandbox, path: str, marked: str) -> Iterator[dict[str, Any]]:
    """The records of the clients, newest first: those above what the seed has."""
    for page in range(1, 100):
        rows = _get(sandbox, f"{path}?sort=-id&limit=100&page={page}")
        yield from (row for row in rows if is_mark(row[marked]))
        if not rows or not is_mark(rows[-1][marked]):
            return


def _events(sandbox: Sandbox) -> Iterator[dict[str, Any]]:
    for name in EVENTS.values():
        for page in range(1, 100):
            rows = _get(sandbox, f"/api/v2/events?type={name}&limit=100&page={page}", bearer(sandbox, "administrator"))
            yield from rows
            if len(rows) < 100:
                break


def _messages(sandbox: Sandbox, chat: Chat) -> list[str]:
    found: list[str] = []
    after = 0
    while True:
        data = _get(sandbox, f"{chat.path}/events?after={after}", chat.headers)
        if not data["events"]:
            return found
        found += [line["text"] for line in data["events"] if line["author"] == "guest" and is_mark(line["text"])]
        after = data["events"][-1]["seq"]


def is_mark(text: str | None) -> bool:
    """Return True for what a client wrote, as the seed has other words."""
    return MARK.fullmatch(text or "") is not None


def bearer(sandbox: Sandbox, role: str) -> dict[str, str]:
    """The credential of a role. No client writes as viewer, so reading is not held up by the limit of a key."""
    return {"Authorization": f"Bearer {sandbox.keys[role]}"}


def _get(sandbox: Sandbox, path: str, headers: dict[str, str] | None = None) -> Any:
    """Read until it is answered. Raises TimeoutError."""
    headers = headers or bearer(sandbox, "viewer")
    until, last = time.monotonic() + PATIENCE_SECONDS, ""
    while time.monotonic() < until:
        try:
            answer = requests.get(f"{sandbox.origin}{path}", headers=headers, timeout=10)
            if answer.status_code == 200:
                return answer.json(parse_float=Decimal)["data"]
            last = f"{answer.status_code} {answer.text[:200]}"
        except requests.RequestException as error:
            last = repr(error)[:200]
        time.sleep(0.2)
    raise TimeoutError(f"{path} could not be read: {last}")
