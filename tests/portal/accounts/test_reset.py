"""A lost password is replaced by a mailed link, and nobody learns who has an account (attack 12)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.accounts.models import Developer
from portal.core.clock import system_now
from portal.core.database import Database
from tests.lint import Page
from tests.portal.mails import ACCOUNTS, mails_to, work
from tests.portal.people import PASSWORD, fill_in, invite_staff, mailed_link, new_email, sign_in, sign_up, use_link

NEW = "quite another secret thing"
NewClient = Callable[[], FlaskClient]


def is_member(client: FlaskClient) -> bool:
    return client.get("/account").status_code == 200


def link_for(app: Flask, client: FlaskClient, email: str) -> str:
    assert fill_in(client, "/account/reset", email=email).status_code == 303
    return mailed_link(app, email)


def test_a_lost_password_is_replaced_by_a_mailed_link(
    app: Flask, client: FlaskClient, new_client: NewClient, visit: Callable[..., Page]
) -> None:
    email = new_email()
    sign_up(new_client(), email)
    visit("/account/reset")
    link = link_for(app, client, email)
    assert email in visit(link).text
    answer = fill_in(client, link, password=NEW)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account")
    assert is_member(client)
    assert sign_in(new_client(), email, NEW).status_code == 303
    assert sign_in(new_client(), email, PASSWORD).status_code == 400


def test_a_reset_ends_every_session_and_link_and_is_told_by_mail(
    app: Flask, client: FlaskClient, new_client: NewClient, database: Database
) -> None:
    email, elsewhere = new_email(), new_client()
    sign_up(elsewhere, email)
    first, second = link_for(app, client, email), link_for(app, client, email)
    assert first != second
    fill_in(client, second, password=NEW)
    assert is_member(client)
    assert not is_member(elsewhere)
    assert client.get(first).status_code == client.get(second).status_code == 404
    told = mails_to(database, email)[-1]
    assert told["subject"] == "Your password was changed"
    assert "/account/reset" in told["text"] and "/account/reset/" not in told["text"]


def test_a_changed_password_is_told_by_mail(client: FlaskClient, database: Database) -> None:
    email = new_email()
    sign_up(client, email)
    fill_in(client, "/account", "/account/password", current_password=PASSWORD, new_password=NEW)
    assert mails_to(database, email)[-1]["subject"] == "Your password was changed"


def test_every_address_is_answered_alike_and_a_stranger_gets_no_mail(
    app: Flask, client: FlaskClient, new_client: NewClient, database: Database
) -> None:
    known, unknown = new_email(), new_email()
    sign_up(client, known)
    told = []
    for email in (known, unknown):
        browser = new_client()
        answer = fill_in(browser, "/account/reset", email=email)
        told.append((answer.status_code, browser.get(answer.location).get_data(as_text=True).replace(email, "x")))
    work(database, ACCOUNTS)
    assert [status for status, _ in told] == [303, 303]
    assert told[0][1] == told[1][1]
    assert len(mails_to(database, unknown)) == 0
    assert len(mails_to(database, known)) == 2


def test_a_link_ends_after_an_hour(
    app: Flask, client: FlaskClient, new_client: NewClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    email = new_email()
    sign_up(new_client(), email)
    link = link_for(app, client, email)
    later = [dt.timedelta(minutes=59)]
    monkeypatch.setattr("portal.accounts.links.system_now", lambda: system_now() + later[0])
    assert client.get(link).status_code == 200
    later[0] = dt.timedelta(hours=1, seconds=1)
    assert client.get(link).status_code == 404


def test_a_mail_scanner_uses_no_link_up(app: Flask, client: FlaskClient, new_client: NewClient) -> None:
    email, scanner = new_email(), new_client()
    sign_up(new_client(), email)
    link = link_for(app, client, email)
    for method in ("GET", "HEAD", "GET"):
        assert scanner.open(link, method=method).status_code == 200
    assert not is_member(scanner)
    assert sign_in(scanner, email).status_code == 303
    assert fill_in(client, link, password=NEW).status_code == 303


def test_a_refused_password_uses_no_link_up(app: Flask, client: FlaskClient, new_client: NewClient) -> None:
    email = new_email()
    sign_up(new_client(), email)
    link = link_for(app, client, email)
    for password in ("password1234", "short", email):
        assert fill_in(client, link, password=password).status_code == 400
    assert sign_in(new_client(), email).status_code == 303
    assert fill_in(client, link, password=NEW).status_code == 303


@pytest.mark.parametrize("kind", ["new", "reset", "verify", "link"])
@pytest.mark.parametrize("token", ["guessed", "0" * 43, "x" * 5000, "%00", "é"])
def test_a_guessed_link_has_ended(client: FlaskClient, kind: str, token: str) -> None:
    assert client.get(f"/account/{kind}/{token}").status_code == 404


def test_a_link_of_one_purpose_serves_no_other(app: Flask, client: FlaskClient, new_client: NewClient) -> None:
    email = new_email()
    sign_up(new_client(), email)
    token = link_for(app, client, email).rpartition("/")[2]
    for kind in ("new", "verify", "link"):
        assert client.get(f"/account/{kind}/{token}").status_code == 404


def test_a_common_password_is_refused_on_the_account_page_too(client: FlaskClient) -> None:
    sign_up(client, new_email())
    fields = {"current_password": PASSWORD, "new_password": "password1234"}
    answer = fill_in(client, "/account", "/account/password", **fields)
    assert answer.status_code == 400
    assert "This password is easy to guess" in answer.get_data(as_text=True)


def test_guessing_the_current_password_in_a_found_session_is_slowed_down(client: FlaskClient) -> None:
    sign_up(client, new_email())
    guess = {"current_password": "guessed wrong", "new_password": NEW}
    codes = [fill_in(client, "/account", "/account/password", **guess).status_code for _ in range(6)]
    assert codes == [400] * 5 + [429]


def test_a_reset_proves_the_address(app: Flask, client: FlaskClient, new_client: NewClient, database: Database) -> None:
    email = new_email()
    sign_up(new_client(), email)
    with database.transaction() as session:
        session.scalars(select(Developer).where(Developer.email == email)).one().email_verified_at = None
    fill_in(client, link_for(app, client, email), password=NEW)
    with database.transaction(write=False) as session:
        assert session.scalars(select(Developer).where(Developer.email == email)).one().is_verified


def test_staff_reset_their_password_the_same_way(app: Flask, client: FlaskClient, new_client: NewClient) -> None:
    email, sam = new_email("sam"), new_client()
    use_link(sam, invite_staff(app, email))
    fill_in(client, link_for(app, client, email), password=NEW)
    assert client.get("/staff").status_code == 200
    assert sam.get("/staff").status_code == 404


def test_what_a_guest_made_comes_along(app: Flask, client: FlaskClient, new_client: NewClient) -> None:
    email = new_email()
    sign_up(new_client(), email)
    fill_in(client, "/checklist", done="secure-tokens")
    fill_in(client, link_for(app, client, email), password=NEW)
    assert " checked>" in client.get("/checklist").get_data(as_text=True)
