"""An account is made by whoever reads mail at its address. No page tells who has one (attacks 12, 17)."""

from __future__ import annotations

import datetime as dt
import re
import secrets
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, func, select, text
from werkzeug.test import TestResponse

from portal.accounts.links import MOST_AN_HOUR
from portal.accounts.models import AccountLink, Developer
from portal.core.clock import system_now
from portal.core.database import Database
from portal.limits import RESETS_OF_PASSWORDS_BY_ADDRESS, SIGN_UPS_BY_ADDRESS
from tests.lint import Page, read_page
from tests.portal.limiting import use_up
from tests.portal.mails import ACCOUNTS, mails_to, work
from tests.portal.people import (
    PASSWORD,
    ask_to_sign_up,
    fill_in,
    mailed_link,
    new_email,
    sign_in,
    sign_up,
    who_is,
)
from tests.portal.support.chatting import chat_at_desk, start

NewClient = Callable[[], FlaskClient]
COMMON = ("password1234", "1234567890", "qwertyuiop", "P@ssw0rd1234", "iloveyou2026", "aaaaaaaaaaaa", "letmein12345")


def is_member(client: FlaskClient) -> bool:
    return client.get("/account").status_code == 200


def is_known(database: Database, email: str) -> bool:
    with database.transaction(write=False) as session:
        return session.scalar(select(func.count()).where(Developer.email == email)) == 1


def words_of(client: FlaskClient, response: TestResponse, email: str) -> tuple[int, str, str]:
    """What a visitor is told, but for the address that was typed and the number of the request."""
    page = client.get(response.headers["Location"]).get_data(as_text=True).replace(email, "someone")
    return response.status_code, response.headers["Location"], re.sub(r"req_\w+", "", page)


def statements_of(database: Database, act: Callable[[], object]) -> list[str]:
    """The kinds of statements that something runs."""
    found: list[str] = []
    listen = lambda connection, cursor, statement, *rest: found.append(statement)  # noqa: E731
    event.listen(database.engine, "before_cursor_execute", listen)
    try:
        act()
    finally:
        event.remove(database.engine, "before_cursor_execute", listen)
    return [statement for statement in found if "rate_limits" not in statement]


def test_signing_up_makes_no_account_before_the_link_is_used(
    app: Flask, client: FlaskClient, database: Database, visit: Callable[..., Page]
) -> None:
    email = new_email()
    answer = ask_to_sign_up(client, email)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account/check-mail")
    page = visit("/account/check-mail")
    assert email in page.text
    assert not is_known(database, email) and not is_member(client)
    link = mailed_link(app, email)
    visit(link)
    assert not is_known(database, email) and not is_member(client)
    done = fill_in(client, link, password=PASSWORD)
    assert (done.status_code, done.headers["Location"]) == (303, "/account")
    assert is_known(database, email) and is_member(client)


def test_signing_up_answers_alike_whether_the_address_has_an_account(
    app: Flask, client: FlaskClient, new_client: NewClient
) -> None:
    known, unknown = new_email(), new_email()
    sign_up(client, known)
    told = []
    for email in (known, unknown):
        browser = new_client()
        told.append((*words_of(browser, ask_to_sign_up(browser, email), email), is_member(browser)))
    assert told[0] == told[1]
    assert "Check your mail" in told[0][2]


@pytest.mark.parametrize("page", ["/account/sign-up", "/account/reset"])
def test_a_known_and_an_unknown_address_cost_the_same_work(
    client: FlaskClient, new_client: NewClient, database: Database, page: str
) -> None:
    known = new_email()
    sign_up(client, known)
    work = []
    for email in (known, new_email()):
        browser = new_client()
        fields = {"email": email} | ({"name": "Jane"} if page.endswith("up") else {})
        work.append(statements_of(database, lambda fields=fields, browser=browser: fill_in(browser, page, **fields)))
    assert work[0] == work[1]
    assert any("INSERT INTO jobs" in statement for statement in work[0])
    assert not any("FROM developers" in statement for statement in work[0])


