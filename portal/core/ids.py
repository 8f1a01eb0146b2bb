"""Public identifiers: global, unguessable, prefixed by kind (contract section 4)."""

from __future__ import annotations

import datetime as dt
import re
import secrets
import time

PUBLIC_ID = re.compile(r"^[a-z]{2,4}_[0-9a-f]{24}$")


def new_public_id(prefix: str) -> str:
    """A new identifier such as `cus_5f2c…`: 96 random bits behind the prefix."""
    return f"{prefix}_{secrets.token_hex(12)}"


def new_log_id() -> int:
    """A 63-bit number that grows with time, for append-only rows: microseconds, then 11 random bits."""
    return (time.time_ns() // 1_000) << 11 | secrets.randbits(11)


def first_log_id(at: dt.datetime) -> int:
    """Return the lowest id that a log row written at this time can have."""
    return int(at.timestamp() * 1_000_000) << 11


def new_revision() -> int:
    """A number that no state of a tenant had before it: 62 random bits."""
    return secrets.randbits(62)


def new_request_id() -> str:
    """An identifier for one HTTP request."""
    return f"req_{secrets.token_hex(12)}"
