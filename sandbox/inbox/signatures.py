"""Whether a message is signed as it should be (Standard Webhooks specification)."""

from __future__ import annotations

import datetime as dt
import hmac
from collections.abc import Mapping, Sequence

from standardwebhooks import Webhook, WebhookVerificationError

from sandbox.inbox.models import Verdict


def judge_signature(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> Verdict:
    """What the signature of a message is worth, given the secrets it may be signed with; names in small letters.

    `stale` is signed rightly, but too long ago or ahead; `unchecked` where no secret is known.
    """
    if not headers.get("webhook-signature"):
        return "unsigned"
    if not secrets:
        return "unchecked"
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return "wrong"
    if any(_is_verified(secret, headers, text) for secret in secrets):
        return "verified"
    return "stale" if any(_is_signed(secret, headers, text) for secret in secrets) else "wrong"


def _is_verified(secret: str, headers: Mapping[str, str], text: str) -> bool:
    try:
        Webhook(secret).verify(text, dict(headers), json_parse=False)
    except (WebhookVerificationError, ValueError):
        return False
    return True


def _is_signed(secret: str, headers: Mapping[str, str], text: str) -> bool:
    """Signed with this secret, whatever the time it names."""
    try:
        at = dt.datetime.fromtimestamp(float(headers.get("webhook-timestamp", "")), dt.UTC)
        expected = Webhook(secret).sign(headers.get("webhook-id", ""), at, text)
    except (ValueError, OverflowError, OSError):
        return False
    given = headers["webhook-signature"].split(" ")
    return any(hmac.compare_digest(expected.encode(), one.encode()) for one in given)
