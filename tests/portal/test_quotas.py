"""Limits stop floods and let honest people through (contract section 4, attacks 11 and 36)."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from portal.limits import (
    CHATS_BY_EMAIL,
    LEADS_BY_ADDRESS,
    LEADS_BY_EMAIL,
    LEADS_BY_SENDER,
    LEADS_WATCHED,
    SIGN_UPS_BY_ADDRESS,
    TICKS_BY_ADDRESS,
)
from tests.portal.limiting import email_key, left_of, use_up
from tests.portal.people import fill_in, new_email

LEADS, CHATS = "/api/public/leads", "/api/v1/support/guest"
CHAT = {"fullName": "Jane Smith", "message": "Hello"}


def inquire(client: FlaskClient, email: str = "", **fields: Any) -> Any:
    body = {"name": "Jane Smith", "email": email or new_email(), "message": "Hello"} | fields
    return client.post(LEADS, json=body)


def reasons_of(sam: FlaskClient, answer: Any) -> str:
    receipt = answer.get_json()["data"]["public_id"]
    page = sam.get(f"/staff/leads/{receipt}", follow_redirects=True).get_data(as_text=True)
    return page if "In quarantine" in page else ""


def test_an_office_of_sixty_is_not_shut_out(client: FlaskClient, sam: FlaskClient) -> None:
    answers = [inquire(client) for _ in range(61)]
    assert {answer.status_code for answer in answers} == {201}
    assert not reasons_of(sam, answers[-1])


def test_more_leads_of_one_network_wait_for_a_person(
    app: Flask, client: FlaskClient, address: str, sam: FlaskClient
) -> None:
    use_up(app, LEADS_WATCHED, address)
    answer = inquire(client)
    assert answer.status_code == 201
    assert "came from one network" in reasons_of(sam, answer)


def test_five_inquiries_with_somebodys_email_lock_nobody_out(
    client: FlaskClient, new_client: Callable[[], FlaskClient], sam: FlaskClient
) -> None:
    email, mallory = new_email(), new_client()
    abused = [inquire(mallory, email, message=f"Number {number}") for number in range(6)]
    assert {answer.status_code for answer in abused} == {201}
    assert reasons_of(sam, abused[-1])
    own = inquire(client, email, message="It is really me.")
    assert own.status_code == 201
    assert not reasons_of(sam, own)


def test_an_email_typed_from_everywhere_is_looked_at_but_kept(
    app: Flask, client: FlaskClient, sam: FlaskClient
) -> None:
    email = new_email()
    use_up(app, LEADS_BY_EMAIL, email_key(app, email))
    answer = inquire(client, email)
    assert answer.status_code == 201
    assert reasons_of(sam, answer)


def test_what_was_refused_as_invalid_counts_against_the_address_alone(
    app: Flask, client: FlaskClient, address: str
) -> None:
    email = new_email()
    for _ in range(7):
        assert inquire(client, email, phone="not a number").status_code == 400
        assert client.post(CHATS, json=CHAT | {"email": email, "message": ""}).status_code == 400
    sender = f"{email_key(app, email)} {address}"
    assert left_of(app, LEADS_BY_SENDER, sender) == LEADS_BY_SENDER.limit.count
    assert left_of(app, LEADS_WATCHED, address) == LEADS_WATCHED.limit.count
    assert left_of(app, CHATS_BY_EMAIL, sender) == CHATS_BY_EMAIL.limit.count
    use_up(app, LEADS_BY_ADDRESS, address, but=7)
    assert inquire(client, email).status_code == 429


def test_a_form_that_came_back_with_complaints_counts_for_nothing(
    app: Flask, client: FlaskClient, address: str
) -> None:
    email = new_email()
    for _ in range(3):
        assert fill_in(client, "/contact", topic="demo", name="", email=email).status_code == 400
    assert left_of(app, LEADS_BY_SENDER, f"{email_key(app, email)} {address}") == LEADS_BY_SENDER.limit.count


def test_of_fifty_at_once_only_what_is_left_is_stored(
    app: Flask, address: str, new_client: Callable[[], FlaskClient]
) -> None:
    email = new_email()
    use_up(app, CHATS_BY_EMAIL, f"{email_key(app, email)} {address}", but=1)
    codes: list[int] = []

    def begin() -> None:
        client = new_client()
        client.environ_base["REMOTE_ADDR"] = address
        codes.append(client.post(CHATS, json=CHAT | {"email": email}).status_code)

    threads = [threading.Thread(target=begin) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [201] + [429] * 19


def test_a_refusal_of_the_api_says_when_and_another_way(app: Flask, client: FlaskClient, address: str) -> None:
    use_up(app, LEADS_BY_ADDRESS, address)
    answer = inquire(client)
    message = answer.get_json()["message"]
    assert answer.status_code == 429
    assert re.search(r"Try again at \d\d:\d\d UTC\. You can also write to support@slipway\.example\.$", message)
    assert int(answer.headers["Retry-After"]) > 120


def test_a_refused_sign_up_keeps_what_was_typed(app: Flask, client: FlaskClient, address: str) -> None:
    use_up(app, SIGN_UPS_BY_ADDRESS, address)
    email = new_email()
    answer = fill_in(client, "/account/sign-up", name="Alice Archer", email=email)
    html = answer.get_data(as_text=True)
    assert answer.status_code == 429
    assert f'value="{email}"' in html and 'value="Alice Archer"' in html
    assert re.search(r"Try again at \d\d:\d\d UTC", html)


def test_a_refused_checklist_keeps_its_ticks(app: Flask, client: FlaskClient, address: str) -> None:
    use_up(app, TICKS_BY_ADDRESS, address)
    answer = fill_in(client, "/checklist", done=["secure-tokens", "safe-retries"])
    html = answer.get_data(as_text=True)
    assert answer.status_code == 429
    assert html.count(" checked>") == 2
    assert "You can also write to support@slipway.example" in html