def test_who_has_an_account_is_mailed_so_with_a_link_to_reset(
    app: Flask, client: FlaskClient, new_client: NewClient, database: Database
) -> None:
    email = new_email()
    sign_up(client, email)
    ask_to_sign_up(new_client(), email, name="Mallory says: visit evil.example")
    link = mailed_link(app, email)
    mail = mails_to(database, email)[-1]
    assert mail["subject"] == "You have an account already"
    assert link.startswith("/account/reset/")
    assert "evil.example" not in mail["text"]


def test_mail_to_a_stranger_holds_our_words_only(app: Flask, client: FlaskClient, database: Database) -> None:
    email = new_email()
    ask_to_sign_up(client, email, name="Win a prize at evil.example")
    assert mailed_link(app, email)
    [mail] = mails_to(database, email)
    assert "evil.example" not in str(mail)


def test_an_account_cannot_be_signed_in_to_before_its_proof(app: Flask, client: FlaskClient) -> None:
    email = new_email()
    ask_to_sign_up(client, email)
    answer = sign_in(client, email)
    assert answer.status_code == 400
    assert "open the link that we mailed you first" in answer.get_data(as_text=True)


def test_a_mail_scanner_uses_no_link_up(app: Flask, client: FlaskClient, new_client: NewClient) -> None:
    email, scanner = new_email(), new_client()
    ask_to_sign_up(client, email)
    link = mailed_link(app, email)
    for method in ("GET", "HEAD", "GET"):
        assert scanner.open(link, method=method).status_code == 200
    assert not is_member(scanner)
    assert fill_in(client, link, password=PASSWORD).status_code == 303


def test_a_used_link_is_over_and_says_so(app: Flask, client: FlaskClient, new_client: NewClient) -> None:
    email, mallory = new_email(), new_client()
    ask_to_sign_up(client, email)
    link = mailed_link(app, email)
    html = mallory.get(link).get_data(as_text=True)
    assert fill_in(client, link, password=PASSWORD).status_code == 303
    token = re.search(r'name="csrf_token"[^>]*value="([^"]*)"', html)
    assert token
    late = mallory.post(link, data={"csrf_token": token.group(1), "password": "another few plain words"})
    for answer in (late, mallory.get(link)):
        assert answer.status_code == 404
        assert "This link has ended" in answer.get_data(as_text=True)
    assert not is_member(mallory)


