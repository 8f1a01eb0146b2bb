"""A reply reaches who has left: by mail, with a link that resumes the conversation once."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from portal.core.database import Database
from portal.core.ownership import table_of
from portal.support.models import GuestToken
from tests.lint import read_page
from tests.portal.mails import let_pass, mails_to
from tests.portal.people import field_of, fill_in, new_email
from tests.portal.support.chatting import all_lines, answer, chat_at_desk, say, start

ORIGIN = "http://localhost:8000"


@pytest.fixture
def left(client: FlaskClient, sam: FlaskClient) -> tuple[str, str]:
    """Jane wrote and left; her address, and her chat at the desk."""
    email = new_email()
    start(client, email=email, message="My secret question")
    return email, chat_at_desk(sam, email)


def link_in(mail: dict[str, Any]) -> str:
    found = re.findall(r"https?://\S+", mail["text"])
    assert len(found) == 1
    assert found[0].startswith(f"{ORIGIN}/support/resume/")
    return str(found[0].removeprefix(ORIGIN))


def test_what_a_visitor_has_not_seen_within_ten_minutes_is_mailed_once(
    sam: FlaskClient, database: Database, left: tuple[str, str]
) -> None:
    email, chat = left
    answer(sam, chat, "Copy the key again.")
    let_pass(database, 9)
    assert mails_to(database, email) == []
    answer(sam, chat, "Mind the line break.")
    let_pass(database, 2)
    let_pass(database, 20)
    (mail,) = mails_to(database, email)
    assert mail["text"].index("Copy the key again.") < mail["text"].index("Mind the line break.")
    answer(sam, chat, "A third thing.")
    let_pass(database, 11)
    later = mails_to(database, email)[1:]
    assert [("A third thing." in mail["text"], "Copy the key" in mail["text"]) for mail in later] == [(True, False)]


@pytest.mark.parametrize("path", ["/support", "/support/panel", "/support/panel?after=1"])
def test_what_a_page_or_a_poll_has_shown_is_not_mailed(
    client: FlaskClient, sam: FlaskClient, database: Database, left: tuple[str, str], path: str
) -> None:
    email, chat = left
    answer(sam, chat, "Copy the key again.")
    assert "Copy the key again." in client.get(path).get_data(as_text=True)
    let_pass(database, 11)
    assert mails_to(database, email) == []


def test_what_a_server_read_with_its_token_is_not_mailed(
    new_client: Callable[[], FlaskClient], sam: FlaskClient, database: Database
) -> None:
    email, base, client = new_email(), "/api/v1/support/guest", new_client()
    body = {"fullName": "Jane", "email": email, "message": "Hello"}
    data = client.post(base, json=body).get_json()["data"]
    answer(sam, f"/staff/chats/{data['public_id']}", "Here you are.")
    bearer = {"Authorization": f"Bearer {data['guest_token']}"}
    assert client.get(f"{base}/{data['public_id']}/events?after=1", headers=bearer).status_code == 200
    answer(sam, f"/staff/chats/{data['public_id']}", "And this.")
    let_pass(database, 11)
    (mail,) = mails_to(database, email)
    assert "And this." in mail["text"]
    assert "Here you are." not in mail["text"]


def test_the_mail_holds_no_word_of_whoever_typed_the_address(
    new_client: Callable[[], FlaskClient], sam: FlaskClient, database: Database
) -> None:
    """Mail to a third party never carries a stranger's text (attack 17)."""
    email = new_email()
    start(new_client(), email=email, fullName="Win at casino.example", message="Visit casino.example")
    answer(sam, chat_at_desk(sam, email), "Hello")
    let_pass(database, 11)
    assert "casino" not in str(mails_to(database, email))


def test_the_link_opens_the_conversation_in_another_browser_once(
    client: FlaskClient,
    new_client: Callable[[], FlaskClient],
    sam: FlaskClient,
    database: Database,
    left: tuple[str, str],
) -> None:
    email, chat = left
    answer(sam, chat, "Copy the key again.")
    let_pass(database, 11)
    link = link_in(mails_to(database, email)[0])
    for _ in range(3):
        seen = new_client().get(link)
        assert (seen.status_code, "Set-Cookie" in seen.headers) == (200, False)
        assert "My secret question" not in read_page(link, seen).text
    phone, thief = new_client(), new_client()
    form = {"csrf_token": field_of(phone.get(link).get_data(as_text=True), "csrf_token", link)}
    opened = phone.post(link, data=form)
    assert (opened.status_code, opened.headers["Location"]) == (303, "/support#newest")
    assert all_lines(phone) == ["My secret question", "Copy the key again."]
    assert say(phone, "Thank you").status_code == 303
    assert all_lines(client)[-1] == "Thank you", "the first browser holds its conversation still"
    assert thief.post(link, data=form).status_code == 404
    again = thief.get(link)
    assert again.status_code == 404
    assert "This link has ended" in read_page(link, again).text


def test_a_link_ends_after_a_week(
    new_client: Callable[[], FlaskClient], sam: FlaskClient, database: Database, left: tuple[str, str]
) -> None:
    email, chat = left
    answer(sam, chat, "Copy the key again.")
    let_pass(database, 11)
    link = link_in(mails_to(database, email)[0])
    visitor = new_client()
    form = {"csrf_token": field_of(visitor.get(link).get_data(as_text=True), "csrf_token", link)}
    links = table_of(GuestToken)
    with database.transaction() as session:
        past = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
        session.connection().execute(update(links).where(links.c.link_hash.is_not(None)).values(link_expires_at=past))
    assert visitor.get(link).status_code == visitor.post(link, data=form).status_code == 404


def test_a_guessed_link_and_the_button_of_another_link_open_nothing(
    new_client: Callable[[], FlaskClient], sam: FlaskClient, database: Database, left: tuple[str, str]
) -> None:
    email, chat = left
    answer(sam, chat, "Copy the key again.")
    let_pass(database, 11)
    link = link_in(mails_to(database, email)[0])
    mallory = new_client()
    token = field_of(mallory.get(link).get_data(as_text=True), "csrf_token", link)
    for path in (link[:-1], f"{link}x", "/support/resume/é", "/support/resume/" + "x" * 3000):
        assert mallory.get(path).status_code == 404
        assert mallory.post(path, data={"csrf_token": token}).status_code in {400, 404}
    assert mallory.post(link, data={"csrf_token": "x"}).status_code == 400
    assert mallory.post(link, data={"csrf_token": token}, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 400
    assert "slipway_chat" not in str(mallory.get("/support").headers)


def test_the_browser_that_has_the_conversation_needs_no_link(
    client: FlaskClient, sam: FlaskClient, database: Database, left: tuple[str, str]
) -> None:
    email, chat = left
    answer(sam, chat, "Copy the key again.")
    let_pass(database, 11)
    link = link_in(mails_to(database, email)[0])
    assert client.get(link).headers["Location"] == "/support#newest"


def test_a_visitor_who_is_forgotten_gets_no_mail(
    client: FlaskClient, sam: FlaskClient, database: Database, left: tuple[str, str]
) -> None:
    email, chat = left
    answer(sam, chat, "Copy the key again.")
    fill_in(client, "/support/forget")
    let_pass(database, 11)
    assert mails_to(database, email) == []
