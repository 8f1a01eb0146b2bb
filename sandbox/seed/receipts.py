"""What a reset tells: what it kept, put back and took away (contract section 8)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

_NAMES = {
    "api_keys": ("API key", "API keys"),
    "audit": ("entry of the audit trail", "entries of the audit trail"),
    "categories": ("category", "categories"),
    "deliveries": ("delivery", "deliveries"),
    "exchanges": ("logged call", "logged calls"),
    "inbox_addresses": ("inbox address", "inbox addresses"),
    "lead_touches": ("inquiry", "inquiries"),
}


@dataclass(frozen=True)
class Receipt:
    """Numbers of rows by table. `kept` was not touched, `restored` is the seed, `removed` had been added to it."""

    tenant: str
    reset_at: dt.datetime
    kept: dict[str, int]
    restored: dict[str, int]
    removed: dict[str, int]

    def lines(self) -> list[str]:
        """The receipt in words, a sentence for each part."""
        return [
            f"Kept: {_in_words(self.kept)}.",
            f"Restored: {_in_words(self.restored)}.",
            f"Removed: {_in_words(self.removed)}.",
        ]


def _in_words(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {_name(table, count)}" for table, count in counts.items() if count) or "nothing"


def _name(table: str, count: int) -> str:
    plain = table.replace("_", " ")
    one, many = _NAMES.get(table, (plain.removesuffix("s"), plain))
    return one if count == 1 else many
