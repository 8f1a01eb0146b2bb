"""What the figures are to each other, which is what may be read on any machine, and what was aimed at (issue 3)."""

from __future__ import annotations

import operator
import statistics
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tests.bench.load import Figures
from tests.bench.resets import EMPTY, RESTORE, UNCHANGED, Resets
from tests.bench.scale import CALLS, Scale
from tests.bench.servers import OPERATIONS, WSGI, Servers
from tests.bench.targets import LEVELS, OURS, USUAL
from tests.bench.throughput import BARE, Measured
from tests.bench.walk import DEEP, NUMBERED, Walk

_SIGNS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
JSON_SERVER = "json-server"
_NAMES = {"page": "documentation page / bare Flask's answer"}


@dataclass(frozen=True)
class Aim:
    """A number to reach or, for what should be small, to stay within."""

    number: float
    sign: str = ">="

    def is_met(self, value: float) -> bool:
        return _SIGNS[self.sign](value, self.number)

    def __str__(self) -> str:
        return f"{self.sign} {self.number:g}"


@dataclass(frozen=True)
class Ratio:
    """One line of the list: values by number of connections; some have no aim and are there to be read."""

    name: str
    values: Mapping[int, float]
    aim: Aim | None = None

    @property
    def verdict(self) -> str:
        """`met`, `missed`, or at which numbers of connections it was missed; nothing without an aim."""
        if self.aim is None:
            return ""
        missed = [level for level, value in self.values.items() if not self.aim.is_met(value)]
        if not missed:
            return "met"
        return "missed" if len(missed) == len(self.values) else f"missed at {', '.join(map(str, missed))}"


_COMPARED = (
    ("list", BARE, "list", Aim(0.5)),
    ("list afresh", BARE, "list", None),
    ("get", BARE, "get", None),
    ("create", BARE, "create", None),
    ("batch", BARE, "batch", None),
    ("report", BARE, "report", None),
    ("list", JSON_SERVER, "list", Aim(1.0)),
    ("list afresh", JSON_SERVER, "list", None),
    ("get", JSON_SERVER, "get", None),
    ("create", JSON_SERVER, "create", Aim(2.0, ">")),
    ("page", BARE, "page", Aim(0.8)),
)
"""Our operation, the other program and its operation, what is aimed at."""


def ratios_of_rates(measured: Measured) -> list[Ratio]:
    """Requests per second of ours to those of others, for what was measured of both."""
    found = []
    for operation, other, its, aim in _COMPARED:
        values = {}
        for level in LEVELS:
            ours, theirs = measured.runs.get((operation, OURS, level)), measured.runs.get((its, other, level))
            if ours and theirs and _rate(theirs):
                values[level] = _rate(ours) / _rate(theirs)
        if values:
            found.append(Ratio(_NAMES.get(operation, f"{operation} / {other}'s {its}"), values, aim))
    return found


def ratios_of_servers(servers: Servers) -> list[Ratio]:
    """Requests per second of our server to those of the WSGI mode it replaced."""
    return [Ratio(f"{name}: server / {WSGI}", servers.ratios(name), Aim(0.9)) for name in OPERATIONS]


def ratios_of_scale(scale: Scale) -> list[Ratio]:
    """Latency at the 99th percentile among a thousand tenants to that of one."""
    return [Ratio(f"p99 of {call}: 1,000 tenants / 1", {USUAL: scale.ratio(call)}, Aim(1.5, "<=")) for call in CALLS]


def ratios_of_walk(walk: Walk) -> list[Ratio]:
    """Time of a deep page to that of the first."""
    deep = Ratio(f"time of {DEEP} / first page", {1: walk.ratio(DEEP)}, Aim(1.2, "<="))
    return [deep, Ratio(f"time of {NUMBERED} / first page", {1: walk.ratio(NUMBERED)})]


def times_of_resets(resets: Resets) -> Iterator[Ratio]:
    """Medians in milliseconds, which are no ratios but have an aim as well."""
    for before, act in {UNCHANGED: "reset", EMPTY: "reset", RESTORE: "restore of a snapshot"}.items():
        for store in dict.fromkeys(store for store, _ in resets.times):
            yield Ratio(f"{act}, ms, {store}, {before}", {1: resets.median(store, before)}, Aim(100, "<"))


def _rate(runs: list[Figures]) -> float:
    return statistics.median(run.rate for run in runs)
