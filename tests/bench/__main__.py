"""`make bench`: one run, everything in turn, medians and ratios. The machine is noisy: read the ratios."""

from __future__ import annotations

import os
import platform
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from tests.bench import deliveries, ratios, resets, scale, servers, table, throughput, walk
from tests.bench.choice import Choice, read_choice


def main() -> None:
    choice, started = read_choice(), time.monotonic()
    lines: list[ratios.Ratio] = []
    left_out: list[str] = []
    with tempfile.TemporaryDirectory(prefix="slipway-bench-") as name:
        folder = Path(name)
        if choice.operations:
            measured = throughput.measure(folder, choice)
            show(table.rates(measured))
            lines += ratios.ratios_of_rates(measured)
            left_out += measured.left_out
        if "server" in choice.parts:
            compared = servers.measure(folder, choice)
            show(table.servers(compared))
            lines += ratios.ratios_of_servers(compared)
        if "scale" in choice.parts:
            scaled = scale.measure(folder, choice)
            show(table.scales(scaled))
            lines += ratios.ratios_of_scale(scaled)
        if "cursor" in choice.parts:
            walked = walk.measure(folder, choice)
            show(table.walks(walked))
            lines += ratios.ratios_of_walk(walked)
        if "reset" in choice.parts:
            done = resets.measure(folder)
            lines += ratios.times_of_resets(done)
            left_out += done.left_out
        if "delivery" in choice.parts:
            delivered = deliveries.measure(folder)
            show(deliveries.show(delivered))
            left_out += delivered.left_out
    show(table.ratios(lines))
    print(f"\n{describe(choice)}, {time.monotonic() - started:.0f} s in all")
    print(f"Left out: {'; '.join(dict.fromkeys(left_out))}" if left_out else "Nothing was left out.")


def show(lines: Iterable[str]) -> None:
    print()
    for line in lines:
        print(line)


def describe(choice: Choice) -> str:
    store = "PostgreSQL" if choice.database_url else "SQLite"
    python = f"Python {platform.python_version()}"
    return f"{choice.rounds} rounds of {choice.seconds} s, {store}, {python}, {os.cpu_count()} cores"


if __name__ == "__main__":
    main()
