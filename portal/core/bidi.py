"""Direction of text in plain messages, which have no `dir` attribute (Unicode Standard Annex 9)."""

from __future__ import annotations

import unicodedata

_RIGHT_TO_LEFT = frozenset({"R", "AL"})


def isolate(text: str) -> str:
    """Wrap `text` so that Hebrew or Arabic in it leaves the rest of its line in order; other text stays as it is."""
    if has_right_to_left(text):
        return f"\u2068{text}\u2069"
    return text


def has_right_to_left(text: str) -> bool:
    """True if `text` has a letter of a script that is written from right to left."""
    return any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in text)
