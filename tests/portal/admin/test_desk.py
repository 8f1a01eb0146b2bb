"""The desk: for staff only, in the house only, and every act written down."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.core.database import Database
from portal.leads.models import Lead
from portal.tenancy.audit import list_acts
from portal.tenancy.models import Tenant
from sandbox.tenants import NewSandbox
from tests.lint import read_page
from tests.portal.people import field_of, fill_in, new_email, sign_up, who_is

SPAM = "https://a.example https://b.example https://c.example"


@pytest.fixture
def inquire(new_client: Callable[[], FlaskClient]) -> Callable[..., str]:
    """Leave an inquiry; gives its receipt."""

    def send(**fields: Any) -> str:
        body = {"name": "Jane Smith", "email": new_email(), "message": "Hello"} | fields
        receipt: str = new_client().post("/api/public/leads", json=body).get_json()["data"]["public_id"]
        return receipt

    return send


@pytest.fixture
def chat(new_client: Callable[[], FlaskClient]) -> str:
    """The desk's page about a chat just begun."""
    body = {"fullName": "Jane Smith", "email": new_email(), "message": "Hello"}
    data = new_client().post("/api/v1/support/guest", json=body).get_json()["data"]
    return f"/staff/chats/{data['public_id']}"


def acts(database: Database) -> list[tuple[str, str, str | None]]:
    with database.transaction(write=False) as session:
        session.bind_tenant(session.scalars(select(Tenant.id).where(Tenant.mode == "house")).one())
        return [(row.actor, row.action, row.subject) for row in list_acts(session, limit=100)]


def test_every_page_of_the_desk_is_sound(sam: FlaskClient, inquire: Any, chat: str) -> None:
    lead, suspicious = inquire(), inquire(message=SPAM)
    for path in ("/staff", f"/staff/leads/{lead}", f"/staff/leads/{suspicious}", chat):
        answer = sam.get(path)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        read_page(path, answer)


def test_strangers_guests_and_members_find_no_desk(
    client: FlaskClient, new_client: Callable[[], FlaskClient], inquire: Any, chat: str, sam: FlaskClient
) -> None:
    guest, member = new_client(), new_client()
    fill_in(guest, "/checklist", done="secure-tokens")
    sign_up(member, new_email())
    lead, suspicious = inquire(), inquire(message=SPAM)
    for visitor in (client, guest, member):
        for path in ("/staff", f"/staff/leads/{lead}", f"/staff/leads/{suspicious}", chat):
            assert visitor.get(path).status_code == 404
        unknown = visitor.get("/staff/chats/cnv_" + "0" * 24).get_data(as_text=True)
        known = visitor.get(chat).get_data(as_text=True)
        assert re.sub(r"req_\w+", "", known) == re.sub(r"req_\w+", "", unknown)
    token = field_of(member.get("/account").get_data(as_text=True), "csrf_token", "/account/password")
    fields = {"csrf_token": token, "message": "I am staff", "client_msg_id": "1", "status": "Lost"}
    for path in (
        f"{chat}/messages",
        f"{chat}/close",
        f"/staff/leads/{lead}/status",
        f"/staff/inquiries/{suspicious}/release",
        f"/staff/inquiries/{suspicious}/spam",
    ):
        assert member.post(path, data=fields).status_code == 404
    assert "I am staff" not in sam.get(chat).get_data(as_text=True)
    assert "In quarantine" in sam.get(f"/staff/leads/{suspicious}").get_data(as_text=True)


def test_a_form_of_the_desk_needs_its_token(sam: FlaskClient, chat: str, inquire: Any) -> None:
    suspicious = inquire(message=SPAM)
    for path in (f"{chat}/messages", f"{chat}/close", f"/staff/inquiries/{suspicious}/release"):
        assert sam.post(path, data={"message": "Forged", "client_msg_id": "1"}).status_code == 400
    assert "Forged" not in sam.get(chat).get_data(as_text=True)


def test_answering_and_closing_are_written_down(sam: FlaskClient, chat: str, database: Database) -> None:
    fill_in(sam, chat, f"{chat}/messages", message="Hello Jane", client_msg_id="1")
    fill_in(sam, chat, f"{chat}/close")
    actor = f"staff:{who_is(sam)}"
    public_id = chat.rpartition("/")[2]
    assert {(actor, "chats.answer", public_id), (actor, "chats.close", public_id)} <= set(acts(database))


def test_an_answer_sent_three_times_is_one(sam: FlaskClient, chat: str) -> None:
    for _ in range(3):
        fill_in(sam, chat, f"{chat}/messages", message="Hello Jane", client_msg_id="same")
    assert sam.get(chat).get_data(as_text=True).count("Hello Jane") == 1


def test_an_empty_answer_is_not_sent(sam: FlaskClient, chat: str) -> None:
    answer = fill_in(sam, chat, f"{chat}/messages", message="  ", client_msg_id="1")
    assert answer.status_code == 400
    assert 'aria-invalid="true"' in answer.get_data(as_text=True)


