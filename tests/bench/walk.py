"""A walk by cursor: the first page of 50,000 customers against a page 49,900 deep."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from pathlib import Path

import requests

from tests.bench.choice import Choice
from tests.bench.load import Figures, press, settle
from tests.bench.ours import add_tenant, new_store, serve_store
from tests.bench.scripts import Ask
from tests.bench.targets import keys_for

CUSTOMERS, DEPTH = 50_000, 49_900
LIST = "/api/v2/customers?sort=id&limit="
FIRST, DEEP, NUMBERED = "first page", "page 49,900 deep", "page=2500"


@dataclass
class Walk:
    """The figures of every round by page, at one connection."""

    runs: dict[str, list[Figures]] = field(default_factory=dict)

    def ratio(self, page: str) -> float:
        """How many times as long as the first page it takes."""
        return self._rate(FIRST) / self._rate(page)

    def _rate(self, page: str) -> float:
        return statistics.median(run.rate for run in self.runs[page])


def measure(folder: Path, choice: Choice) -> Walk:
    """The three pages in turn, in rounds."""
    walk, needed = Walk(), keys_for(choice.seconds) * 3 * choice.rounds
    with new_store(folder, "walk", choice.database_url) as store:
        keys = add_tenant(store, "Walk", keys=needed + 1, count=CUSTOMERS)
        store.database.close()
        with serve_store(store) as origin:
            asks = {
                FIRST: Ask([f"{LIST}20&cursor="], afresh=True),
                DEEP: Ask([f"{LIST}20&cursor={_walk_to(origin, keys.pop(), DEPTH)}"], afresh=True),
                NUMBERED: Ask([f"{LIST}20&page=2500"], afresh=True),
            }
            for _ in range(choice.rounds):
                for page, ask in asks.items():
                    figures = press(origin, ask.script(keys), seconds=choice.seconds, connections=1, folder=folder)
                    walk.runs.setdefault(page, []).append(figures)
                    settle(f"{origin}/healthz")
    return walk


def _walk_to(origin: str, key: str, depth: int) -> str:
    """The cursor that stands behind so many records, reached as a client would."""
    cursor = ""
    with requests.Session() as session:
        session.headers["x-api-key"] = key
        for _ in range(depth // 100):
            answer = session.get(f"{origin}{LIST}100&cursor={cursor}", timeout=30).json()
            cursor = answer["meta"]["next_cursor"]
    assert answer["data"][-1]["id"] == depth, answer["data"][-1]
    return str(cursor)
