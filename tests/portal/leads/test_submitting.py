"""The public operation: what visitors of a website send."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.core.database import Database
from portal.core.events import Event
from portal.core.jobs import Job
from portal.leads.models import LeadTouch
from sandbox.tenants import NewSandbox
from tests.conftest import Integration
from tests.portal.mails import forget_notices, let_pass, mails_to
from tests.portal.people import new_email

SEED = {
    "source": "website",
    "name": "Jane Smith",
    "email": "jane@example.com",
    "phone": "9876543210",
    "message": "We would like a demo for four people.",
}


@pytest.fixture
def submit(client: FlaskClient, alices_sandbox: NewSandbox) -> Callable[..., Any]:
    """Send an inquiry to alice's sandbox."""
    key = alices_sandbox.tenant.publishable_id

    def send(**fields: Any) -> Any:
        body = {name: value for name, value in (SEED | fields).items() if value is not None}
        return client.post("/api/public/leads", json=body, headers={"X-Publishable-Key": key or ""})

    return send


def leads_of(alice: Integration, email: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = alice.get("/api/v2/leads", query_string={"search": email}).get_json()["data"]
    return found


def touches_of(database: Database, new: NewSandbox, email: str) -> list[LeadTouch]:
    with database.transaction(write=False) as session:
        session.bind_tenant(new.tenant.id)
        return list(session.scalars(select(LeadTouch).where(LeadTouch.email == email).order_by(LeadTouch.id)))


def test_an_inquiry_becomes_a_lead_with_first_and_last_name(submit: Any, alice: Integration) -> None:
    email = new_email()
    answer = submit(email=email, name="Mary  Ann Smith")
    assert answer.status_code == 201
    assert re.fullmatch(r"led_[0-9a-f]{24}", answer.get_json()["data"]["public_id"])
    (lead,) = leads_of(alice, email)
    assert (lead["first_name"], lead["last_name"], lead["status"]) == ("Mary Ann", "Smith", "New")
    assert lead["public_id"] == answer.get_json()["data"]["public_id"]
    assert alice.get(f"/api/v2/leads/{lead['public_id']}").get_json()["data"]["message"] == SEED["message"]


def test_one_name_is_enough(submit: Any, alice: Integration) -> None:
    email = new_email()
    assert submit(email=email, name="Cher").status_code == 201
    assert [(lead["first_name"], lead["last_name"]) for lead in leads_of(alice, email)] == [("Cher", "")]


def test_a_second_inquiry_joins_the_open_lead(
    submit: Any, alice: Integration, database: Database, alices_sandbox: NewSandbox
) -> None:
    email = new_email()
    submit(email=email)
    submit(email=email.upper(), message="And what does it cost?")
    assert len(leads_of(alice, email)) == 1
    touches = touches_of(database, alices_sandbox, email)
    assert [touch.message for touch in touches] == [SEED["message"], "And what does it cost?"]
    assert len({touch.lead_id for touch in touches}) == 1


def test_an_inquiry_after_the_lead_is_lost_begins_another(submit: Any, alice: Integration) -> None:
    email = new_email()
    submit(email=email)
    alice.patch(f"/api/v2/leads/{leads_of(alice, email)[0]['id']}", {"status": "Lost"})
    submit(email=email, message="I changed my mind.")
    assert sorted(lead["status"] for lead in leads_of(alice, email)) == ["Lost", "New"]


def test_the_answer_is_alike_for_a_known_and_an_unknown_address(submit: Any) -> None:
    email = new_email()
    unknown, known = submit(email=email), submit(email=email, message="Once more.")
    assert unknown.status_code == known.status_code == 201
    assert unknown.get_json()["data"]["public_id"] != known.get_json()["data"]["public_id"]
    texts = [re.sub(r"led_[0-9a-f]{24}", "led_", answer.get_data(as_text=True)) for answer in (unknown, known)]
    assert texts[0] == texts[1]
    assert set(dict(unknown.headers)) == set(dict(known.headers))


def test_the_answer_is_alike_for_a_suspicious_inquiry(
    submit: Any, alice: Integration, database: Database, alices_sandbox: NewSandbox
) -> None:
    good, bad = new_email(), new_email()
    texts = [
        re.sub(r"led_[0-9a-f]{24}", "led_", submit(email=email, message=message).get_data(as_text=True))
        for email, message in ((good, "Hello"), (bad, "https://a.example https://b.example https://c.example"))
    ]
    assert texts[0] == texts[1]
    assert leads_of(alice, bad) == []
    (touch,) = touches_of(database, alices_sandbox, bad)
    assert (touch.state, touch.reasons) == ("quarantined", ["many_links"])


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"name": "Buy at www.cheap.example"}, "link_in_name"),
        ({"message": "[url=x]pills[/url]"}, "markup"),
        ({"message": "<a href=x>pills</a>"}, "markup"),
    ],
)
def test_what_looks_like_spam_is_kept_with_the_reason(
    submit: Any, database: Database, alices_sandbox: NewSandbox, fields: dict[str, str], reason: str
) -> None:
    email = new_email()
    assert submit(email=email, **fields).status_code == 201
    assert [touch.reasons for touch in touches_of(database, alices_sandbox, email)] == [[reason]]


