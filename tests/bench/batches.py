"""Batches of 500 customers: each takes so long that a fixed number of them is timed, not a fixed time."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle

import requests

from tests.bench import customers
from tests.bench.load import Figures
from tests.bench.scripts import new_mark

ROWS = 500
LEAST = 8
TIMEOUT_SECONDS = 120


def press_batches(url: str, keys: Sequence[str], connections: int) -> Figures:
    """Send batches over so many connections at once, one over each, eight at the least."""
    count = max(LEAST, connections)
    sessions, bodies = [requests.Session() for _ in range(connections)], [_body() for _ in range(count)]
    turns = list(zip(bodies, cycle(keys or [""]), range(count), strict=False))
    started = time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        walks = [pool.submit(_send, session, url, turns[place::connections]) for place, session in enumerate(sessions)]
        times = [spent for walk in walks for spent in walk.result()]
    elapsed = time.perf_counter() - started
    done = sorted(spent for spent in times if spent is not None)
    slowest = done[math.ceil(0.99 * len(done)) - 1] if done else 0.0
    return Figures(len(done) / elapsed, slowest * 1000, count - len(done))


def _send(session: requests.Session, url: str, turns: list[tuple[bytes, str, int]]) -> list[float | None]:
    """The seconds each batch took; None for one that was not created whole."""
    return [_send_one(session, url, body, key) for body, key, _ in turns]


def _send_one(session: requests.Session, url: str, body: bytes, key: str) -> float | None:
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
    started = time.perf_counter()
    try:
        answer = session.post(url, data=body, headers=headers, timeout=TIMEOUT_SECONDS)
    except requests.RequestException:
        return None
    spent = time.perf_counter() - started
    return spent if answer.ok and answer.json()["data"]["created"] == ROWS else None


def _body() -> bytes:
    mark = new_mark()
    rows = [customers.NEW | {"email": f"b{mark + row}@bench.example"} for row in range(ROWS)]
    return json.dumps({"customers": rows}).encode()
