"""What we measure ourselves against: bare Flask, and bare Flask on SQLite with no key, limit, tenant or log."""

from __future__ import annotations

import json
import os
import sqlite3
import threading

from flask import Flask, Response, request

app = Flask(__name__)
local = threading.local()
FIELDS = ("id", "account", "email", "phone", "address", "city", "state", "zip", "country", "created_at")


def connection() -> sqlite3.Connection:
    if not hasattr(local, "connection"):
        local.connection = sqlite3.connect(os.environ["BARE_DATABASE"], timeout=15, isolation_level=None)
        local.connection.execute("PRAGMA journal_mode=WAL")
        local.connection.execute("PRAGMA synchronous=NORMAL")
    return local.connection


@app.get("/bare")
def answer() -> Response:
    return Response(b'{"success": true}', mimetype="application/json")


@app.get("/customers")
def list_customers() -> Response:
    rows = connection().execute(f"SELECT {', '.join(FIELDS)} FROM customers ORDER BY id LIMIT 20").fetchall()
    total = connection().execute("SELECT count(*) FROM customers").fetchone()[0]
    data = [dict(zip(FIELDS, row, strict=True)) for row in rows]
    return Response(json.dumps({"data": data, "total": total}), mimetype="application/json")


@app.post("/customers")
def create_customer() -> tuple[Response, int]:
    body = request.get_json()
    values = [body.get(name) for name in FIELDS[1:]]
    places = ", ".join("?" for _ in values)
    done = connection().execute(f"INSERT INTO customers ({', '.join(FIELDS[1:])}) VALUES ({places})", values)
    return Response(json.dumps({"id": done.lastrowid, **body}), mimetype="application/json"), 201


def fill(path: str) -> None:
    """A table like ours, with a hundred rows."""
    with sqlite3.connect(path) as made:
        columns = ", ".join(f"{name} TEXT" for name in FIELDS[1:])
        made.execute(f"CREATE TABLE customers (id INTEGER PRIMARY KEY, {columns})")
        row = ("John Doe", "john@example.com", "1234567890", "1 Main Street", "Boston", "MA", "02101", "US", "2024")
        made.executemany(f"INSERT INTO customers ({', '.join(FIELDS[1:])}) VALUES (?,?,?,?,?,?,?,?,?)", [row] * 100)
