"""Staff are told of what waits, and nobody gets fifty mails."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from portal.admin.models import StaffNotice
from portal.admin.service import News, notify_staff, withdraw_notice
from portal.core.database import Database
from portal.core.jobs import Job
from portal.core.ownership import table_of
from portal.tenancy.service import find_house
from tests.portal.mails import forget_notices, let_pass, mails_to, work
from tests.portal.people import fill_in, new_email
from tests.portal.support.chatting import answer, chat_at_desk, say, start

DESK = "support@slipway.example"


@pytest.fixture
def quiet(database: Database) -> None:
    """No mail went to the desk lately, and none is due."""
    forget_notices(database)


def told(database: Database, word: str, address: str = DESK) -> list[dict[str, str]]:
    return [mail for mail in mails_to(database, address) if word in mail["text"]]


def tell(database: Database, address: str, subject: str, *, can_wait: bool = False) -> None:
    with database.transaction() as session:
        session.bind_tenant(find_house(session).id)
        news = News(subject, f"Inquiry {subject}", "Words", f"/staff/leads/{subject}", "jane@example.com")
        notify_staff(session, address, news, can_wait=can_wait)


@pytest.mark.usefixtures("quiet")
def test_a_first_chat_is_told_at_once_with_a_link_and_an_address_to_reply_to(
    client: FlaskClient, database: Database
) -> None:
    email = new_email()
    start(client, email=email, message="My import stops")
    work(database)
    (mail,) = told(database, email)
    assert re.search(r"http://localhost:8000/staff/chats/cnv_\w+", mail["text"])
    assert "My import stops" in mail["text"]
    assert mail["reply_to"] == email


@pytest.mark.usefixtures("quiet")
def test_a_later_message_that_waits_is_told_and_one_that_was_replied_to_is_not(
    client: FlaskClient, new_client: Callable[[], FlaskClient], sam: FlaskClient, database: Database
) -> None:
    waiting, served = new_email("waiting"), new_email("served")
    other = new_client()
    for who, email in ((client, waiting), (other, served)):
        start(who, email=email)
    let_pass(database, 30)
    for who, email in ((client, waiting), (other, served)):
        answer(sam, chat_at_desk(sam, email), "Hello")
        assert say(who, f"And more of {email}", client_msg_id="later").status_code == 303
    answer(sam, chat_at_desk(sam, served), "There you are")
    let_pass(database, 9)
    assert told(database, f"And more of {waiting}") == []
    let_pass(database, 30)
    assert len(told(database, f"And more of {waiting}")) == 1
    assert told(database, f"And more of {served}") == []


def test_fifty_notices_are_one_mail_now_and_one_ten_minutes_later(database: Database) -> None:
    address = new_email("desk")
    for number in range(50):
        tell(database, address, f"led_{number:024}")
        work(database)
    assert len(mails_to(database, address)) == 1
    let_pass(database, 10)
    first, rest = mails_to(database, address)
    assert first["subject"] == f"Inquiry led_{0:024}"
    assert rest["subject"] == "49 things wait at the desk"
    assert len(re.findall(r"http://localhost:8000/staff/leads/led_", rest["text"])) == 49
    let_pass(database, 60)
    assert len(mails_to(database, address)) == 2


def test_a_notice_whose_job_was_lost_goes_with_the_next_one(database: Database) -> None:
    address = new_email("desk")
    tell(database, address, "led_orphan", can_wait=True)
    with database.transaction() as session:
        session.execute(update(Job).where(Job.kind == "staff.mail_notices", Job.status == "due").values(status="dead"))
        early = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
        session.connection().execute(update(table_of(StaffNotice)).values(created_at=early))
    tell(database, address, "led_next", can_wait=True)
    let_pass(database, 11)
    (mail,) = mails_to(database, address)
    assert "led_orphan" in mail["text"]
    assert "led_next" in mail["text"]


def test_many_messages_of_one_chat_are_one_notice_with_their_number(database: Database) -> None:
    address = new_email("desk")
    for _ in range(7):
        tell(database, address, "cnv_1", can_wait=True)
    let_pass(database, 11)
    (mail,) = mails_to(database, address)
    assert "(7 messages)" in mail["text"]


def test_what_was_dealt_with_in_time_is_not_mailed(database: Database) -> None:
    address = new_email("desk")
    tell(database, address, "led_dealt", can_wait=True)
    with database.transaction() as session:
        session.bind_tenant(find_house(session).id)
        withdraw_notice(session, "led_dealt")
    let_pass(database, 60)
    assert mails_to(database, address) == []


@pytest.mark.usefixtures("quiet")
def test_what_goes_to_quarantine_is_told_unless_somebody_looked_at_it(
    new_client: Callable[[], FlaskClient], sam: FlaskClient, database: Database
) -> None:
    spam = "https://a.example https://b.example https://c.example"
    held, seen = new_email("held"), new_email("seen")
    for email in (held, seen):
        body = {"name": "Jane", "email": email, "message": spam}
        receipt = new_client().post("/api/public/leads", json=body).get_json()["data"]["public_id"]
    fill_in(sam, f"/staff/leads/{receipt}", f"/staff/inquiries/{receipt}/spam")
    work(database)
    assert told(database, held) == []
    let_pass(database, 11)
    (mail,) = told(database, held)
    assert "In quarantine: inquiry from Jane" in mail["text"]
    assert told(database, seen) == []


@pytest.mark.usefixtures("quiet")
def test_hebrew_in_a_mail_leaves_its_line_in_order(client: FlaskClient, database: Database) -> None:
    email = new_email()
    start(client, email=email, fullName="דנה כהן")
    let_pass(database, 30)
    (mail,) = told(database, email)
    assert "\u2068" in mail["text"].splitlines()[0]
    fill_in(client, "/support", "/support/close")
