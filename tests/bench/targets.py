"""A server under test and how each operation is asked of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.bench.scripts import Ask

OPERATIONS = ("list", "list afresh", "get", "create", "batch", "report")
OURS = "Slipway"
LEVELS = (1, 8, 32)
USUAL = 8
"""Connections where one number stands for all."""
CALLS_PER_SECOND = 8000
CALLS_PER_KEY = 1000
"""A key is held to this many calls an hour (contract section 4)."""


class Keys:
    """Credentials, dealt out so that no key meets its hourly limit; `spare` is for a few calls beside the load."""

    def __init__(self, keys: list[str]) -> None:
        self.spare = keys[0]
        self._left = deque(keys[1:])

    def deal(self, seconds: int) -> list[str]:
        """Keys enough for a load of so many seconds, none of them used before."""
        count = keys_for(seconds)
        if count > len(self._left):
            raise SystemExit("The bench has run out of keys: prepare more of them.")
        return [self._left.popleft() for _ in range(count)]


def keys_for(seconds: int) -> int:
    """How many keys a load of so many seconds may use up."""
    return max(1, seconds * CALLS_PER_SECOND // CALLS_PER_KEY)


@dataclass(frozen=True)
class Target:
    """A server that was started. `ready` is a path it answers quickly.

    `asks` says how each operation is asked, `batch` is the path that takes many customers at once, `keys` holds the
    credentials of each operation that needs one. `is_stateless`: it answers from a document and forgets what it is
    told; such a one is measured in the first round only.
    """

    name: str
    origin: str
    ready: str
    asks: Mapping[str, Ask]
    keys: Mapping[str, Keys] = field(default_factory=dict)
    batch: str = ""
    is_stateless: bool = False
