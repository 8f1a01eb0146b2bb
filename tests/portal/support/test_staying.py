"""How long a browser keeps its conversation, and how a visitor has it forgotten."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from portal.core.database import Database
from portal.core.ownership import table_of
from portal.support.models import Conversation
from portal.tenancy.audit import list_acts
from portal.tenancy.service import find_house
from tests.lint import read_page
from tests.portal.mails import let_pass, mails_to
from tests.portal.people import fill_in, new_email
from tests.portal.support.chatting import all_lines, answer, chat_at_desk, say, start


def be_silent(database: Database, public_id: str, days: int) -> None:
    """Let a conversation's last visit and message lie so many days back."""
    row = table_of(Conversation)
    with database.transaction() as session:
        found = session.connection().execute(select(row).where(row.c.public_id == public_id)).one()
        back = {name: getattr(found, name) - dt.timedelta(days=days) for name in ("seen_at", "last_message_at")}
        session.connection().execute(update(row).where(row.c.public_id == public_id).values(**back))


def test_the_cookie_lives_for_30_days_of_silence_and_is_random_enough(client: FlaskClient) -> None:
    cookie = start(client).headers["Set-Cookie"]
    assert "Max-Age=2592000" in cookie
    assert re.search(r"slipway_chat=gst_[0-9a-f]{64};", cookie), "256 bits"
    for path in ("/support", "/support/panel", "/support/panel?after=1"):
        assert "Max-Age=2592000" in client.get(path).headers["Set-Cookie"], "each visit begins the days anew"


@pytest.mark.parametrize(("days", "is_known"), [(29, True), (30, False)])
def test_after_30_days_of_silence_the_cookie_opens_nothing(
    client: FlaskClient, sam: FlaskClient, database: Database, days: int, is_known: bool
) -> None:
    email = new_email()
    start(client, email=email, message="My question")
    public_id = chat_at_desk(sam, email).rpartition("/")[2]
    be_silent(database, public_id, days)
    assert (client.get(f"/api/v1/support/guest/{public_id}/events").status_code == 200) == is_known
    assert ("My question" in client.get("/support").get_data(as_text=True)) == is_known


def test_a_servers_token_outlives_the_silence(new_client: Callable[[], FlaskClient], database: Database) -> None:
    client, body = new_client(), {"fullName": "Jane", "email": new_email(), "message": "Hello"}
    data = client.post("/api/v1/support/guest", json=body).get_json()["data"]
    be_silent(database, data["public_id"], 90)
    headers = {"Authorization": f"Bearer {data['guest_token']}"}
    assert client.get(f"/api/v1/support/guest/{data['public_id']}/events", headers=headers).status_code == 200


def test_the_page_says_what_is_lost_before_anything_is(client: FlaskClient) -> None:
    start(client, message="Kept so far")
    links = read_page("/support", client.get("/support")).links
    assert "/support/forget" in links
    page = read_page("/support/forget", client.get("/support/forget"))
    assert "every message of the conversation" in page.text
    assert all_lines(client) == ["Kept so far"]
    assert client.post("/support/forget", data={}).status_code == 400
    assert all_lines(client) == ["Kept so far"]


def test_forgetting_takes_everything_personal_and_leaves_staff_a_trace(
    client: FlaskClient, sam: FlaskClient, database: Database
) -> None:
    email, name = new_email("forgotten"), "Hermine Unvergessen"
    start(client, email=email, fullName=name, phoneNumber="9876543210", message="I am Hermine")
    chat = chat_at_desk(sam, email)
    answer(sam, chat, "Dear Hermine")
    say(client, "Thank you for asking after Hermine")
    cookie = client.get_cookie("slipway_chat")
    assert cookie is not None
    done = fill_in(client, "/support/forget")
    assert (done.status_code, client.get_cookie("slipway_chat")) == (303, None)
    assert "Your chat is forgotten" in client.get(done.headers["Location"]).get_data(as_text=True)
    page = read_page(chat, sam.get(chat))
    assert "had it forgotten" in page.text
    assert not [word for word in ("Hermine", email, "9876543210") if word in page.html]
    assert "cnv_" not in sam.get(f"/staff?q={email}").get_data(as_text=True)
    client.set_cookie("slipway_chat", cookie.value)
    assert "Start conversation" in client.get("/support").get_data(as_text=True)
    let_pass(database, 30)
    assert not [mail for mail in mails_to(database, "support@slipway.example") if "asking after" in mail["text"]]
    with database.transaction(write=False) as session:
        session.bind_tenant(find_house(session).id)
        trail = str([row.changes for row in list_acts(session, limit=500)])
    assert not [word for word in ("Hermine", email, "9876543210") if word in trail]


def test_a_link_mailed_before_is_worth_nothing_after_forgetting(
    client: FlaskClient, sam: FlaskClient, database: Database, new_client: Callable[[], FlaskClient]
) -> None:
    email = new_email()
    start(client, email=email)
    answer(sam, chat_at_desk(sam, email), "Hello")
    let_pass(database, 11)
    link = re.findall(r"/support/resume/\S+", mails_to(database, email)[0]["text"])[0]
    fill_in(client, "/support/forget")
    assert new_client().get(link).status_code == 404


def test_staff_cannot_write_to_nobody(client: FlaskClient, sam: FlaskClient) -> None:
    email = new_email()
    start(client, email=email)
    chat = chat_at_desk(sam, email)
    html = sam.get(chat).get_data(as_text=True)
    fill_in(client, "/support/forget")
    token = re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', html)[0]
    assert (
        sam.post(f"{chat}/messages", data={"csrf_token": token, "message": "Hi", "client_msg_id": "1"}).status_code
        == 409
    )
    assert 'name="message"' not in sam.get(chat).get_data(as_text=True)
