"""`make faults`: inject faults into a product that is written to, read everything back, and count."""

from __future__ import annotations

import datetime as dt
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from portal.core.config import ROOT
from tests.faults import table
from tests.faults.choice import Choice, read_choice
from tests.faults.deployments import TITLES, deployed_on, why_no_store
from tests.faults.disks import why_no_disk
from tests.faults.faults import Fault
from tests.faults.receiver import Receiver, receiving
from tests.faults.rows import Row, run_row

PAGE = ROOT / "docs" / "reliability.md"
LOGS = ROOT / "instance" / "faults"
"""Where what the product logged in a row that missed an aim is kept."""


def main() -> None:
    choice, started = read_choice(), time.monotonic()
    rows: list[Row] = []
    with receiving() as receiver:
        for row in run(choice, receiver):
            rows.append(row)
            print(f"{TITLES[row.store]:22}{table.show_row(row)}", flush=True)
            for line in table.details(row):
                print(line, flush=True)
    date = dt.datetime.now(dt.UTC).date().isoformat()
    lines = [table.describe(date, time.monotonic() - started), "", *table.show(rows)]
    print("", *lines, sep="\n")
    if choice.is_whole:
        table.write_into(PAGE, lines)
    sys.exit(0 if all(row.is_met or row.left_out for row in rows) else 1)


def run(choice: Choice, receiver: Receiver) -> Iterator[Row]:
    """Row by row, each store first on a disk with room, then on a small one."""
    for store in choice.stores:
        for on_small_disk in (False, True):
            faults = choice.rows(store, on_small_disk=on_small_disk)
            reason = why_no_store(store) or (why_no_disk() if on_small_disk else "")
            if reason:
                yield from (Row(fault, store, left_out=reason) for fault in faults)
            elif faults:
                yield from run_on(store, faults, receiver, on_small_disk=on_small_disk)


def run_on(store: str, faults: list[Fault], receiver: Receiver, *, on_small_disk: bool) -> Iterator[Row]:
    """Some faults in one deployment; a new one is set for the rest after a row that did not come to its end."""
    left = list(enumerate(faults, start=1))
    while left:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="slipway-faults-")))
            folder.chmod(0o755)
            try:
                deployment = stack.enter_context(deployed_on(store, folder, on_small_disk=on_small_disk))
            except Exception as error:
                yield from (Row(fault, store, failure=f"no deployment: {error}") for _, fault in left)
                return
            is_sound = True
            while left and is_sound:
                number, fault = left.pop(0)
                row = run_row(fault, deployment, receiver, number)
                is_sound = not row.failure and row.seconds is not None
                if not row.is_met:
                    LOGS.mkdir(parents=True, exist_ok=True)
                    shutil.copy(deployment.product.log, LOGS / f"{store}-{fault.name}.log")
                yield row


if __name__ == "__main__":
    main()
