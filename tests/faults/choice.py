"""Which rows are wanted, from the environment: `FAULTS=kill-worker,disk-full STORE=sqlite make faults`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from tests.faults.deployments import POSTGRESQL, SQLITE
from tests.faults.faults import FAULTS, Fault


@dataclass(frozen=True)
class Choice:
    """The faults, and the stores to inject them into."""

    faults: tuple[Fault, ...]
    stores: tuple[str, ...]
    is_whole: bool

    def rows(self, store: str, *, on_small_disk: bool) -> list[Fault]:
        """The faults of one store: those that need a disk to fill, or the others."""
        return [fault for fault in self.faults if store in fault.stores and fault.needs_disk == on_small_disk]


def read_choice(environ: Mapping[str, str] = os.environ) -> Choice:
    """The choice; everything where nothing is said. Ends the run where a name is unknown."""
    names = _chosen(environ, "FAULTS", tuple(fault.name for fault in FAULTS))
    stores = _chosen(environ, "STORE", (SQLITE, POSTGRESQL))
    is_whole = len(names) == len(FAULTS) and len(stores) == 2
    return Choice(tuple(fault for fault in FAULTS if fault.name in names), stores, is_whole)


def _chosen(environ: Mapping[str, str], name: str, known: tuple[str, ...]) -> tuple[str, ...]:
    wanted = [part.strip() for part in environ.get(name, "").split(",") if part.strip()]
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        raise SystemExit(f"{name} knows no {', '.join(unknown)}; it takes {', '.join(known)}")
    return tuple(wanted) or known
