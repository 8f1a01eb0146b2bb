"""Who wrote: staff by name, a signed-in member by the account, anybody else by what they typed."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient

from tests.lint import read_page
from tests.portal.people import invite_staff, new_email, sign_up, use_link
from tests.portal.support.chatting import answer, chat_at_desk, say, start


def test_the_visitor_sees_which_colleague_replied_and_so_does_the_desk(
    app: Flask, client: FlaskClient, sam: FlaskClient, new_client: Callable[[], FlaskClient]
) -> None:
    email, robin = new_email(), new_client()
    use_link(robin, invite_staff(app, new_email("robin")))
    start(client, email=email)
    chat = chat_at_desk(sam, email)
    answer(sam, chat, "From Sam")
    answer(robin, chat, "From Robin")
    for who, path in ((client, "/support"), (sam, chat)):
        page = read_page(path, who.get(path))
        authors = ["".join(one.itertext()) for one in page.find_all("bdi", class_="message-author")]
        assert [name.partition("-")[0] for name in authors[1:]] == ["sam", "robin"]


def test_the_api_names_the_author_of_a_staff_message_only(
    sam: FlaskClient, new_client: Callable[[], FlaskClient]
) -> None:
    client, base = new_client(), "/api/v1/support/guest"
    data = client.post(base, json={"fullName": "Jane", "email": new_email(), "message": "Hello"}).get_json()["data"]
    answer(sam, f"/staff/chats/{data['public_id']}", "From Sam")
    headers = {"Authorization": f"Bearer {data['guest_token']}"}
    lines = client.get(f"{base}/{data['public_id']}/events", headers=headers).get_json()["data"]["events"]
    assert lines[0]["author_name"] is None
    assert lines[1]["author_name"].startswith("sam-")


def test_the_desk_shows_a_signed_in_members_account_beside_what_was_typed(
    client: FlaskClient, sam: FlaskClient
) -> None:
    account, typed = new_email("account"), new_email("typed")
    sign_up(client, account, name="Alice Archer")
    start(client, fullName="Somebody Else", email=typed)
    chat = chat_at_desk(sam, typed)
    page = read_page(chat, sam.get(chat))
    assert "Signed-in member" in page.text
    assert account in page.text
    assert "Alice Archer" in page.text
    assert "prove nothing" not in page.text


def test_who_signs_in_later_is_known_from_the_next_message_on(client: FlaskClient, sam: FlaskClient) -> None:
    account, typed = new_email("account"), new_email("typed")
    start(client, email=typed)
    chat = chat_at_desk(sam, typed)
    assert "prove nothing" in sam.get(chat).get_data(as_text=True)
    sign_up(client, account)
    say(client, "Signed in now")
    assert account in sam.get(chat).get_data(as_text=True)
