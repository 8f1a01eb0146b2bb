"""Staff are told at the desk that mail waits, because no worker lives, and how to start one (attack 38)."""

from __future__ import annotations

import datetime as dt

from flask.testing import FlaskClient
from sqlalchemy import delete, update

from portal.core.clock import system_now
from portal.core.database import Database
from portal.core.heartbeats import Heart, Heartbeat
from portal.core.jobs import Job
from portal.core.mail import queue_mail
from tests.lint import read_page
from tests.portal.people import new_email

WORDS = "Background processing has stopped"


def test_the_desk_tells_staff_how_to_start_a_worker(sam: FlaskClient, database: Database) -> None:
    with database.transaction() as session:
        session.execute(delete(Heartbeat))
        session.execute(update(Job).where(Job.status == "due").values(status="done"))
    assert WORDS not in desk(sam)
    with database.transaction() as session:
        queue_mail(session, new_email(), "Hello", "Hello")
        session.flush()
        overdue = system_now() - dt.timedelta(minutes=5)
        session.execute(update(Job).where(Job.status == "due").values(run_at=overdue))
    text = desk(sam)
    assert WORDS in text
    assert "a worker alone with flask --app wsgi worker" in text
    heart = Heart(database)
    heart.beat()
    assert WORDS not in desk(sam)
    with database.transaction() as session:
        session.execute(delete(Heartbeat))


def desk(sam: FlaskClient) -> str:
    return read_page("/staff", sam.get("/staff")).text
