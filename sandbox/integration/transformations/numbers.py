"""Numbers as other systems write them, read strictly by their marks: never guessed (contract section 7)."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache

_GROUPING = {" ": " \u00a0\u202f\u2009", "'": "'\u2019"}
"""Characters that stand for one grouping mark: systems write a space in several ways, an apostrophe in two."""


def read_number(text: str, decimal: str = ".", grouping: str | None = None) -> Decimal:
    """The number that the text says. Raises ValueError for whatever is not well formed by these marks.

    Groups are of three digits, or Indian (`12,34,567`), and all have the same mark.
    """
    plain = text.strip()
    if not _pattern(decimal, grouping).fullmatch(plain):
        raise ValueError("not a number of this form")
    for mark in _marks(grouping):
        plain = plain.replace(mark, "")
    return Decimal(plain.replace(decimal, "."))


def write_number(number: Decimal, decimal: str = ".", grouping: str | None = None) -> str:
    """Return the number with these marks, in groups of three, with the decimals it has."""
    marks = {",": grouping or "", ".": decimal}
    return "".join(marks.get(sign, sign) for sign in f"{number:,f}")


def example_of(decimal: str, grouping: str | None) -> str:
    """A number as these marks write it, for messages."""
    return f"1{grouping or ''}234{decimal}50"


def _marks(grouping: str | None) -> str:
    return _GROUPING.get(grouping, grouping) if grouping else ""


@lru_cache(maxsize=64)
def _pattern(decimal: str, grouping: str | None) -> re.Pattern[str]:
    whole = "[0-9]{1,30}"
    if grouping:
        mark = f"([{re.escape(_marks(grouping))}])"
        threes = rf"[1-9][0-9]{{0,2}}{mark}[0-9]{{3}}(?:\2[0-9]{{3}}){{0,8}}"
        indian = rf"[1-9][0-9]?{mark}(?:[0-9]{{2}}\3){{1,12}}[0-9]{{3}}"
        whole = f"(?:{whole}|{threes}|{indian})"
    return re.compile(f"([+-]?){whole}(?:{re.escape(decimal)}[0-9]{{1,10}})?")
