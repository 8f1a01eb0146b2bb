"""What we measure ourselves against: bare Flask, and bare Flask on SQLite with no key, limit, tenant or log."""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
import threading
from typing import Any

from flask import Flask, Response, request

from tests.bench import customers

app = Flask(__name__)
local = threading.local()
TYPED = ("account", "email", "phone", "address", "city", "state", "zip", "country")
FIELDS = ("id", "public_id", *TYPED, "created_at", "updated_at", "version")
SELECT = f"SELECT {', '.join(FIELDS)} FROM customers"
INSERT = f"INSERT INTO customers ({', '.join(FIELDS[1:])}) VALUES ({', '.join('?' for _ in FIELDS[1:])})"
SUMS = "SELECT type, sum(amount) FROM transactions WHERE date BETWEEN ? AND ? GROUP BY type"


def connection() -> sqlite3.Connection:
    made: sqlite3.Connection | None = getattr(local, "connection", None)
    if made is None:
        made = local.connection = sqlite3.connect(os.environ["BARE_DATABASE"], timeout=15, isolation_level=None)
        made.execute("PRAGMA journal_mode=WAL")
        made.execute("PRAGMA synchronous=NORMAL")
    return made


@app.get("/bare")
def answer() -> Response:
    return Response(b'{"success": true}', mimetype="application/json")


@app.get("/customers")
def list_customers() -> Response:
    page, limit = int(request.args.get("page", 1)), int(request.args.get("limit", 20))
    rows = connection().execute(f"{SELECT} ORDER BY id LIMIT ? OFFSET ?", (limit, (page - 1) * limit)).fetchall()
    total = connection().execute("SELECT count(*) FROM customers").fetchone()[0]
    meta = {"current_page": page, "total_pages": -(-total // limit), "total_records": total}
    return tell([dict(zip(FIELDS, row, strict=True)) for row in rows], meta=meta)


@app.get("/customers/<int:number>")
def get_customer(number: int) -> Response:
    row = connection().execute(f"{SELECT} WHERE id = ?", (number,)).fetchone()
    return tell(dict(zip(FIELDS, row, strict=True)))


@app.post("/customers")
def create_customer() -> tuple[Response, int]:
    values = values_of(request.get_json())
    done = connection().execute(INSERT, values)
    return tell(dict(zip(FIELDS, [done.lastrowid, *values], strict=True)), message="Customer created"), 201


@app.post("/batch/customers")
def create_customers() -> Response:
    outcomes = []
    connection().execute("BEGIN IMMEDIATE")
    for row, body in enumerate(request.get_json()["customers"]):
        values = values_of(body)
        done = connection().execute(INSERT, values)
        outcomes.append({"row": row, "status": "created", "id": done.lastrowid, "public_id": values[0]})
    connection().execute("COMMIT")
    return tell({"outcomes": outcomes, "created": len(outcomes)}, message="Batch carried out")


@app.get("/reports/financial")
def report() -> Response:
    month = f"{request.args['year']}-{int(request.args['month']):02d}"
    sums = dict(connection().execute(SUMS, (f"{month}-01", f"{month}-31")).fetchall())
    income, expenses = sums.get("Income", 0), sums.get("Expense", 0)
    return tell({"income": income / 100, "expenses": expenses / 100, "profit": (income - expenses) / 100})


def values_of(body: dict[str, Any]) -> list[Any]:
    return [f"cus_{secrets.token_hex(12)}", *(body.get(name) for name in TYPED), customers.MOMENT, customers.MOMENT, 1]


def tell(data: Any, **more: Any) -> Response:
    return Response(json.dumps({"success": True, "data": data, **more}), mimetype="application/json")


def fill(path: str, months: int = 30) -> None:
    """Tables like ours: customers, and as many transactions as a seed has."""
    days = [f"{2024 + month // 12}-{month % 12 + 1:02d}-{day:02d}" for month in range(months) for day in range(1, 29)]
    with sqlite3.connect(path) as made:
        made.execute(f"CREATE TABLE customers (id INTEGER PRIMARY KEY, {', '.join(FIELDS[1:])})")
        typed = (customers.typed_fields(number + 1) for number in range(customers.COUNT))
        made.executemany(INSERT, [values_of(fields) for fields in typed])
        made.execute("CREATE TABLE transactions (id INTEGER PRIMARY KEY, type, amount INTEGER, date)")
        made.execute("CREATE INDEX transactions_date ON transactions (date)")
        rows = [(kind, 50_000 + number, day) for number, day in enumerate(days) for kind in ("Income", "Expense")]
        made.executemany("INSERT INTO transactions (type, amount, date) VALUES (?, ?, ?)", rows)
    made.close()
