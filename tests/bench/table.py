"""The tables that `make bench` prints."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tests.bench.load import Figures
from tests.bench.ratios import Ratio
from tests.bench.scale import CALLS, MANY, ONE, Scale
from tests.bench.servers import OPERATIONS as SERVED
from tests.bench.servers import Servers
from tests.bench.targets import LEVELS, OPERATIONS
from tests.bench.throughput import Measured
from tests.bench.walk import Walk

Runs = Mapping[tuple[str, str, int], list[Figures]]
"""Figures by operation, target and connections."""
_TITLES = {"batch": "batch of 500", "page": "documentation page or bare answer"}


def rates(measured: Measured) -> Iterator[str]:
    """Requests per second and latency by operation, target and connections: medians over the rounds."""
    yield from _by_level(measured.runs, ("page", *OPERATIONS))
    if measured.sizes:
        sizes = ", ".join(f"{target} {size:,}" for target, size in measured.sizes.items())
        yield f"\nbytes of a list's answer: {sizes}"


def servers(compared: Servers) -> Iterator[str]:
    """The server and the mode it replaced, as `rates` shows them."""
    yield from _by_level(compared.runs, SERVED)


def scales(scale: Scale) -> Iterator[str]:
    """One tenant and a thousand side by side."""
    yield f"{f'{scale.rows:,} rows in all':24}{ONE:^26}{MANY:^26}"
    yield f"{'':24}" + f"{'req/s':>9}{'p99 ms':>10}{'failed':>7}" * 2
    for call in CALLS:
        yield f"{call:24}" + "".join(_cells(scale.runs[call, store]) for store in (ONE, MANY))


def walks(walk: Walk) -> Iterator[str]:
    """The first page, the deep one and the numbered one."""
    yield f"{'50,000 customers':24}{'1 connection':^26}"
    yield f"{'':24}{'req/s':>9}{'p99 ms':>10}{'failed':>7}"
    for page, runs in walk.runs.items():
        yield f"{page:24}" + _cells(runs)


def ratios(found: Iterable[Ratio]) -> Iterator[str]:
    """Every ratio with its aim and whether that was met."""
    yield f"{'':44}" + "".join(f"{level:>8}" for level in LEVELS) + "    aim"
    for ratio in found:
        cells = "".join(f"{ratio.values[level]:>8.2f}" if level in ratio.values else " " * 8 for level in LEVELS)
        yield f"{ratio.name:44}{cells}    {ratio.aim or ''!s:8}{ratio.verdict}".rstrip()


def _by_level(runs: Runs, operations: Sequence[str]) -> Iterator[str]:
    yield f"{'':24}" + "".join(f"{f'{level} connection' + 's' * (level > 1):^26}" for level in LEVELS)
    yield f"{'':24}" + f"{'req/s':>9}{'p99 ms':>10}{'failed':>7}" * len(LEVELS)
    for operation in operations:
        targets = list(dict.fromkeys(target for name, target, _ in runs if name == operation))
        if targets:
            yield _TITLES.get(operation, operation)
        for target in targets:
            yield f"  {target:22}" + "".join(_cells(runs.get((operation, target, level))) for level in LEVELS)


def _cells(runs: list[Figures] | None) -> str:
    if not runs:
        return " " * 26
    rate, p99 = (statistics.median(getattr(run, name) for run in runs) for name in ("rate", "p99"))
    shown = f"{rate:,.0f}" if rate >= 100 else f"{rate:.1f}"
    return f"{shown:>9}{p99:>10,.1f}{sum(run.failed for run in runs):>7}"
