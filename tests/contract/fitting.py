"""Generated requests made to fit a sandbox: what they name is there and the books allow it, as no schema can say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from schemathesis import Case
from schemathesis.core.parameters import ParameterLocation as Place

from portal.core.ids import PUBLIC_ID
from tests.contract.door import CHAT, TENANTS, Door

UNIQUE = {
    "email": "visitor{}@buyers.example",
    "sku": "SKU-{}",
    "gst_no": "27ABCDE{:04}F1Z5",
    "plate": "MH {}",
    "employee_code": "EMP-{}",
}
SMALLEST, LARGEST = 1e-40, 1e40  # What the API reads of a number is a rule of its parser, not of any schema.
CONDITIONS = {"if-match", "if-none-match"}
BATCH = "/api/v2/batch/"
Body = dict[str, Any]


class Fitter:
    """Fits three of four requests, where they are meant to be right. The fourth shows what is unknown.

    A value that no two records may share is changed where it comes a second time, lest all that follows is a
    duplicate; nor may a number have more digits than any body may hold.
    """

    def __init__(self, door: Door) -> None:
        self.door, self.number, self.used = door, 0, set[str]()

    def fit(self, case: Case) -> None:
        self.number += 1
        if case.path.startswith(f"{CHAT}/"):
            self.door.open_chat()
        if case.meta is None:
            return
        is_real = self.number % 4 != 0
        if is_real and case.path_parameters and not case.meta.is_negative_at(Place.PATH):
            case.path_parameters = self._path(case)
        if is_real and case.headers and not case.meta.is_negative_at(Place.HEADER):
            self._free(case.headers)
        if isinstance(case.query, dict) and case.query and not case.meta.is_negative_at(Place.QUERY):
            case.query = self._query(dict(case.query), is_real=is_real)
        if isinstance(case.body, dict | list) and not case.meta.is_negative_at(Place.BODY):
            body = self._value(case.body, "", is_real=is_real)
            case.body = self._by_the_books(case.path, body) if is_real else body

    def _free(self, headers: Any) -> None:
        """Take away conditions that nothing meets, and give each request an idempotency key of its own."""
        for name in list(headers):
            if name.lower() in CONDITIONS:
                del headers[name]
            elif name.lower() == "idempotency-key":
                headers[name] = f"request-{self.number}"

    def _path(self, case: Case) -> dict[str, Any]:
        """Ids of the seed, and of what these requests made: that may be changed and deleted still."""
        made = self.door.made.get(case.path.partition("/{")[0])
        known = {"conversation": self.door.conversation, "id": str(1 + self.number % 37)}
        if made and self.number % 2:
            known["id"] = made[self.number % len(made)]
        if case.path.startswith(TENANTS):
            known["id"] = self.door.tenant.public_id
        return {name: known.get(name, value) for name, value in case.path_parameters.items()}

    def _query(self, query: dict[str, Any], *, is_real: bool) -> dict[str, Any]:
        if is_real:
            query |= {name: "" for name in query if name == "cursor"}
            query |= {name: str(1 + self.number % 5) for name in query if name.endswith("_id")}
        return {name: value for name, value in query.items() if name != "page" or "cursor" not in query}

    def _value(self, value: Any, name: str, *, is_real: bool) -> Any:
        if isinstance(value, dict):
            return {key: self._value(item, key, is_real=is_real) for key, item in value.items()}
        if isinstance(value, list):
            return [self._value(item, name, is_real=is_real) for item in value]
        if is_real and name.endswith("_id") and (isinstance(value, int) or PUBLIC_ID.match(str(value))):
            return 1 + self.number % 5
        if name in UNIQUE and isinstance(value, str):
            return self._unused(name, value)
        if isinstance(value, int | float) and value and not SMALLEST < abs(value) < LARGEST:
            return 0
        return value

    def _unused(self, name: str, value: str) -> str:
        if value not in self.used:
            self.used.add(value)
            return value
        return UNIQUE[name].format(self.number % 10_000)

    def _by_the_books(self, path: str, body: Any) -> Any:
        """The body as the books allow it, where no schema can say what they do."""
        if not isinstance(body, dict):
            return body
        if path.startswith(BATCH):
            rows = {name: value for name, value in body.items() if isinstance(value, list)}
            one = f"/api/v2/{path.removeprefix(BATCH)}"
            return body | {name: [self._by_the_books(one, row) for row in value] for name, value in rows.items()}
        for ending, allow in ALLOWED.items():
            if path.partition("/{id}")[0].endswith(ending) or path.endswith(ending):
                body = allow(body, self.number)
        return body


def _in_order(body: Body, number: int) -> Body:
    """No due date before the date; prices and counts that come to a sum an invoice can hold."""
    rows = [row for row in body.get("items") or () if isinstance(row, dict)]
    lines = [row | {"amount": min(row.get("amount", 1), 1e6), "qty": min(row.get("qty", 1), 1000)} for row in rows]
    days = {name: f"2024-0{1 + number % 8}-1{number % 10}" for name in ("date", "due_date") if body.get(name)}
    return body | days | ({"items": lines} if lines else {})


def _of_its_type(body: Body, number: int) -> Body:
    """Income goes with a category of income, and pays no invoice of the seed, which is paid as it should be."""
    income = body.get("type", "Expense") == "Income"
    chosen = {"type": "Income" if income else "Expense", "category_id": 1 if income else 6}
    return {name: value for name, value in body.items() if name != "invoice_id"} | chosen


def _paid(body: Body, number: int) -> Body:
    """A basket that the cash covers."""
    rows = [row for row in body.get("items") or () if isinstance(row, dict)]
    items = [{"price": 10.5, **row, "product_id": 16 + number % 10, "qty": 1 + number % 3} for row in rows]
    items = [row | {"price": min(row["price"] or 10.5, 1000)} for row in items]
    return body | {"items": items[:3], "payments": [{"method": "Cash", "amount": 20_000}]}


def _subscribed(body: Body, number: int) -> Body:
    """An address that may be called, and events there are."""
    fitting = {"url": f"https://shop{number}.example/hook", "events": ["customer.*"]}
    return body | {name: value for name, value in fitting.items() if name in body}


ALLOWED: dict[str, Callable[[Body, int], Body]] = {
    "/invoices": _in_order,
    "/quotes": _in_order,
    "/convert": lambda body, number: body | ({"due_date": "2030-01-31"} if body.get("due_date") else {}),
    "/payments": lambda body, number: body | {"amount": 0.01},
    "/transactions": _of_its_type,
    "/pos/sales": _paid,
    "/movements": lambda body, number: body | {"product_id": 16 + number % 10, "type": "in", "qty": 1 + number % 9},
    "/hr/attendance": lambda body, number: body | {"employee_code": f"EMP-10{10 + number % 8}"},
    "/webhooks": _subscribed,
    "/resend": lambda body, number: {name: value for name, value in body.items() if "to" not in body or name != "from"},
    "/fleet/vehicles": lambda body, number: body | {"odometer": 9_000_000 + number, "year": 2020},
}
