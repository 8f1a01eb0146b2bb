"""Business truth under random sequences of calls: after every step the books are what a small model says.

The model knows the rules of contract section 5 and nothing of the implementation: totals equal their lines,
balance is amount less paid, numbers have no gaps, stock is the sum of its movements, the report is the sum of
the period's transactions, and a refusal changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, ClassVar

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from sandbox.tenants import NewSandbox
from tests.conftest import Integration, SandboxMaker

exact = msgspec.json.Decoder(float_hook=Decimal).decode
YEAR, DAY, DUE = 2031, "2031-03-01", "2031-04-01"
CENT = Decimal("0.01")

cents = st.integers(1, 500_000).map(lambda number: Decimal(number) / 100)
quantities = st.one_of(st.integers(1, 20).map(Decimal), st.integers(1, 5000).map(lambda number: Decimal(number) / 1000))
lines = st.lists(st.tuples(cents, quantities, st.sampled_from([0, 5, 18, 99])), min_size=1, max_size=4)
picks = st.integers(0, 1000)


@dataclass
class Bill:
    """What the model knows of one invoice."""

    number: int
    amount: Decimal
    paid: Decimal = Decimal(0)
    is_approved: bool = False
    is_void: bool = False

    @property
    def is_open(self) -> bool:
        return not (self.paid or self.is_approved or self.is_void)

    @property
    def status(self) -> str:
        if self.is_void:
            return "Void"
        return "Paid" if self.paid == self.amount else "Partially Paid" if self.paid else "Unpaid"


@dataclass
class Book:
    """Income and expenses of one year, beside the invoices'."""

    income: Decimal = Decimal(0)
    expenses: Decimal = Decimal(0)
    owed: Decimal = Decimal(0)
    stock: dict[int, Decimal] = field(default_factory=dict)


def total_of(drawn: list[tuple[Decimal, Decimal, int]]) -> Decimal:
    """The sum of lines with tax: the subtotal and the tax of each are rounded half up to the cent."""
    return sum((with_tax((price * qty).quantize(CENT, ROUND_HALF_UP), tax) for price, qty, tax in drawn), CENT * 0)


def with_tax(subtotal: Decimal, tax: int) -> Decimal:
    return subtotal + (subtotal * tax / 100).quantize(CENT, ROUND_HALF_UP)


def as_items(drawn: list[tuple[Decimal, Decimal, int]]) -> list[dict[str, Any]]:
    return [
        {"description": f"Line {place}", "amount": float(price), "qty": float(qty), "tax_rate": tax}
        for place, (price, qty, tax) in enumerate(drawn)
    ]


