"""Keyed hashes and derived keys: what stands in the database never is the secret itself."""

from __future__ import annotations

import base64
import hashlib
import hmac
from functools import cache


@cache
def derive_key(secret_key: str, purpose: str) -> bytes:
    """A 32-byte key for one purpose, in URL-safe base64."""
    return base64.urlsafe_b64encode(hmac.digest(secret_key.encode(), purpose.encode(), hashlib.sha256))


def keyed_hash(secret_key: str, purpose: str, value: str) -> str:
    """HMAC-SHA256 of `value` in hex, under a key of its own for `purpose`."""
    return hmac.new(derive_key(secret_key, purpose), value.encode(), hashlib.sha256).hexdigest()


def is_same_hash(left: str, right: str) -> bool:
    """Compare two hashes in constant time."""
    return hmac.compare_digest(left, right)
