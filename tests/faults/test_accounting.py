"""That the fault table is honest: what is lost, doubled or answered 500 is found, on a product that is written to."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from sandbox.tenants import NewSandbox
from tests.conftest import Integration
from tests.faults import table
from tests.faults.accounting import Account, settle
from tests.faults.choice import read_choice
from tests.faults.clients import Chat, Sandbox, start_chat, writing
from tests.faults.faults import FAULTS
from tests.faults.reading import Found, Record, read_back
from tests.faults.receiver import Arrival, read_message
from tests.faults.rows import Row
from tests.faults.write_log import Attempts, Write, WriteLog

WRITES = 3
Server = Callable[[dict[str, Any], Any], Iterable[bytes]]


@dataclass
class Run:
    """What clients wrote into alice's sandbox."""

    sandbox: Sandbox
    chat: Chat
    log: WriteLog

    def write(self) -> None:
        with writing(self.sandbox, self.chat, self.log, 1) as clients:
            pause = threading.Event()
            while any(len(one.attempts.successes) < WRITES for one in clients):
                pause.wait(0.01)

    def found(self) -> Found:
        """What is there, as if every event had been delivered once."""
        found = read_back(self.sandbox, self.chat)
        found.arrivals = [Arrival(f"evt_{number}", *event, 1) for number, event in enumerate(found.events)]
        return found

    def account(self) -> Account:
        return settle(self.log.writes, self.found())

    def mark(self, kind: str) -> str:
        return next(write.mark for write in self.log.answered() if write.kind == kind)


@pytest.fixture
def run(live_server: str, alices_sandbox: NewSandbox) -> Run:
    sandbox = Sandbox(live_server, alices_sandbox.keys, alices_sandbox.tenant.publishable_id)
    return Run(sandbox, start_chat(sandbox, "jane"), WriteLog())


def test_what_a_sound_product_took_is_found_whole(run: Run) -> None:
    run.write()
    account = run.account()
    assert (account.lost, account.doubled, account.inconsistent) == ([], [], [])
    assert account.acknowledged == len(run.log.writes) == run.log.statuses[201] >= 5 * WRITES


def test_a_planted_loss_is_found(run: Run, alice: Integration) -> None:
    run.write()
    invoice = next(write for write in run.log.answered() if write.mark.startswith("fault-alice"))
    assert invoice.answer is not None
    assert alice.delete(f"/api/v2/invoices/{invoice.answer['id']}").status_code == 200
    assert f"invoice {invoice.mark} is not there" in run.account().lost


def test_a_planted_double_is_found(run: Run, alice: Integration) -> None:
    run.write()
    invoice, payment, message = [run.mark(kind) for kind in ("invoice", "payment", "message")]
    body = {"customer_id": 1, "due_date": "2099-12-31", "items": [{"description": "x", "amount": 1}], "notes": invoice}
    assert alice.post("/api/v2/invoices", body).status_code == 201
    again = {"amount": 1, "account_id": 1, "method": payment}
    assert alice.post("/api/v2/invoices/323/payments", again).status_code == 201
    said = {"message": message, "client_msg_id": "another"}
    assert alice.post(f"{run.chat.path}/messages", said, headers=run.chat.headers).status_code == 201
    assert set(run.account().doubled) == {f"{mark} is there 2 times" for mark in (invoice, payment, message)}


@pytest.mark.parametrize("is_written", [False, True], ids=["before the write", "after the write"])
def test_a_planted_500_is_counted_and_the_write_sent_again(
    run: Run, app: Flask, monkeypatch: pytest.MonkeyPatch, is_written: bool
) -> None:
    monkeypatch.setattr(app, "wsgi_app", failing_once(app.wsgi_app, is_written=is_written))
    run.write()
    row = Row(FAULTS[0], "sqlite", run.account(), run.log.statuses, seconds=1.0)
    assert (row.statuses[500], row.account and row.account.lost, row.account and row.account.doubled) == (1, [], [])
    assert not row.is_met
    assert replace(row, statuses={201: 1}).is_met


def failing_once(server: Server, *, is_written: bool) -> Server:
    """Answers the first new invoice with 500, though it may have been written."""
    failures = Counter[str]()

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/api/v2/invoices" or environ["REQUEST_METHOD"] != "POST" or failures["told"]:
            return server(environ, start_response)
        failures["told"] += 1
        if is_written:
            list(server(environ, lambda *_: None))
        start_response("500 Internal Server Error", [("Content-Length", "0"), ("Connection", "close")])
        return [b""]

    return answer


INVOICE, PAYMENT = Record("invoice", "fault-a-1-1", "inv_1", "INV-2026-075"), Record("payment", "fault-a-1-2", "txn_1")
EVENTS = [("invoice.created", "inv_1"), ("payment.received", "txn_1")]
ARRIVALS = [Arrival("evt_1", "invoice.created", "inv_1", 1), Arrival("evt_2", "payment.received", "txn_1", 1)]


