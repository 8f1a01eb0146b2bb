"""Using limits up without sending all the requests that would."""

from __future__ import annotations

from typing import Any

from flask import Flask
from limits import parse

from portal.api.quotas import Quota
from portal.core.meter import KEY_LENGTH
from portal.limits import typed_email
from tests.conftest import runtime_of


def use_up(app: Flask, limit: Any, subject: str, *, but: int = 0) -> None:
    """Leave `but` requests of a subject's limit: a Quota's, or one of Flask-Limiter's."""
    if isinstance(limit, Quota):
        key, seconds, count = f"{limit.limit.name}:{subject}", limit.limit.seconds, limit.limit.count
    else:
        item = parse(limit.limit_provider)
        key, seconds, count = item.key_for(subject, limit.scope), item.get_expiry(), item.amount
    runtime_of(app).meter.add(key[:KEY_LENGTH], seconds, count - but)


def left_of(app: Flask, quota: Quota, subject: str) -> int:
    """Return how many stored requests a subject has left."""
    return quota.limit.count - runtime_of(app).meter.read(f"{quota.limit.name}:{subject}"[:KEY_LENGTH])[0]


def email_key(app: Flask, email: str) -> str:
    """Return what an email address is counted by."""
    with app.test_request_context("/", method="POST", data={"email": email}):
        return typed_email()