def test_one_text_from_many_addresses_goes_to_quarantine(
    submit: Any, database: Database, alices_sandbox: NewSandbox
) -> None:
    emails = [new_email() for _ in range(11)]
    for email in emails:
        submit(email=email, message="The very same offer for everybody.")
    states = [touches_of(database, alices_sandbox, email)[0].state for email in emails]
    assert states == ["accepted"] * 10 + ["quarantined"]


def test_a_suspicious_inquiry_leaves_the_clean_lead_alone(submit: Any, alice: Integration) -> None:
    email = new_email()
    submit(email=email, phone=None)
    submit(email=email, phone="111222333", message="<script>x</script>")
    assert [(lead["message"], lead["phone"]) for lead in leads_of(alice, email)] == [(SEED["message"], None)]


def test_twenty_times_the_same_is_one_inquiry(
    new_client: Callable[[], FlaskClient], alice: Integration, database: Database, alices_sandbox: NewSandbox
) -> None:
    email, answers = new_email(), []
    headers = {"X-Publishable-Key": alices_sandbox.tenant.publishable_id or ""}

    def send() -> None:
        answers.append(new_client().post("/api/public/leads", json=SEED | {"email": email}, headers=headers))

    threads = [threading.Thread(target=send) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.get_json()["data"]["public_id"] for answer in answers}) == 1
    assert len(touches_of(database, alices_sandbox, email)) == len(leads_of(alice, email)) == 1


def test_in_a_sandbox_everything_arrives(submit: Any, alice: Integration) -> None:
    """Nobody looks into a sandbox's quarantine, so how much somebody sends is no reason there."""
    email = new_email()
    answers = [submit(email=email, message=f"Message {number}") for number in range(8)]
    assert {answer.status_code for answer in answers} == {201}
    (lead,) = leads_of(alice, email)
    assert alice.get(f"/api/v2/leads/{lead['id']}/touches").get_json()["meta"]["total_records"] == 8


def test_every_bad_field_is_named_at_once(submit: Any, database: Database, alices_sandbox: NewSandbox) -> None:
    answer = submit(name="", email="jane@", phone="x", status="Converted", public_id="led_1")
    assert answer.status_code == 400
    assert set(answer.get_json()["errors"]) == {"name", "email", "phone", "status", "public_id"}


@pytest.mark.parametrize("text", ["a\x00b", "z" + "\u0301" * 10_000])
def test_characters_that_no_text_may_contain_are_rejected(submit: Any, text: str) -> None:
    answer = submit(email=new_email(), name=text, message=text[:4000])
    assert (answer.status_code, set(answer.get_json()["errors"])) == (400, {"name", "message"})


def test_a_line_break_reaches_no_mail_header_and_mail_goes_to_us_only(client: FlaskClient, database: Database) -> None:
    forget_notices(database)
    email = new_email()
    client.post("/api/public/leads", json=SEED | {"email": email, "name": "Jane\r\nBcc: all@example.org"})
    let_pass(database, 20)
    (mail,) = [mail for mail in mails_to(database, "support@slipway.example") if email in mail["text"]]
    assert mail["subject"] == "Inquiry from Jane Bcc: all@example.org"


def test_an_inquiry_to_a_sandbox_sends_no_mail(submit: Any, database: Database) -> None:
    email = new_email()
    submit(email=email)
    with database.transaction(write=False) as session:
        assert not [job for job in session.scalars(select(Job)) if email in str(job.payload)]


def test_events_tell_of_the_lead_and_its_touches(submit: Any, database: Database, alices_sandbox: NewSandbox) -> None:
    email = new_email()
    submit(email=email)
    submit(email=email, message="Again.")
    with database.transaction(write=False) as session:
        session.bind_tenant(alices_sandbox.tenant.id)
        events = [event for event in session.scalars(select(Event).order_by(Event.id)) if email in str(event.payload)]
    assert {event.type for event in events} == {"lead.created", "lead.touched"}
    assert all("id" not in event.payload for event in events)


def test_mallorys_leads_do_not_see_alices(submit: Any, mallory: Integration) -> None:
    email = new_email()
    receipt = submit(email=email).get_json()["data"]["public_id"]
    assert mallory.get(f"/api/v2/leads/{receipt}").status_code == 404
    assert leads_of(mallory, email) == []


def test_a_wrong_publishable_key_is_refused_and_never_falls_back_to_the_house(client: FlaskClient) -> None:
    answer = client.post("/api/public/leads", json=SEED, headers={"X-Publishable-Key": "pk_test_nobody"})
    assert answer.status_code == 401
