"""Every earlier secret of a webhook signs on for its own day, by the sandbox's clock (contract section 7)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select
from standardwebhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from portal.core.clock import system_now
from portal.core.database import Database
from sandbox.tenants import NewSandbox
from sandbox.webhooks.models import EarlierSecret
from sandbox.webhooks.service import MOST_EARLIER
from tests.conftest import Integration
from tests.sandbox.delivery.conftest import CourierMaker, bound
from tests.sandbox.delivery.sink import Arrival, Sink
from tests.sandbox.webhooks.conftest import PATH, Subscribe

CLOCK = "/api/v2/sandbox/clock"


def rotate(caller: Integration) -> str:
    answer = caller.post(f"{PATH}/1/rotate-secret")
    assert answer.status_code == 200, answer.text
    secret: str = answer.json["data"]["secret"]
    return secret


def advance(caller: Integration, duration: str) -> list[Any]:
    answer = caller.post(CLOCK, {"advance": duration})
    assert answer.status_code == 200, answer.text
    due: list[Any] = answer.json["data"]["due"]
    return due


def signed_by(arrival: Arrival, secrets: list[str]) -> list[bool]:
    def is_signed(secret: str) -> bool:
        try:
            Verifier(secret).verify(arrival.body, arrival.headers)
        except WebhookVerificationError:
            return False
        return True

    return [is_signed(secret) for secret in secrets]


@pytest.fixture
def sent(alice: Integration, courier: CourierMaker, sink: Sink) -> Any:
    """Sends a test event; gives what arrived."""

    def send() -> Arrival:
        assert alice.post(f"{PATH}/1/test").status_code == 201
        courier().deliver_due()
        return sink.arrivals[-1]

    return send


def test_a_second_rotation_within_a_day_ends_no_secret_in_use(
    alice: Integration, subscribe: Subscribe, sent: Any
) -> None:
    secrets = [subscribe(alice)["secret"], rotate(alice), rotate(alice)]
    assert signed_by(sent(), secrets) == [True, True, True]


def test_each_earlier_secret_ends_after_its_own_day_of_the_sandboxs_clock(
    alice: Integration, subscribe: Subscribe, sent: Any
) -> None:
    secrets = [subscribe(alice)["secret"], rotate(alice)]
    advance(alice, "PT12H")
    secrets.append(rotate(alice))
    assert signed_by(sent(), secrets) == [True, True, True]
    ended = [due["type"] for due in advance(alice, "PT13H")]
    assert ended.count("webhook_secret.expired") == 1
    assert signed_by(sent(), secrets) == [False, True, True]
    advance(alice, "PT12H")
    assert signed_by(sent(), secrets) == [False, False, True]


def test_the_end_is_told_by_the_sandboxs_clock(alice: Integration, subscribe: Subscribe) -> None:
    subscribe(alice)
    advance(alice, "P10D")
    until = alice.post(f"{PATH}/1/rotate-secret").json["data"]["old_secret_until"]
    now = alice.get(CLOCK).json["data"]["now"]
    left = dt.datetime.fromisoformat(until) - dt.datetime.fromisoformat(now)
    assert dt.timedelta(hours=23) < left <= dt.timedelta(hours=24)


def test_no_secret_outlives_its_day_when_the_clock_goes_back(
    alice: Integration, subscribe: Subscribe, database: Database, alices_sandbox: NewSandbox
) -> None:
    subscribe(alice)
    advance(alice, "P90D")
    rotate(alice)
    assert alice.post("/api/v2/sandbox/reset", {}).status_code == 200
    latest = system_now() + dt.timedelta(hours=24)
    with database.transaction(write=False) as session:
        (earlier,) = bound(session, alices_sandbox).scalars(select(EarlierSecret)).all()
    assert system_now() < earlier.ends_at <= latest
    shown = dt.datetime.fromisoformat(alice.get(f"{PATH}/1").json["data"]["old_secret_until"])
    assert shown <= latest


def test_rotations_end_where_a_message_would_carry_too_many_signatures(
    alice: Integration, subscribe: Subscribe
) -> None:
    subscribe(alice)
    for _ in range(MOST_EARLIER):
        rotate(alice)
    refused = alice.post(f"{PATH}/1/rotate-secret")
    assert (refused.status_code, refused.json["code"]) == (409, "conflict")
    advance(alice, "PT25H")
    rotate(alice)


def test_a_deleted_webhook_takes_its_earlier_secrets_along(
    alice: Integration, subscribe: Subscribe, database: Database, alices_sandbox: NewSandbox
) -> None:
    subscribe(alice)
    rotate(alice)
    assert alice.delete(f"{PATH}/1").status_code == 200
    with database.transaction(write=False) as session:
        assert bound(session, alices_sandbox).scalars(select(EarlierSecret)).all() == []
