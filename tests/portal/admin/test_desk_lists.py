"""The desk's lists: nobody vanishes from them, however many there are (attack 37)."""

from __future__ import annotations

import datetime as dt
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask.testing import FlaskClient

from portal.core.database import Database
from portal.core.session import TenantSession
from portal.leads.service import Inquiry, receive_inquiry
from portal.support.service import Introduction, answer_as_staff, post_as_guest, start_conversation
from portal.tenancy.service import find_house
from tests.conftest import SECRET
from tests.lint import Page, read_page
from tests.portal.people import new_email

CROWD = 101


@contextmanager
def in_house(database: Database) -> Iterator[TenantSession]:
    with database.transaction() as session:
        tenant = find_house(session)
        session.bind_tenant(tenant.id, tenant.clock)
        yield session


def crowd_of_chats(session: TenantSession, word: str) -> None:
    for number in range(CROWD):
        said = {"fullName": f"{word} {number:03}", "email": new_email(), "message": f"Question {number:03}"}
        start_conversation(session, SECRET, Introduction(**said))


def crowd_of_leads(session: TenantSession, word: str, text: str = "Hello") -> None:
    for number in range(CROWD):
        said = {"name": f"{word} {number:03}", "email": new_email(), "message": text}
        receive_inquiry(session, Inquiry(**said))


def crowd_in_quarantine(session: TenantSession, word: str) -> None:
    crowd_of_leads(session, word, "https://a.example https://b.example https://c.example")


def figures(sam: FlaskClient) -> dict[str, int]:
    page = sam.get("/staff").get_data(as_text=True)
    return {name: int(count) for name, count in re.findall(r"<dt>([^<]+)</dt><dd>(\d+)", page)}


def walk(sam: FlaskClient, word: str, name: str) -> list[Page]:
    """Every page of one list, by its Next links."""
    pages, path = [], f"/staff?q={word}"
    while path:
        pages.append(read_page(path, sam.get(path)))
        onward = [link for link in pages[-1].find_all("a", rel="next") if link.get("href", "").endswith(f"#{name}")]
        path = onward[0].get("href", "").partition("#")[0] if onward else ""
    return pages


@pytest.mark.parametrize(
    ("name", "figure", "fill"),
    [
        ("chats", "Chats waiting", crowd_of_chats),
        ("leads", "New leads", crowd_of_leads),
        ("quarantine", "In quarantine", crowd_in_quarantine),
    ],
    ids=["chats", "leads", "quarantine"],
)
def test_the_hundred_and_first_is_counted_and_reached(
    sam: FlaskClient, database: Database, name: str, figure: str, fill: Callable[[TenantSession, str], None]
) -> None:
    word, before = f"Crowd{secrets.token_hex(4)}", figures(sam)[figure]
    with in_house(database) as session:
        fill(session, word)
    assert figures(sam)[figure] == before + CROWD
    pages = walk(sam, word, name)
    assert len(pages) == 3
    found = [number for page in pages for number in re.findall(rf"<bdi>{word} (\d+)</bdi>", page.html)]
    assert sorted(found) == [f"{number:03}" for number in range(CROWD)]
    assert f'<h2 id="{name}">' in pages[0].html
    assert f">{CROWD}</span>" in pages[0].html


def test_who_has_waited_longest_comes_first(sam: FlaskClient, database: Database) -> None:
    """A further message pushes nobody back, and chats replied to come after all that wait."""
    word, hour = f"Queue{secrets.token_hex(4)}", dt.timedelta(hours=1)
    with in_house(database) as session:
        for number, name in enumerate(("Replied", "Second", "First")):
            said = {"fullName": f"{word} {name}", "email": new_email(), "message": "Hello"}
            chat = start_conversation(session, SECRET, Introduction(**said)).conversation
            chat.waiting_since = chat.last_message_at - number * hour
            if name == "Replied":
                answer_as_staff(session, chat, "Here you are")
            if name == "First":
                post_as_guest(session, chat, "And one more thing")
    html = sam.get(f"/staff?q={word}").get_data(as_text=True)
    assert re.findall(rf"{word} (\w+)</bdi>", html) == ["First", "Second", "Replied"]


def test_a_chat_shows_its_first_words_and_how_long_it_waits(sam: FlaskClient, database: Database) -> None:
    word = f"Words{secrets.token_hex(4)}"
    with in_house(database) as session:
        said = {"fullName": word, "email": new_email(), "message": "The import stops at row 12."}
        started = start_conversation(session, SECRET, Introduction(**said))
        since = started.conversation.waiting_since
        assert since is not None
        started.conversation.waiting_since = since.replace(year=since.year - 1)
    html = sam.get(f"/staff?q={word}").get_data(as_text=True)
    assert "The import stops at row 12." in html
    assert re.search(r'waits <time datetime="[^"]+">36[56] days</time>', html)


@pytest.mark.parametrize("by", ["name", "email", "text"])
def test_chats_leads_and_quarantine_are_found_by_name_email_and_text_whatever_its_case(
    sam: FlaskClient, new_client: Callable[[], FlaskClient], by: str
) -> None:
    word = f"Özil{secrets.token_hex(4)}"
    email = f"{secrets.token_hex(6)}@example.com" if by == "email" else new_email()
    said = {"name": "Jane", "email": email, "message": "Hello"}
    if by != "email":
        said[{"name": "name", "text": "message"}[by]] = word
    lead = new_client().post("/api/public/leads", json=said).get_json()["data"]["public_id"]
    chat_body = {"fullName": said["name"], "email": said["email"], "message": said["message"]}
    chat = new_client().post("/api/v1/support/guest", json=chat_body).get_json()["data"]["public_id"]
    spam = said | {"message": f"{said['message']} https://a.example https://b.example https://c.example"}
    suspicious = new_client().post("/api/public/leads", json=spam).get_json()["data"]["public_id"]
    wanted = (email if by == "email" else word).upper()
    html = sam.get("/staff", query_string={"q": wanted}).get_data(as_text=True)
    assert all(public_id in html for public_id in (lead, chat, suspicious))
    nothing = sam.get("/staff", query_string={"q": f"{word}%_"}).get_data(as_text=True)
    assert not any(public_id in nothing for public_id in (lead, chat, suspicious))


@pytest.mark.parametrize(
    "query", ["chats=0", "chats=-1", "chats=x", "chats=9999999999999", "leads=7&q=%00", "q=%F0%9F"]
)
def test_an_odd_page_or_search_is_an_ordinary_page(sam: FlaskClient, query: str) -> None:
    read_page("/staff", sam.get(f"/staff?{query}"))


def test_the_list_is_read_again_by_a_link_and_by_a_script(sam: FlaskClient) -> None:
    page = read_page("/staff", sam.get("/staff?q=x&chats=2"))
    assert [link.get("href") for link in page.find_all("a") if link.text == "Refresh"] == ["/staff?q=x&chats=2"]
    assert page.find_all("div", id="desk-lists", data_refresh="15")