def test_a_released_inquiry_becomes_a_lead_once(sam: FlaskClient, inquire: Any, database: Database) -> None:
    email = new_email()
    receipt = inquire(email=email, message=SPAM)
    page, action = f"/staff/leads/{receipt}", f"/staff/inquiries/{receipt}/release"
    token = field_of(sam.get(page).get_data(as_text=True), "csrf_token", action)
    assert sam.post(action, data={"csrf_token": token}).status_code == 303
    assert sam.post(action, data={"csrf_token": token}).status_code == 409
    assert "In quarantine" not in sam.get(page).get_data(as_text=True)
    assert ("inquiries.release", receipt) in {(action, subject) for _, action, subject in acts(database)}


def test_a_released_inquiry_of_a_known_person_joins_their_lead(sam: FlaskClient, inquire: Any) -> None:
    email = new_email()
    lead, suspicious = inquire(email=email), inquire(email=email, message=SPAM)
    action = f"/staff/inquiries/{suspicious}/release"
    answer = fill_in(sam, f"/staff/leads/{suspicious}", action)
    assert answer.headers["Location"].endswith(lead)
    assert sam.get(f"/staff/leads/{suspicious}").headers["Location"].endswith(lead)
    assert SPAM in sam.get(f"/staff/leads/{lead}").get_data(as_text=True)


def test_spam_leaves_the_quarantine_and_stays_on_record(sam: FlaskClient, inquire: Any) -> None:
    email = new_email()
    receipt = inquire(email=email, message=SPAM)
    fill_in(sam, f"/staff/leads/{receipt}", f"/staff/inquiries/{receipt}/spam")
    assert receipt not in sam.get(f"/staff?q={email}").get_data(as_text=True)
    assert "Marked as spam" in sam.get(f"/staff/leads/{receipt}").get_data(as_text=True)


def test_a_leads_status_is_one_of_the_five(sam: FlaskClient, inquire: Any) -> None:
    page = f"/staff/leads/{inquire()}"
    fill_in(sam, page, f"{page}/status", status="Qualified")
    assert '<option selected value="Qualified">' in sam.get(page).get_data(as_text=True)
    fill_in(sam, page, f"{page}/status", status="Nonsense")
    assert '<option selected value="Qualified">' in sam.get(page).get_data(as_text=True)


def test_the_desk_does_not_show_a_sandboxs_chats_and_leads(
    client: FlaskClient, sam: FlaskClient, alices_sandbox: NewSandbox
) -> None:
    email, headers = new_email(), {"X-Publishable-Key": alices_sandbox.tenant.publishable_id or ""}
    body = {"name": "Jane", "email": email, "message": "Hello"}
    receipt = client.post("/api/public/leads", json=body, headers=headers).get_json()["data"]["public_id"]
    body = {"fullName": "Jane", "email": email, "message": "Hello"}
    started = client.post("/api/v1/support/guest", json=body, headers=headers).get_json()["data"]["public_id"]
    assert "cnv_" not in sam.get(f"/staff?q={email}").get_data(as_text=True)
    assert sam.get(f"/staff/leads/{receipt}").status_code == 404
    assert sam.get(f"/staff/chats/{started}").status_code == 404


@pytest.mark.parametrize("public_id", ["1", "led_" + "0" * 24, "cnv_1", "x" * 500, "%00"])
def test_an_unknown_number_is_not_found(sam: FlaskClient, public_id: str) -> None:
    assert sam.get(f"/staff/leads/{public_id}").status_code == 404
    assert sam.get(f"/staff/chats/{public_id}").status_code == 404


def test_converted_is_no_status_to_be_set_by_hand_at_the_desk(sam: FlaskClient, inquire: Any) -> None:
    page = f"/staff/leads/{inquire()}"
    assert 'value="Converted"' not in sam.get(page).get_data(as_text=True)
    answer = fill_in(sam, page, f"{page}/status", status="Converted")
    assert (answer.status_code, answer.headers["Location"]) == (303, page)
    html = sam.get(page).get_data(as_text=True)
    assert "Convert the lead to a customer" in html
    assert '<option selected value="New">' in html


def test_a_converted_lead_stays_converted_at_the_desk(sam: FlaskClient, inquire: Any, database: Database) -> None:
    receipt = inquire()
    with database.transaction() as session:
        session.bind_tenant(session.scalars(select(Tenant.id).where(Tenant.mode == "house")).one())
        session.scalars(select(Lead).where(Lead.public_id == receipt)).one().status = "Converted"
    page = f"/staff/leads/{receipt}"
    html = sam.get(page).get_data(as_text=True)
    assert f'action="{page}/status"' not in html
    token = field_of(sam.get("/account").get_data(as_text=True), "csrf_token", "/account/sign-out")
    sam.post(f"{page}/status", data={"csrf_token": token, "status": "Lost"})
    assert "Converted" in sam.get(page).get_data(as_text=True)
    assert sam.get(page).get_data(as_text=True).count("Lost") == 0
