"""The server as it runs against Granian's WSGI mode, which it replaced: the price of receiving requests whole."""

from __future__ import annotations

import statistics
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.choice import Choice
from tests.bench.load import Figures, press, serve, settle
from tests.bench.ours import ASKS, add_tenant, new_store, serve_store
from tests.bench.targets import LEVELS, OURS, USUAL, Keys, keys_for

WSGI = "WSGI mode"
OPERATIONS = ("page", "list", "list afresh")
Key = tuple[str, str, int]
"""Operation, server, connections."""


@dataclass
class Servers:
    """The figures of every round by operation, server and connections."""

    runs: dict[Key, list[Figures]] = field(default_factory=dict)

    def ratios(self, operation: str) -> dict[int, float]:
        """Requests per second of the server to those of WSGI mode, by connections."""
        return {level: self._rate(operation, OURS, level) / self._rate(operation, WSGI, level) for level in LEVELS}

    def _rate(self, operation: str, server: str, level: int) -> float:
        return statistics.median(run.rate for run in self.runs[operation, server, level])


def measure(folder: Path, choice: Choice) -> Servers:
    """Load both servers of one store in turn, in an order that changes with each round."""
    servers, loads = Servers(), 2 * choice.rounds * len(LEVELS) * (len(OPERATIONS) - 1) + 2
    with new_store(folder, "servers", choice.database_url) as store, ExitStack() as stack:
        keys = Keys(add_tenant(store, "Read", keys=loads * keys_for(choice.seconds) + 1, count=1000))
        store.database.close()
        origins = {
            OURS: stack.enter_context(serve_store(store)),
            WSGI: stack.enter_context(serve("wsgi:app", store.environ, ready="/healthz")),
        }
        for origin in origins.values():
            _press(folder, origin, "list", USUAL, choice.seconds, keys)
        for number in range(choice.rounds):
            order = list(origins) if number % 2 else list(reversed(origins))
            for operation in OPERATIONS:
                for level in LEVELS:
                    for name in order:
                        figures = _press(folder, origins[name], operation, level, choice.seconds, keys)
                        servers.runs.setdefault((operation, name, level), []).append(figures)
    return servers


def _press(folder: Path, origin: str, operation: str, level: int, seconds: int, keys: Keys) -> Figures:
    dealt = [] if operation == "page" else keys.deal(seconds)
    figures = press(origin, ASKS[operation].script(dealt), seconds=seconds, connections=level, folder=folder)
    settle(f"{origin}/healthz")
    return figures
