"""The one-time link that makes somebody staff."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.accounts.models import AccountLink, Developer
from portal.core.clock import system_now
from portal.core.database import Database
from tests.portal.people import field_of, fill_in, invite_staff, new_email, sign_in, sign_up, use_link


def test_the_command_prints_json_and_nothing_else(app: Flask) -> None:
    email = new_email("sam")
    result = app.test_cli_runner().invoke(args=["staff", "create", "--email", email, "--format", "json"])
    printed = json.loads(result.output)
    assert (printed["email"], printed["role"]) == (email, "agent")
    assert printed["sign_in_url"].startswith("http://localhost:8000/account/link/")


@pytest.mark.parametrize("arguments", [["--email", "nobody"], [], ["--email", "a@example.com", "--role", "king"]])
def test_the_command_refuses_what_makes_no_sense(app: Flask, arguments: list[str]) -> None:
    assert app.test_cli_runner().invoke(args=["staff", "create", *arguments]).exit_code == 2


@pytest.mark.parametrize("role", ["agent", "owner"])
def test_a_link_opens_the_desk_once(app: Flask, new_client: Callable[[], FlaskClient], role: str) -> None:
    link = invite_staff(app, new_email("sam"), role)
    sam, mallory = new_client(), new_client()
    answer = use_link(sam, link)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/staff")
    assert sam.get("/staff").status_code == 200
    assert mallory.get(link).status_code == 404
    token = field_of(mallory.get("/account/sign-in").get_data(as_text=True), "csrf_token")
    assert mallory.post(link, data={"csrf_token": token}).status_code == 404
    assert mallory.get("/staff").status_code == 404


def test_a_link_of_yesterday_is_over(app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    link = invite_staff(app, new_email("sam"))
    monkeypatch.setattr("portal.accounts.links.system_now", lambda: system_now() + dt.timedelta(hours=24, seconds=1))
    assert client.get(link).status_code == 404


def test_a_new_link_ends_the_old_one(app: Flask, client: FlaskClient) -> None:
    email = new_email("sam")
    old, new = invite_staff(app, email), invite_staff(app, email)
    assert client.get(old).status_code == 404
    assert use_link(client, new).status_code == 303


@pytest.mark.parametrize("token", ["guessed", "0" * 43, "x" * 5000, "%00", "é"])
def test_a_guessed_link_is_not_found(client: FlaskClient, token: str) -> None:
    assert client.get(f"/account/link/{token}").status_code == 404


def test_the_link_stands_hashed_in_the_database(app: Flask, database: Database) -> None:
    email = new_email("sam")
    token = invite_staff(app, email).rpartition("/")[2]
    with database.transaction(write=False) as session:
        row = session.scalars(select(AccountLink).where(AccountLink.email == email)).one()
    assert token not in str(vars(row))


def test_a_member_made_staff_keeps_the_account(app: Flask, client: FlaskClient, database: Database) -> None:
    email = new_email("sam")
    sign_up(client, email)
    assert client.get("/staff").status_code == 404
    assert use_link(client, invite_staff(app, email)).status_code == 303
    assert client.get("/staff").status_code == 200
    with database.transaction(write=False) as session:
        assert session.scalars(select(Developer).where(Developer.email == email)).one().name == "Alice Archer"


def test_who_signed_up_with_a_colleagues_address_is_not_made_staff(
    app: Flask, client: FlaskClient, new_client: Callable[[], FlaskClient]
) -> None:
    """A mailbox may have changed hands; the link that the operator hands over opens the account."""
    email, mallory = new_email("sam"), client
    sign_up(mallory, email)
    link = invite_staff(app, email)
    assert mallory.get("/staff").status_code == 404
    assert sign_in(new_client(), email).status_code == 400
    sam = new_client()
    assert use_link(sam, link).status_code == 303
    assert sam.get("/staff").status_code == 200
    assert mallory.get("/staff").status_code == 404
    assert sign_in(new_client(), email).status_code == 400


def test_a_colleague_who_gets_another_link_stays_signed_in(
    app: Flask, client: FlaskClient, new_client: Callable[[], FlaskClient]
) -> None:
    email = new_email("sam")
    use_link(client, invite_staff(app, email))
    fill_in(client, "/account", "/account/password", new_password="a word for the desk")
    invite_staff(app, email, "owner")
    assert client.get("/staff").status_code == 200
    assert sign_in(new_client(), email, "a word for the desk").status_code == 303


def test_staff_may_set_a_password_and_sign_in_with_it(
    app: Flask, client: FlaskClient, new_client: Callable[[], FlaskClient]
) -> None:
    email = new_email("sam")
    assert sign_in(new_client(), email, "").status_code == 400
    use_link(client, invite_staff(app, email))
    answer = fill_in(client, "/account", "/account/password", new_password="a word for the desk")
    assert answer.status_code == 303
    again = new_client()
    assert sign_in(again, email, "a word for the desk").status_code == 303
    assert again.get("/staff").status_code == 200


def test_a_mail_scanner_uses_no_link_up(app: Flask, client: FlaskClient, new_client: Callable[[], FlaskClient]) -> None:
    link, scanner = invite_staff(app, new_email("sam")), new_client()
    for method in ("GET", "HEAD", "GET", "OPTIONS"):
        assert scanner.open(link, method=method).status_code == 200
        assert scanner.get("/staff").status_code == 404
    assert use_link(client, link).status_code == 303
    assert client.get("/staff").status_code == 200


def test_a_link_does_not_act_for_a_form_of_another_site(app: Flask, client: FlaskClient) -> None:
    link = invite_staff(app, new_email("sam"))
    token = field_of(client.get(link).get_data(as_text=True), "csrf_token", link)
    assert client.post(link).status_code == 400
    forged = client.post(link, data={"csrf_token": token}, headers={"Sec-Fetch-Site": "cross-site"})
    assert forged.status_code == 400
    assert client.get("/staff").status_code == 404
