"""JSON text that keeps money exact: a Decimal 1500.00 is written as 1500.00."""

from __future__ import annotations

from typing import Any

import msgspec

_encoder = msgspec.json.Encoder(decimal_format="number")


def compact(value: Any) -> str:
    """One line, without spaces."""
    return _encoder.encode(value).decode()


def pretty(value: Any) -> str:
    """Indented by two spaces, as examples are shown."""
    return msgspec.json.format(_encoder.encode(value), indent=2).decode()