class Company(RuleBasedStateMachine):
    """One fresh sandbox, and the model beside it."""

    open_sandbox: ClassVar[Callable[[], Integration]]

    @initialize()
    def begin(self) -> None:
        self.caller = type(self).open_sandbox()
        self.bills: dict[int, Bill] = {}
        self.payments: dict[int, int] = {}
        self.entries: dict[int, tuple[str, Decimal]] = {}
        self.quotes: dict[int, str] = {}
        self.book = Book()
        self.sold = Decimal(0)
        self.freed: list[int] = []
        self.deliveries = 0
        for name in ("Bolt", "Nut"):
            made = self.send("POST", "/products", {"name": name, "price": 2.50, "tax_rate": 18, "tracks_stock": True})
            self.book.stock[made["id"]] = Decimal(0)
        self.this_year = int(made["created_at"][:4])
        self.sold_before = self.report(self.this_year)["income"]
        for pick in range(3):
            self.issue([(Decimal("19.99"), Decimal(pick + 1), 18)])
        self.pay(0, Decimal("0.3"), is_entry=False)
        self.pay(1, Decimal(1), is_entry=True)
        self.receive((5, 30))
        self.offer([(Decimal("100.00"), Decimal(1), 5)])

    def send(self, method: str, path: str, body: Any = None, *, expect: int | None = None) -> Any:
        answer = self.caller.call(method, f"/api/v2{path}", body)
        wanted = expect or (201 if method == "POST" else 200)
        assert answer.status_code == wanted, f"{method} {path} {body}: {answer.status_code} {answer.text}"
        return exact(answer.data).get("data")

    def report(self, year: int) -> Any:
        return self.send("GET", f"/reports/financial?year={year}")

    def some(self, things: dict[int, Any], pick: int) -> int:
        return sorted(things)[pick % len(things)]

    @rule(drawn=lines)
    def issue(self, drawn: list[tuple[Decimal, Decimal, int]]) -> None:
        body = {"customer_id": 1, "date": DAY, "due_date": DUE, "items": as_items(drawn)}
        self.send("POST", "/invoices", {**body, "due_date": "2031-02-28"}, expect=400)
        made = self.send("POST", "/invoices", body)
        numbers = [bill.number for bill in self.bills.values()]
        number = min(self.freed) if self.freed else max(numbers, default=0) + 1
        if self.freed:
            self.freed.remove(number)
        assert made["invoice_number"] == f"INV-{YEAR}-{number:03d}"
        self.bills[made["id"]] = Bill(number, total_of(drawn))

    @precondition(lambda self: self.bills)
    @rule(pick=picks, drawn=lines)
    def change(self, pick: int, drawn: list[tuple[Decimal, Decimal, int]]) -> None:
        id_ = self.some(self.bills, pick)
        bill = self.bills[id_]
        self.send("PATCH", f"/invoices/{id_}", {"items": as_items(drawn)}, expect=200 if bill.is_open else 409)
        if bill.is_open:
            bill.amount = total_of(drawn)

    @precondition(lambda self: self.bills)
    @rule(pick=picks)
    def delete(self, pick: int) -> None:
        id_ = self.some(self.bills, pick)
        bill = self.bills[id_]
        self.send("DELETE", f"/invoices/{id_}", expect=200 if bill.is_open else 409)
        if bill.is_open:
            self.freed.append(bill.number)
            del self.bills[id_]

    @precondition(lambda self: self.bills)
    @rule(pick=picks)
    def approve(self, pick: int) -> None:
        id_ = self.some(self.bills, pick)
        bill = self.bills[id_]
        is_fine = not (bill.is_approved or bill.is_void)
        self.send("POST", f"/invoices/{id_}/approve", expect=200 if is_fine else 409)
        bill.is_approved |= is_fine

    @precondition(lambda self: self.bills)
    @rule(pick=picks)
    def void(self, pick: int) -> None:
        id_ = self.some(self.bills, pick)
        bill = self.bills[id_]
        is_fine = not (bill.paid or bill.is_void)
        self.send("POST", f"/invoices/{id_}/void", expect=200 if is_fine else 409)
        bill.is_void |= is_fine

    @precondition(lambda self: self.bills)
    @rule(pick=picks, part=st.sampled_from([Decimal("0.3"), Decimal(1), Decimal("1.5")]), is_entry=st.booleans())
    def pay(self, pick: int, part: Decimal, is_entry: bool) -> None:
        id_ = self.some(self.bills, pick)
        bill = self.bills[id_]
        amount = ((bill.amount - bill.paid) * part).quantize(CENT, ROUND_HALF_UP) or CENT
        status = 409 if bill.is_void else 400 if amount > bill.amount - bill.paid else 201
        fields = {"amount": float(amount), "account_id": 1, "date": DAY}
        if is_entry:
            entry = {**fields, "type": "Income", "category_id": 1, "invoice_id": id_}
            made = self.send("POST", "/transactions", entry, expect=status)
        else:
            made = self.send("POST", f"/invoices/{id_}/payments", fields, expect=status)
        if status == 201:
            bill.paid += amount
            self.payments[made["id"]] = id_
            self.entries[made["id"]] = ("Income", amount)

    @rule(amount=cents, kind=st.sampled_from([("Income", 1), ("Expense", 5)]))
    def book_entry(self, amount: Decimal, kind: tuple[str, int]) -> None:
        entry = {"type": kind[0], "category_id": kind[1], "account_id": 1, "amount": float(amount), "date": DAY}
        made = self.send("POST", "/transactions", entry)
        self.entries[made["id"]] = (kind[0], amount)

    @precondition(lambda self: self.entries)
    @rule(pick=picks)
    def take_back(self, pick: int) -> None:
        id_ = self.some(self.entries, pick)
        self.send("DELETE", f"/transactions/{id_}")
        _, amount = self.entries.pop(id_)
        if id_ in self.payments:
            self.bills[self.payments.pop(id_)].paid -= amount

    @rule(pick=picks, kind=st.sampled_from(["in", "out", "adjustment"]), qty=st.integers(-30, 30).filter(bool))
    def move(self, pick: int, kind: str, qty: int) -> None:
        product, qty = self.some(self.book.stock, pick), qty if kind == "adjustment" else abs(qty)
        difference = -qty if kind == "out" else qty
        is_fine = self.book.stock[product] + difference >= 0
        body = {"product_id": product, "type": kind, "qty": qty}
        self.send("POST", "/inventory/movements", body, expect=201 if is_fine else 409)
        if is_fine:
            self.book.stock[product] += difference

    @rule(pick=picks, qty=st.integers(1, 12), price=cents)
    def sell(self, pick: int, qty: int, price: Decimal) -> None:
        product = self.some(self.book.stock, pick)
        body = {
            "items": [{"product_id": product, "qty": qty, "price": float(price)}],
            "payments": [{"method": "Card", "amount": float(with_tax(price * qty, 18))}],
        }
        is_fine = self.book.stock[product] >= qty
        self.send("POST", "/pos/sales", body, expect=201 if is_fine else 409)
        if is_fine:
            self.book.stock[product] -= qty
            self.sold += with_tax(price * qty, 18)

    @rule(counts=st.tuples(st.integers(1, 40), st.integers(1, 40)))
    def receive(self, counts: tuple[int, int]) -> None:
        self.deliveries += 1
        items = [{"product_id": id_, "qty": qty} for id_, qty in zip(sorted(self.book.stock), counts, strict=True)]
        body = {"vendor_id": 1, "reference": f"DN-{self.deliveries}", "items": items}
        self.send("POST", "/procurement/receipts", body)
        self.send("POST", "/procurement/receipts", body, expect=409)
        for item in items:
            self.book.stock[item["product_id"]] += item["qty"]

    @rule(drawn=lines)
    def offer(self, drawn: list[tuple[Decimal, Decimal, int]]) -> None:
        body = {"customer_id": 1, "valid_until": "2099-12-31", "items": as_items(drawn)}
        made = self.send("POST", "/quotes", body)
        assert made["amount"] == total_of(drawn)
        self.quotes[made["id"]] = "Open"

    @precondition(lambda self: self.quotes)
    @rule(pick=picks, verb=st.sampled_from(["accept", "decline", "convert"]))
    def answer_offer(self, pick: int, verb: str) -> None:
        id_ = self.some(self.quotes, pick)
        status = self.quotes[id_]
        is_fine = status == "Open" or (status, verb) == ("Accepted", "convert")
        expected = 409 if not is_fine else 201 if verb == "convert" else 200
        body = {} if verb == "convert" else None
        made = self.send("POST", f"/quotes/{id_}/{verb}", body, expect=expected)
        if is_fine:
            self.quotes[id_] = {"accept": "Accepted", "decline": "Declined", "convert": "Converted"}[verb]
            if verb == "convert":
                assert made["status"] == "Unpaid"

    @invariant()
    def invoices_are_as_the_model_says(self) -> None:
        listed = self.send("GET", f"/invoices?date_from={DAY}&date_to={DAY}&limit=100")
        assert {row["id"] for row in listed} == set(self.bills)
        numbers = sorted(int(row["invoice_number"][9:]) for row in listed)
        assert sorted(numbers + self.freed) == list(range(1, len(numbers) + len(self.freed) + 1))
        for row in listed:
            bill = self.bills[row["id"]]
            assert row["amount"] == sum(item["total"] for item in row["items"]) == bill.amount
            assert (row["paid"], row["balance"], row["status"]) == (bill.paid, bill.amount - bill.paid, bill.status)

    @invariant()
    def the_report_is_the_sum_of_its_transactions(self) -> None:
        report = self.report(YEAR)
        sums = {
            kind: sum((a for k, a in self.entries.values() if k == kind), Decimal(0)) for kind in ("Income", "Expense")
        }
        owed = sum((bill.amount - bill.paid for bill in self.bills.values() if not bill.is_void), Decimal(0))
        assert (report["income"], report["expenses"]) == (sums["Income"], sums["Expense"])
        assert report["profit"] == sums["Income"] - sums["Expense"]
        assert report["outstanding_invoices"] == owed

    @invariant()
    def stock_is_the_sum_of_its_movements(self) -> None:
        for product, on_hand in self.book.stock.items():
            moved = self.send("GET", f"/inventory/movements?product_id={product}&limit=100")
            signed = (-row["qty"] if row["type"] == "out" else row["qty"] for row in moved)
            level = self.send("GET", f"/inventory/stock?product_id={product}")
            assert sum(signed) == on_hand == sum(row["qty"] for row in level)

    @invariant()
    def sales_are_booked_as_income(self) -> None:
        assert self.report(self.this_year)["income"] - self.sold_before == self.sold


@pytest.fixture
def open_sandbox(
    new_sandbox: SandboxMaker, as_role: Callable[[NewSandbox, str], Integration]
) -> Callable[[], Integration]:
    return lambda: as_role(new_sandbox("Model"), "administrator")


def test_the_books_stay_true_whatever_is_called(open_sandbox: Callable[[], Integration]) -> None:
    machine = type("Books", (Company,), {"open_sandbox": staticmethod(open_sandbox)})
    steps = settings(
        max_examples=20,
        stateful_step_count=25,
        phases=(Phase.generate,),
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=steps)
