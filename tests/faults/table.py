"""The table that `make faults` prints, and writes into docs/reliability.md."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.faults.deployments import TITLES
from tests.faults.rows import RECOVERY_AIM, Row

BEGIN, END = "<!-- faults: written by make faults -->", "<!-- faults: end -->"
_WIDTH = 11
_COLUMNS = ("acked", "delivered", "lost", "doubled", "inconsist.", "500s", "503s", "broken", "seconds")


def show(rows: Sequence[Row]) -> Iterator[str]:
    """The rows of each store under its title, then what there is to say of some."""
    yield f"{'':34}" + "".join(f"{name:>{_WIDTH}}" for name in _COLUMNS) + "   aims"
    for store in dict.fromkeys(row.store for row in rows):
        yield TITLES[store]
        yield from (show_row(row) for row in rows if row.store == store)
    yield f"Aims: 0 lost, 0 doubled, 0 inconsistent, 0 x 500, recovery in less than {RECOVERY_AIM:g} s."


def show_row(row: Row) -> str:
    """One line."""
    name = f"  {row.fault.title:32}"
    if row.left_out:
        return f"{name}   left out: {row.left_out}"
    if row.account is None:
        return f"{name}   no figures: {row.failure}"
    account = row.account
    counts = (
        account.acknowledged,
        account.delivered,
        len(account.lost),
        len(account.doubled),
        len(account.inconsistent),
    )
    told = (row.statuses.get(500, 0), row.statuses.get(503, 0), sum(row.broken.values()))
    seconds = "never" if row.seconds is None else f"{row.seconds:.1f}"
    return (
        f"{name}{''.join(f'{number:>{_WIDTH},}' for number in (*counts, *told))}{seconds:>{_WIDTH}}   {_verdict(row)}"
    )


def details(row: Row) -> Iterator[str]:
    """What is behind the figures of a row that missed an aim."""
    if row.account is not None:
        for name in ("lost", "doubled", "inconsistent"):
            said = getattr(row.account, name)
            yield from (f"    {name}: {line}" for line in said[:5])
    yield from (f"    answered: {note}" for note in row.notes[:5])
    if row.failure:
        yield f"    {row.failure}"


def _verdict(row: Row) -> str:
    if row.is_met:
        return "met"
    return "did not recover" if row.seconds is None else "missed"


def describe(date: str, seconds: float) -> str:
    """When, where and on what the rows were made."""
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{date}, commit {_commit()}, {os.cpu_count()} cores, {gigabytes:.0f} GB of memory, {seconds:.0f} s in all"


def write_into(page: Path, lines: Sequence[str]) -> None:
    """Put the table between the page's markers. Raises ValueError where there are none."""
    before, found, rest = page.read_text().partition(BEGIN)
    _, closed, after = rest.partition(END)
    if not found or not closed:
        raise ValueError(f"{page.name} has no place for the table")
    page.write_text("\n".join([before + BEGIN, "", "```", *(line.rstrip() for line in lines), "```", "", END]) + after)


def _commit() -> str:
    head = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    changed = subprocess.run(["git", "status", "--porcelain"], capture_output=True, text=True, check=False).stdout
    return f"{head.stdout.strip() or 'unknown'}{' with changes' if changed.strip() else ''}"
