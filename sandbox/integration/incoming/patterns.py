"""Patterns of mappings, matched by RE2: in a time that grows with the length of the value and no faster."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

LARGEST = 1 << 18
"""Bytes that a compiled pattern may take."""


@lru_cache(maxsize=1024)
def compile_pattern(text: str) -> Any:
    """The pattern, ready to match. Raises ValueError for what RE2 refuses, such as look-around and back references."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = LARGEST
    try:
        return re2.compile(text, options)
    except re2.error as refused:
        reason = refused.args[0] if refused.args else "not understood"
        words = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise ValueError(words) from None


def matches(text: str, value: str) -> bool:
    """True where the whole value matches."""
    return compile_pattern(text).fullmatch(value) is not None
