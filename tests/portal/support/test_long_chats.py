"""A long chat opens at its newest lines, and looking for news costs what is new."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from portal.core.database import Database
from portal.support.service import find_conversation, post_as_guest
from portal.tenancy.service import find_house
from tests.lint import read_page
from tests.portal.people import new_email
from tests.portal.support.chatting import answer, chat_at_desk, start, texts

MANY = 500


@pytest.fixture
def long_chat(client: FlaskClient, sam: FlaskClient, database: Database) -> str:
    """Jane's chat of MANY lines, at the desk."""
    email = new_email()
    start(client, email=email, message="Line 1")
    chat = chat_at_desk(sam, email)
    with database.transaction() as session:
        session.bind_tenant(find_house(session).id)
        conversation = find_conversation(session, chat.rpartition("/")[2])
        for number in range(2, MANY + 1):
            post_as_guest(session, conversation, f"Line {number}")
    return chat


@pytest.mark.parametrize("side", ["visitor", "staff"])
def test_a_chat_of_500_lines_opens_at_the_last_fifty_and_leads_to_all(
    client: FlaskClient, sam: FlaskClient, long_chat: str, side: str
) -> None:
    who, path = {"visitor": (client, "/support"), "staff": (sam, long_chat)}[side]
    seen, pages = list[str](), 0
    while path:
        page = read_page(path, who.get(path))
        seen = texts(who, path) + seen
        older = [link.get("href", "") for link in page.find_all("a") if link.get("data-older") is not None]
        assert len(texts(who, path)) == 50
        path, pages = (older[0] if older else ""), pages + 1
    assert (seen, pages) == ([f"Line {number}" for number in range(1, MANY + 1)], MANY // 50)


@pytest.mark.parametrize("side", ["visitor", "staff"])
def test_a_look_for_news_brings_only_what_is_new(
    client: FlaskClient, sam: FlaskClient, long_chat: str, side: str
) -> None:
    who, source = {"visitor": (client, "/support/panel"), "staff": (sam, long_chat)}[side]
    block = who.get(source, headers={"X-Partial": "1"}).get_data(as_text=True)
    assert f'data-source="{source}"' in block
    last = max(map(int, re.findall(r'data-message="m(\d+)"', block)))
    news = who.get(f"{source}?after={last}", headers={"X-Partial": "1"}).get_data(as_text=True)
    assert (texts(who, f"{source}?after={last}") if side == "visitor" else 'class="message-text"' in news) in (
        [],
        False,
    )
    assert len(news) < 1000
    answer(sam, long_chat, "Here you are")
    news = who.get(f"{source}?after={last}", headers={"X-Partial": "1"}).get_data(as_text=True)
    assert re.findall(r'class="message-text">(.*?)</p>', news) == ["Here you are"]
    assert ("Support has replied" if side == "visitor" else "Replied") in news


@pytest.mark.parametrize("query", ["after=x", "after=-1", "after=9999999999", "before=0", "before=-3", "before=x"])
def test_an_odd_cursor_is_an_ordinary_page(client: FlaskClient, sam: FlaskClient, query: str) -> None:
    email = new_email()
    start(client, email=email)
    for who, path in ((client, "/support"), (client, "/support/panel"), (sam, chat_at_desk(sam, email))):
        assert who.get(f"{path}?{query}").status_code == 200


def test_what_the_page_says_of_the_state_is_true_after_a_reply_and_a_close(
    client: FlaskClient, sam: FlaskClient
) -> None:
    """Each look at the news brings the state, also when no message came."""
    email = new_email()
    start(client, email=email)
    chat = chat_at_desk(sam, email)
    assert "Your message is with us" in client.get("/support/panel?after=1").get_data(as_text=True)
    answer(sam, chat, "Here you are")
    news = client.get("/support/panel?after=2").get_data(as_text=True)
    assert "Your message is with us" not in news
    token = re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', sam.get(chat).get_data(as_text=True))[-1]
    sam.post(f"{chat}/close", data={"csrf_token": token})
    news = client.get("/support/panel?after=3").get_data(as_text=True)
    assert "Support closed this conversation" in news
    assert 'data-state="reply"' in news