def test_a_link_to_sign_up_ends_after_a_day(app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    email = new_email()
    ask_to_sign_up(client, email)
    link = mailed_link(app, email)
    monkeypatch.setattr("portal.accounts.links.system_now", lambda: system_now() + dt.timedelta(hours=24, seconds=1))
    assert client.get(link).status_code == 404


def test_who_signs_a_victim_up_gets_nothing_by_it(
    app: Flask, client: FlaskClient, new_client: NewClient, database: Database
) -> None:
    """The guest who typed the address is not the one who reads its mail."""
    mallory, email = client, new_email("victim")
    fill_in(mallory, "/checklist", done="secure-tokens")
    before = who_is(mallory)
    ask_to_sign_up(mallory, email)
    victim = new_client()
    fill_in(victim, mailed_link(app, email), password=PASSWORD)
    assert is_member(victim)
    assert not is_member(mallory)
    assert who_is(mallory) == before != who_is(victim)
    assert " checked>" not in victim.get("/checklist").get_data(as_text=True)


def test_the_guest_of_another_browser_comes_along_at_the_next_sign_in(
    app: Flask, client: FlaskClient, new_client: NewClient
) -> None:
    email, phone = new_email(), new_client()
    fill_in(client, "/checklist", done="secure-tokens")
    ask_to_sign_up(client, email)
    fill_in(phone, mailed_link(app, email), password=PASSWORD)
    sign_in(client, email)
    assert " checked>" in phone.get("/checklist").get_data(as_text=True)


@pytest.mark.parametrize("password", COMMON)
def test_a_common_password_is_refused_with_a_remedy(app: Flask, client: FlaskClient, password: str) -> None:
    email = new_email()
    ask_to_sign_up(client, email)
    link = mailed_link(app, email)
    answer = fill_in(client, link, password=password)
    html = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert "This password is easy to guess. Use four or more words" in html
    assert password not in html
    assert fill_in(client, link, password=PASSWORD).status_code == 303


def test_a_password_made_of_the_address_is_refused(app: Flask, client: FlaskClient) -> None:
    email = new_email("alexandra")
    ask_to_sign_up(client, email, name="Alexandra Archer")
    link = mailed_link(app, email)
    for password in (email, email.partition("@")[0], "archeralexandra", "alexandraslipway"):
        assert fill_in(client, link, password=password).status_code == 400, password


@pytest.mark.parametrize("password", ["short", "x" * 201, ""])
def test_a_password_of_no_fitting_length_is_refused(app: Flask, client: FlaskClient, password: str) -> None:
    email = new_email()
    ask_to_sign_up(client, email)
    answer = fill_in(client, mailed_link(app, email), password=password)
    assert answer.status_code == 400
    assert "field-error" in answer.get_data(as_text=True)


def test_a_long_password_of_a_manager_is_taken(app: Flask, client: FlaskClient, new_client: NewClient) -> None:
    email, password = new_email(), secrets.token_urlsafe(200)[:200]
    sign_up(client, email, password=password)
    assert sign_in(new_client(), email, password).status_code == 303


def test_password_managers_find_what_they_look_for(app: Flask, client: FlaskClient) -> None:
    email = new_email()
    ask_to_sign_up(client, email)
    link = mailed_link(app, email)
    page = read_page(link, client.get(link))
    fields = {field.get("name"): field.get("autocomplete") for field in page.find_all("input")}
    assert fields["username"] == "username" and fields["password"] == "new-password"
    assert "onpaste" not in page.html


def test_a_mailbox_is_not_filled_by_our_forms(
    app: Flask, new_client: NewClient, client: FlaskClient, database: Database
) -> None:
    email = new_email()
    for _ in range(MOST_AN_HOUR + 3):
        assert ask_to_sign_up(new_client(), email).status_code == 303
    work(database, ACCOUNTS)
    assert len(mails_to(database, email)) == MOST_AN_HOUR


def test_asking_for_mail_again_and_again_makes_the_next_one_wait(client: FlaskClient, new_client: NewClient) -> None:
    email = new_email()
    codes = [ask_to_sign_up(client, email).status_code for _ in range(3)]
    refused = ask_to_sign_up(client, email)
    assert (codes, refused.status_code) == ([303] * 3, 429)
    assert f'value="{email}"' in refused.get_data(as_text=True)
    assert ask_to_sign_up(new_client(), email).status_code == 303


@pytest.mark.parametrize(
    ("page", "limit"),
    [("/account/sign-up", SIGN_UPS_BY_ADDRESS), ("/account/reset", RESETS_OF_PASSWORDS_BY_ADDRESS)],
)
def test_a_refused_form_keeps_the_address(
    app: Flask, client: FlaskClient, address: str, page: str, limit: object
) -> None:
    use_up(app, limit, address)
    email = new_email()
    answer = fill_in(client, page, name="Jane", email=email)
    assert answer.status_code == 429
    assert f'value="{email}"' in answer.get_data(as_text=True)


def test_no_live_link_stands_in_the_store(app: Flask, client: FlaskClient, database: Database) -> None:
    email = new_email()
    ask_to_sign_up(client, email)
    token = mailed_link(app, email).rpartition("/")[2]
    with database.transaction(write=False) as session:
        for table in ("jobs", "account_links", "developers", "browser_sessions"):
            rows = session.connection().execute(text(f"SELECT * FROM {table}")).all()
            assert token not in str(rows), table


def test_links_of_earlier_tries_end_with_the_first_that_is_used(
    app: Flask, client: FlaskClient, database: Database
) -> None:
    email = new_email()
    ask_to_sign_up(client, email)
    first = mailed_link(app, email)
    ask_to_sign_up(client, email)
    second = mailed_link(app, email)
    assert client.get(first).status_code == client.get(second).status_code == 200
    fill_in(client, first, password=PASSWORD)
    with database.transaction(write=False) as session:
        assert session.scalar(select(func.count()).where(AccountLink.email == email)) == 0
    assert client.get(second).status_code == 404


@pytest.mark.parametrize("wanted", ["https://evil.example", "//evil.example", "/\\evil.example", "/" + "x" * 600])
def test_the_mailed_link_leads_nowhere_but_here(app: Flask, client: FlaskClient, wanted: str) -> None:
    email = new_email()
    query, form = {"next": wanted}, {"csrf_token": _token(client, "/account/sign-up"), "name": "Jane", "email": email}
    assert client.post("/account/sign-up", query_string=query, data=form).status_code == 303
    link = mailed_link(app, email)
    assert "next" not in link
    form = {"csrf_token": _token(client, link), "password": PASSWORD}
    assert client.post(link, query_string=query, data=form).location == "/account"


def _token(client: FlaskClient, page: str) -> str:
    token = re.search(r'name="csrf_token"[^>]*value="([^"]*)"', client.get(page).get_data(as_text=True))
    assert token
    return token.group(1)


def unproven(database: Database, email: str) -> None:
    """Make an account one of an earlier release, whose address nobody has proven."""
    with database.transaction() as session:
        session.scalars(select(Developer).where(Developer.email == email)).one().email_verified_at = None


def test_an_account_of_an_earlier_release_is_verified_by_mail(
    app: Flask, client: FlaskClient, new_client: NewClient, database: Database
) -> None:
    email, scanner = new_email(), new_client()
    sign_up(client, email)
    unproven(database, email)
    assert "Your address is not verified" in client.get("/account").get_data(as_text=True)
    assert fill_in(client, "/account", "/account/verify").status_code == 303
    link = mailed_link(app, email)
    assert link.startswith("/account/verify/")
    assert scanner.get(link).status_code == 200
    assert "Your address is not verified" in client.get("/account").get_data(as_text=True)
    assert fill_in(client, link).status_code == 303
    assert "Your address is not verified" not in client.get("/account").get_data(as_text=True)
    assert client.get(link).status_code == 404


def test_the_desk_takes_an_unproven_account_for_no_proof(
    client: FlaskClient, sam: FlaskClient, database: Database
) -> None:
    account, typed = new_email("account"), new_email("typed")
    sign_up(client, account)
    start(client, email=typed)
    chat = chat_at_desk(sam, typed)
    assert "What was typed may differ from the account." in read_page(chat, sam.get(chat)).text
    assert "Support sees your account and that its address is verified." in client.get("/support").get_data(
        as_text=True
    )
    unproven(database, account)
    assert "The address is not verified" in client.get("/support").get_data(as_text=True)
    page = read_page(chat, sam.get(chat)).text
    assert "not verified" in page and "neither it nor what was typed proves anything" in page


def test_a_visitor_without_an_account_is_told_of_none_in_the_chat(client: FlaskClient) -> None:
    fill_in(client, "/checklist", done="secure-tokens")
    assert "You are signed in" not in client.get("/support").get_data(as_text=True)


@pytest.mark.parametrize("kind", ["new", "reset", "verify"])
def test_a_link_does_not_act_for_a_form_of_another_site(
    app: Flask, client: FlaskClient, new_client: NewClient, database: Database, kind: str
) -> None:
    email, browser = new_email(), new_client()
    if kind == "new":
        ask_to_sign_up(client, email)
    else:
        sign_up(client, email)
        unproven(database, email)
        fill_in(client, "/account" if kind == "verify" else "/account/reset", f"/account/{kind}", email=email)
    link = mailed_link(app, email)
    assert link.startswith(f"/account/{kind}/")
    form = {"csrf_token": _token(browser, link), "password": "quite another secret thing"}
    assert browser.post(link, data=form | {"csrf_token": ""}).status_code == 400
    assert browser.post(link, data=form, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 400
    assert browser.get(link).status_code == 200
    assert browser.post(link, data=form).status_code == 303