def test_a_delivery_that_never_came_is_lost() -> None:
    account = settle([], Found([INVOICE, PAYMENT], [], EVENTS, ARRIVALS[:1]))
    assert account.lost == ["payment.received of txn_1 was not delivered"]


def test_an_event_that_was_never_recorded_is_lost() -> None:
    assert settle([], Found([INVOICE, PAYMENT], [], EVENTS[:1], ARRIVALS)).lost == [
        "no event tells of payment fault-a-1-2"
    ]


def test_a_message_sent_under_two_ids_is_doubled_and_one_sent_twice_under_one_is_not() -> None:
    again, other = ARRIVALS[0], replace(ARRIVALS[0], webhook_id="evt_3")
    assert settle([], Found([INVOICE, PAYMENT], [], EVENTS, [*ARRIVALS, again])).doubled == []
    assert len(settle([], Found([INVOICE, PAYMENT], [], EVENTS, [*ARRIVALS, other])).doubled) == 1
    assert len(settle([], Found([INVOICE, PAYMENT], [], [*EVENTS, EVENTS[0]], ARRIVALS)).doubled) == 1


def test_messages_in_another_order_than_they_were_sent_are_wrong() -> None:
    writes = [Write("message", mark, 0.0, {}) for mark in ("fault-guest-1-1", "fault-guest-1-2")]
    marks = [write.mark for write in writes]
    assert settle(writes, Found(messages=marks)).inconsistent == []
    assert len(settle(writes, Found(messages=marks[::-1])).inconsistent) == 1


def test_a_gap_in_the_numbers_of_invoices_is_inconsistent() -> None:
    later = replace(INVOICE, mark="fault-a-1-3", public_id="inv_2", number="INV-2026-077")
    assert "invoice 77 follows 75" in settle([], Found([INVOICE, later])).inconsistent
    assert settle([], Found([INVOICE, replace(later, number="INV-2026-076")])).inconsistent == []


def test_an_invoice_that_says_another_sum_than_its_payments_is_wrong() -> None:
    paid = replace(PAYMENT, paid=INVOICE.paid + 2, invoice="inv_1")
    assert len(settle([], Found([INVOICE, paid], [], EVENTS, ARRIVALS)).inconsistent) == 1


def test_a_client_is_back_once_nothing_fails_any_more() -> None:
    attempts = Attempts(successes=[1.0, 5.0, 6.0, 9.0], failures=[2.0, 5.5, 8.0])
    assert [attempts.back_at(since) for since in (0.0, 6.5, 8.5, 9.5)] == [9.0, 9.0, 9.0, None]


def test_a_client_that_waits_long_for_a_response_is_back_when_it_has_come() -> None:
    attempts = Attempts()
    for began_at, ended_at in ((1.0, 1.2), (1.3, 6.5), (6.6, 6.7)):
        attempts.succeed(began_at, ended_at)
    assert [attempts.back_at(since) for since in (0.9, 6.55, 7.0)] == [6.5, 6.7, None]


def test_a_message_is_noted_by_its_record_and_version() -> None:
    arrival = read_message("evt_1", {"type": "invoice.created", "data": {"public_id": "inv_1", "version": 3}})
    assert (arrival.webhook_id, arrival.type, arrival.subject, arrival.version) == (
        *("evt_1", "invoice.created", "inv_1"),
        3,
    )


def test_a_row_that_did_not_recover_says_so() -> None:
    row = Row(FAULTS[0], "sqlite", Account(9, 9, [], [], []))
    assert table.show_row(row).split()[-4:] == ["never", "did", "not", "recover"]
    assert table.show_row(replace(row, seconds=12.0)).split()[-2:] == ["12.0", "missed"]
    assert table.show_row(replace(row, seconds=2.0)).split()[-2:] == ["2.0", "met"]


def test_the_table_is_written_between_its_markers(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"Before\n{table.BEGIN}\nold\n{table.END}\nAfter\n")
    table.write_into(page, ["new"])
    table.write_into(page, ["newer"])
    assert page.read_text() == f"Before\n{table.BEGIN}\n\n```\nnewer\n```\n\n{table.END}\nAfter\n"
    page.write_text("Nothing")
    with pytest.raises(ValueError, match="no place"):
        table.write_into(page, ["new"])


def test_an_unknown_fault_is_refused_and_none_named_means_all() -> None:
    assert read_choice({}).is_whole
    assert [fault.name for fault in read_choice({"FAULTS": "kill-worker"}).faults] == ["kill-worker"]
    with pytest.raises(SystemExit, match="earthquake"):
        read_choice({"FAULTS": "earthquake"})
