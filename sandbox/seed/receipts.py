"""What a reset tells: what it kept, put back and took away (contract section 8)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

_WORDS = {
    "access_tokens": "access tokens",
    "api_keys": "API keys",
    "audit": "entries of the audit trail",
    "exchanges": "logged calls",
    "invoice_items": "invoice lines",
    "sale_items": "sale lines",
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
    parts = [f"{count} {_WORDS.get(name, name.replace('_', ' '))}" for name, count in counts.items() if count]
    return ", ".join(parts) or "nothing"
