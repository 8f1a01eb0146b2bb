"""What of the benchmark is wanted, from the environment: `BENCH=list,create BENCH_ROUNDS=1 make bench`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from tests.bench.targets import OPERATIONS

PARTS = ("page", "list", "get", "create", "batch", "report", "server", "scale", "cursor", "reset", "delivery")
PEERS = ("json-server", "prism", "mockoon-cli")


@dataclass(frozen=True)
class Choice:
    """`rounds` of `seconds` for each load; a PostgreSQL server, named by `database_url`, in place of SQLite files."""

    parts: tuple[str, ...]
    peers: tuple[str, ...]
    rounds: int
    seconds: int
    database_url: str

    @property
    def operations(self) -> tuple[str, ...]:
        """The chosen operations, in the order in which they are measured."""
        return tuple(name for name in ("page", *OPERATIONS) if name.split()[0] in self.parts)


def read_choice(environ: Mapping[str, str] = os.environ) -> Choice:
    """The choice; everything where nothing is said. Ends the run where a name is unknown."""
    url = environ.get("DATABASE_URL", "")
    return Choice(
        parts=_chosen(environ, "BENCH", PARTS),
        peers=_chosen(environ, "BENCH_PEERS", PEERS),
        rounds=int(environ.get("BENCH_ROUNDS", "3")),
        seconds=int(environ.get("BENCH_SECONDS", "2")),
        database_url="" if url.startswith("sqlite") else url,
    )


def _chosen(environ: Mapping[str, str], name: str, known: tuple[str, ...]) -> tuple[str, ...]:
    text = environ.get(name, "")
    names = [part.strip() for part in text.split(",") if part.strip()]
    if names == ["none"]:
        return ()
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise SystemExit(f"{name} knows no {', '.join(unknown)}; it takes {', '.join(known)}, or none")
    return tuple(names) or known
