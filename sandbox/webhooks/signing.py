"""Secrets and signatures by the Standard Webhooks specification, in the format of its own library."""

from __future__ import annotations

import base64
import datetime as dt
import secrets
from collections.abc import Iterable

from standardwebhooks import Webhook as Signer

PREFIX = "whsec_"
_SECRET_BYTES = 24


def new_secret() -> str:
    """A signing secret: 24 random bytes in base64, behind `whsec_`."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def sign(message_id: str, at: dt.datetime, body: str, keys: Iterable[str]) -> dict[str, str]:
    """The three headers that prove a message; a signature for each key, the newest first."""
    signatures = (Signer(key).sign(message_id, at, body) for key in keys)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
