"""The chat as a page and as a panel, without scripts."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.limits import CHATS_BY_EMAIL
from tests.lint import Page
from tests.portal.limiting import email_key, use_up
from tests.portal.people import field_of, fill_in, new_email
from tests.portal.support.chatting import answer, chat_at_desk, say, start, texts


def test_no_cookie_comes_before_the_first_message(visit: Callable[..., Page], client: FlaskClient) -> None:
    for path in ("/support", "/support/panel"):
        assert "Set-Cookie" not in client.get(path).headers
    page = visit("/support")
    assert "Start conversation" in page.text
    assert page.response.headers["Cache-Control"] == "no-store"
    cookies = start(client).headers.getlist("Set-Cookie")
    assert len(cookies) == 1
    assert "HttpOnly" in cookies[0]


def test_the_panel_is_a_block_and_so_is_what_a_script_asks_for(client: FlaskClient) -> None:
    start(client)
    for answered in (client.get("/support/panel"), client.get("/support", headers={"X-Partial": "1"})):
        html = answered.get_data(as_text=True)
        assert html.lstrip().startswith('<section id="conversation"')
        assert "data-messages" in html
        assert 'data-poll="5"' in html
        assert "<html" not in html


def test_staff_answer_and_the_visitor_sees_it_in_the_same_browser(
    client: FlaskClient, visit: Callable[..., Page], sam: FlaskClient
) -> None:
    email = new_email()
    assert start(client, email=email).status_code == 303
    chat = chat_at_desk(sam, email)
    assert answer(sam, chat, "Copy the key again.").status_code == 303
    page = visit("/support")
    assert "Copy the key again." in page.text
    assert "Support" in page.text
    say(client, "That was it.")
    assert texts(client) == ["My call answers 401.", "Copy the key again.", "That was it."]
    assert "That was it." in sam.get(chat).get_data(as_text=True)


def test_another_browser_sees_nothing_of_it(client: FlaskClient, new_client: Callable[[], FlaskClient]) -> None:
    email = new_email()
    start(client, email=email, message="My secret")
    other = new_client()
    start(other, email=email, message="Hello")
    assert texts(other) == ["Hello"]


def test_a_double_click_on_start_begins_one_conversation(client: FlaskClient, sam: FlaskClient) -> None:
    email = new_email()
    token = field_of(client.get("/support").get_data(as_text=True), "csrf_token", "/support")
    twins = [start(client, email=email, csrf_token=token, message="Once") for _ in range(2)]
    assert [twin.status_code for twin in twins] == [303, 303]
    assert texts(client) == ["Once"]
    assert sam.get(f"/staff?q={email}").get_data(as_text=True).count(f"<bdi>{email}</bdi>") == 1


def test_the_start_form_sent_twice_before_any_answer_came_is_one_conversation(
    new_client: Callable[[], FlaskClient], sam: FlaskClient
) -> None:
    email, first, second = new_email(), new_client(), new_client()
    token = field_of(first.get("/support").get_data(as_text=True), "csrf_token", "/support")
    start(first, email=email, csrf_token=token, message="Once")
    start(second, email=email, csrf_token=token, message="And this")
    assert texts(second) == ["Once", "And this"]
    assert sam.get(f"/staff?q={email}").get_data(as_text=True).count(f"<bdi>{email}</bdi>") == 1


def test_a_second_start_form_joins_the_running_conversation(client: FlaskClient) -> None:
    token = field_of(client.get("/support").get_data(as_text=True), "csrf_token", "/support")
    start(client, message="From the first tab")
    start(client, message="From the second tab", csrf_token=token)
    assert texts(client) == ["From the first tab", "From the second tab"]


def test_a_double_click_on_send_is_one_message(client: FlaskClient) -> None:
    start(client)
    html = client.get("/support").get_data(as_text=True)
    fields = {name: field_of(html, name, "/support/messages") for name in ("csrf_token", "client_msg_id")}
    for _ in range(3):
        assert client.post("/support/messages", data=fields | {"message": "Hello"}).status_code == 303
    assert texts(client) == ["My call answers 401.", "Hello"]


def test_script_in_a_message_is_text_everywhere(client: FlaskClient, sam: FlaskClient) -> None:
    email, script = new_email(), "<script>alert(1)</script>"
    start(client, email=email, fullName=script, message=script)
    chat = chat_at_desk(sam, email)
    for html in (
        page.get_data(as_text=True) for page in (client.get("/support"), sam.get(f"/staff?q={email}"), sam.get(chat))
    ):
        assert "<script>alert" not in html
        assert "&lt;script&gt;alert(1)" in html


def test_what_is_wrong_stands_beside_the_field_and_the_text_is_kept(client: FlaskClient) -> None:
    refused = start(client, fullName="", email="jane@", message="Kept")
    html = refused.get_data(as_text=True)
    assert refused.status_code == 400
    assert "Name is required" in html
    assert "Kept" in html
    assert "Set-Cookie" not in refused.headers
    start(client)
    assert say(client, "", client_msg_id="1").status_code == 400


@pytest.mark.parametrize("path", ["/support", "/support/messages", "/support/close"])
def test_a_form_without_its_token_does_nothing(client: FlaskClient, path: str) -> None:
    start(client)
    fields = {"fullName": "Jane", "email": new_email(), "message": "Forged", "client_msg_id": "1"}
    assert client.post(path, data=fields).status_code == 400
    assert texts(client) == ["My call answers 401."]


def test_a_token_shown_to_one_guest_is_worth_nothing_to_another(
    client: FlaskClient, new_client: Callable[[], FlaskClient]
) -> None:
    mallory = new_client()
    start(client)
    start(mallory)
    token = field_of(mallory.get("/support").get_data(as_text=True), "csrf_token", "/support/messages")
    assert say(client, "Forged", csrf_token=token).status_code == 400


def test_another_site_cannot_write_for_the_guest(client: FlaskClient) -> None:
    start(client)
    token = field_of(client.get("/support").get_data(as_text=True), "csrf_token", "/support/messages")
    fields = {"csrf_token": token, "message": "Forged", "client_msg_id": "1"}
    refused = client.post("/support/messages", data=fields, headers={"Sec-Fetch-Site": "cross-site"})
    assert refused.status_code == 400
    assert texts(client) == ["My call answers 401."]


def test_posting_without_a_conversation_is_not_found(client: FlaskClient) -> None:
    assert client.post("/support/messages", data={"message": "x", "client_msg_id": "1"}).status_code == 404


def test_the_guest_closes_and_may_start_anew(client: FlaskClient, visit: Callable[..., Page]) -> None:
    start(client, message="Old")
    assert fill_in(client, "/support", "/support/close").status_code == 303
    page = visit("/support")
    assert "This conversation is closed" in page.text
    assert "Start conversation" in page.text
    assert "Jane Smith" in page.html
    start(client, message="New")
    assert texts(client) == ["New"]


def test_a_message_typed_before_the_close_moves_to_the_form_for_a_new_conversation(client: FlaskClient) -> None:
    start(client)
    html = client.get("/support").get_data(as_text=True)
    token = field_of(html, "csrf_token", "/support/messages")
    fill_in(client, "/support", "/support/close")
    late = client.post("/support/messages", data={"csrf_token": token, "message": "Too late", "client_msg_id": "1"})
    assert late.status_code == 409
    assert "Too late" in late.get_data(as_text=True)
    assert "Start conversation" in late.get_data(as_text=True)


def test_what_support_closed_the_guest_opens_again_by_writing(
    client: FlaskClient, visit: Callable[..., Page], sam: FlaskClient
) -> None:
    email = new_email()
    start(client, email=email)
    chat = chat_at_desk(sam, email)
    assert fill_in(sam, chat, f"{chat}/close").status_code == 303
    assert "Support closed this conversation" in visit("/support").text
    assert say(client, "Still broken").status_code == 303
    assert texts(client) == ["My call answers 401.", "Closed by support.", "Open again.", "Still broken"]
    assert "Waits for a reply" in sam.get(chat).get_data(as_text=True)


def test_too_many_chats_say_until_when_to_wait_name_another_way_and_keep_the_text(
    client: FlaskClient, app: Flask, address: str
) -> None:
    email = new_email()
    use_up(app, CHATS_BY_EMAIL, f"{email_key(app, email)} {address}")
    refused = start(client, email=email, message="Kept all the same")
    html = refused.get_data(as_text=True)
    assert refused.status_code == 429
    assert re.search(r"Try again at \d\d:\d\d UTC", html)
    assert "write to support@slipway.example" in html
    assert "Kept all the same" in html


def test_a_stale_cookie_shows_the_start_form(client: FlaskClient, visit: Callable[..., Page]) -> None:
    client.set_cookie("slipway_chat", "gst_" + "0" * 40)
    assert "Start conversation" in visit("/support").text


def test_looking_for_answers_works_without_scripts(client: FlaskClient, visit: Callable[..., Page]) -> None:
    """A link to where one already is would only scroll; a form without a fragment asks the server again."""
    start(client)
    forms = [form.get("action") for form in visit("/support").find_all("form", method="get")]
    assert "/support" in forms
