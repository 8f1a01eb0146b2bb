"""Guessing passwords is slowed down; the owner is not locked out (attack 12)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.accounts import brakes
from portal.core import meter
from portal.limits import SIGN_INS_BY_ADDRESS
from tests.conftest import runtime_of
from tests.portal.limiting import email_key, use_up
from tests.portal.people import fill_in, new_email, sign_in, sign_up


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let seconds pass for the limits that the database counts."""
    passed = [0]

    def move(seconds: int) -> None:
        passed[0] += seconds

    clock = SimpleNamespace(time=lambda: time.time() + passed[0])
    monkeypatch.setattr(meter, "time", clock)
    return move


def guess(client: FlaskClient, email: str, times: int = 1) -> list[int]:
    return [sign_in(client, email, f"guess number {number}").status_code for number in range(times)]


def out(client: FlaskClient) -> None:
    fill_in(client, "/account", "/account/sign-out")


def attack(app: Flask, email: str) -> None:
    """Guess at an account from everywhere, as much as makes its brake take hold."""
    account = email_key(app, email)
    runtime_of(app).meter.add(f"sign-in tries:{account}", brakes.TRIES_WINDOW, brakes.STRANGERS_TRIES)
    runtime_of(app).meter.add(f"sign-in gate:{account}", brakes.STRANGERS_DELAY, 1)


def test_after_five_failures_from_here_the_next_attempt_waits(client: FlaskClient) -> None:
    email = new_email()
    sign_up(client, email)
    out(client)
    assert guess(client, email, 5) == [400] * 5
    refused = sign_in(client, email)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= brakes.FIRST_DELAY


def test_failures_from_elsewhere_do_not_lock_the_owner_out(
    client: FlaskClient, new_client: Callable[[], FlaskClient]
) -> None:
    email = new_email()
    sign_up(client, email)
    out(client)
    for _ in range(4):
        guess(new_client(), email, 5)
    assert sign_in(client, email).status_code == 303
    assert sign_in(new_client(), email).status_code == 303


@pytest.mark.one_store
def test_the_delay_grows_with_each_failure(client: FlaskClient, later: Callable[[int], None]) -> None:
    email, waits = new_email(), []
    guess(client, email, 5)
    for _ in range(3):
        refused = sign_in(client, email, "once more")
        assert refused.status_code == 429
        waits.append(int(refused.headers["Retry-After"]))
        later(waits[-1] + 1)
        assert guess(client, email) == [400]
    assert waits[0] < waits[1] < waits[2]


def test_the_delay_ends_somewhere() -> None:
    delays = [brakes.delay_after(tries) for tries in range(95)]
    assert delays[:3] == [30, 60, 120]
    assert delays == sorted(delays)
    assert delays[-1] == brakes.LONGEST_DELAY


@pytest.mark.one_store
def test_success_forgives_the_failures_before(client: FlaskClient, later: Callable[[int], None]) -> None:
    email = new_email()
    sign_up(client, email)
    out(client)
    assert guess(client, email, 4) == [400] * 4
    assert sign_in(client, email).status_code == 303
    out(client)
    assert guess(client, email, 4) == [400] * 4


def test_a_refused_attempt_does_not_lengthen_the_wait(client: FlaskClient) -> None:
    email = new_email()
    guess(client, email, 5)
    waits = [int(sign_in(client, email).headers["Retry-After"]) for _ in range(4)]
    assert max(waits) <= brakes.FIRST_DELAY


def test_under_attack_from_everywhere_strangers_wait_and_the_owners_browser_does_not(
    app: Flask, client: FlaskClient, new_client: Callable[[], FlaskClient], address: str
) -> None:
    email = new_email()
    sign_up(client, email)
    out(client)
    assert sign_in(client, email).status_code == 303
    out(client)
    attack(app, email)
    assert sign_in(new_client(), email).status_code == 429
    elsewhere = client
    elsewhere.environ_base["REMOTE_ADDR"] = "192.0.2.77"
    assert sign_in(elsewhere, email).status_code == 303
    other_browser = new_client()
    other_browser.environ_base["REMOTE_ADDR"] = address
    assert sign_in(other_browser, email).status_code == 303


def test_no_cookie_of_another_account_passes_for_a_known_browser(
    app: Flask, client: FlaskClient, new_client: Callable[[], FlaskClient]
) -> None:
    email, own = new_email(), new_email()
    sign_up(new_client(), email)
    mallory = client
    sign_up(mallory, own)
    out(mallory)
    assert sign_in(mallory, own).status_code == 303
    out(mallory)
    attack(app, email)
    assert sign_in(mallory, email).status_code == 429
    mallory.set_cookie(brakes.DEVICE_COOKIE, "WyJmb3JnZWQiXQ.forged", path="/account")
    assert sign_in(mallory, email).status_code == 429


def test_what_is_no_attempt_counts_as_none(app: Flask, client: FlaskClient, address: str) -> None:
    email = new_email()
    for _ in range(9):
        assert sign_in(client, email, "").status_code == 400
        assert sign_in(client, "alice@", "x").status_code == 400
    assert guess(client, email) == [400]


def test_an_unknown_account_is_braked_like_a_known_one(client: FlaskClient, new_client: Any) -> None:
    known = new_email()
    sign_up(new_client(), known)
    answers = {}
    for email in (known, new_email()):
        browser = new_client()
        guess(browser, email, 5)
        answers[email] = sign_in(browser, email, "again")
    texts = [
        re.sub(r"\d+ seconds?", "", answer.get_data(as_text=True)).replace(email, "").split("csrf_token")[0]
        for email, answer in answers.items()
    ]
    assert [answer.status_code for answer in answers.values()] == [429, 429]
    assert texts[0] == texts[1]


def test_a_refused_sign_in_keeps_the_address_and_names_another_way(
    app: Flask, client: FlaskClient, address: str
) -> None:
    use_up(app, SIGN_INS_BY_ADDRESS, address)
    email = new_email()
    answer = sign_in(client, email)
    html = answer.get_data(as_text=True)
    assert answer.status_code == 429
    assert f'value="{email}"' in html
    assert re.search(r"Try again at \d\d:\d\d UTC", html)
    assert "You can also write to support@slipway.example" in html


def test_sixty_people_of_one_office_sign_in(app: Flask, client: FlaskClient, address: str) -> None:
    codes = [guess(client, new_email())[0] for _ in range(61)]
    assert set(codes) == {400}
