"""Guest chat by API: whose a conversation is, and that no message is lost or doubled."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.core.database import Database
from portal.limits import CHATS_BY_EMAIL, MESSAGES_BY_GUEST, guest_proof, guest_token
from portal.support.models import Conversation
from sandbox.tenants import NewSandbox
from tests.portal.limiting import email_key, left_of, use_up
from tests.portal.mails import let_pass, mails_to
from tests.portal.people import new_email

BASE = "/api/v1/support/guest"
SEED = {"fullName": "Jane Smith", "phoneNumber": "9876543210", "message": "My call answers 401."}


@dataclass
class Guest:
    """Somebody's server, holding a token of one conversation."""

    client: FlaskClient
    public_id: str
    token: str

    def call(self, method: str, what: str, body: Any = None, token: str | None = None) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token if token is None else token}"}
        return self.client.open(f"{BASE}/{self.public_id}/{what}", method=method, json=body, headers=headers)

    def events(self, after: int = 0) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.call("GET", f"events?after={after}").get_json()["data"]["events"]
        return found

    def say(self, text: str, client_msg_id: str) -> TestResponse:
        return self.call("POST", "messages", {"message": text, "client_msg_id": client_msg_id})


@pytest.fixture
def start(new_client: Callable[[], FlaskClient]) -> Callable[..., Guest]:
    """Begin a conversation with the house."""

    def begin(**fields: Any) -> Guest:
        client = new_client()
        answer = client.post(BASE, json=SEED | {"email": new_email()} | fields)
        assert answer.status_code == 201, answer.get_json()
        data = answer.get_json()["data"]
        return Guest(client, data["public_id"], data["guest_token"])

    return begin


def test_a_conversation_begins_with_its_first_message(start: Callable[..., Guest]) -> None:
    guest = start(message="First\r\nline")
    assert guest.public_id.startswith("cnv_")
    assert guest.token.startswith("gst_")
    answer = guest.call("GET", "events").get_json()["data"]
    assert (answer["status"], answer["last_seq"]) == ("Open", 1)
    assert [(line["seq"], line["author"], line["text"]) for line in answer["events"]] == [(1, "guest", "First\nline")]


def test_the_token_stands_hashed_in_the_database(start: Callable[..., Guest], database: Database) -> None:
    guest = start()
    with database.transaction(write=False) as session:
        house = session.connection().exec_driver_sql("SELECT id FROM tenants WHERE mode = 'house'").scalar_one()
        session.bind_tenant(house)
        row = session.scalars(select(Conversation).where(Conversation.public_id == guest.public_id)).one()
    assert guest.token not in str(vars(row))
    assert len(row.token_hash) == 64


def test_messages_are_read_on_from_where_the_reader_was(start: Callable[..., Guest]) -> None:
    guest = start()
    for number in range(3):
        assert guest.say(f"Line {number}", f"m{number}").status_code == 201
    assert [line["seq"] for line in guest.events()] == [1, 2, 3, 4]
    assert [line["text"] for line in guest.events(after=2)] == ["Line 1", "Line 2"]
    assert guest.events(after=4) == guest.events(after=4000) == []


def test_the_same_message_sent_again_gives_the_first(start: Callable[..., Guest]) -> None:
    guest = start()
    first, again = guest.say("Hello\r\nthere", "one"), guest.say(" Hello\nthere", "one")
    assert first.get_json() == again.get_json()
    assert len(guest.events()) == 2


def test_another_text_under_a_known_id_is_refused_and_not_lost_in_silence(start: Callable[..., Guest]) -> None:
    guest = start()
    guest.say("Hello", "one")
    refused = guest.say("Hello, changed", "one")
    assert (refused.status_code, refused.get_json()["code"]) == (409, "duplicate")
    assert list(refused.get_json()["errors"]) == ["client_msg_id"]
    assert guest.say("Hello, changed", "two").status_code == 201
    assert [line["text"] for line in guest.events(after=1)] == ["Hello", "Hello, changed"]


def test_twenty_at_once_are_stored_once(start: Callable[..., Guest], new_client: Callable[[], FlaskClient]) -> None:
    guest = start()
    answers: list[TestResponse] = []

    def send(client_msg_id: str) -> None:
        sender = Guest(new_client(), guest.public_id, guest.token)
        answers.append(sender.say("Hello", client_msg_id))

    ids = ["same"] * 20 + [f"own{number}" for number in range(10)]
    threads = [threading.Thread(target=send, args=(client_msg_id,)) for client_msg_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {201}
    assert [line["seq"] for line in guest.events()] == list(range(1, 13))


@pytest.mark.parametrize("token", ["", "gst_", "gst_" + "0" * 40, "nonsense", "gst_" + "x" * 5000, "gst_é"])
@pytest.mark.parametrize(
    ("method", "what", "body"),
    [("GET", "events", None), ("POST", "messages", {"message": "x", "client_msg_id": "1"}), ("POST", "close", None)],
)
def test_without_the_token_there_is_no_such_conversation(
    start: Callable[..., Guest], token: str, method: str, what: str, body: Any
) -> None:
    guest = start()
    refused = guest.call(method, what, body, token=token)
    unknown = Guest(guest.client, "cnv_" + "0" * 24, token).call(method, what, body, token=token)
    assert refused.status_code == unknown.status_code == 404
    left, right = refused.get_json(), unknown.get_json()
    assert left.pop("request_id") != right.pop("request_id")
    assert left == right
    assert [line["seq"] for line in guest.events()] == [1]


def test_an_altered_token_and_anothers_conversation_are_unknown(start: Callable[..., Guest]) -> None:
    jane, mallory = start(), start()
    altered = jane.token[:-1] + ("0" if jane.token[-1] != "0" else "1")
    assert jane.call("GET", "events", token=altered).status_code == 404
    assert jane.call("GET", "events", token=mallory.token).status_code == 404
    sent = jane.call("POST", "messages", {"message": "I am Jane", "client_msg_id": "1"}, token=mallory.token)
    assert sent.status_code == 404
    assert len(jane.events()) == len(mallory.events()) == 1


def test_a_token_in_the_address_is_never_read(start: Callable[..., Guest], new_client: Any) -> None:
    guest = start()
    answer = new_client().get(f"{BASE}/{guest.public_id}/events?token={guest.token}&guest_token={guest.token}")
    assert answer.status_code == 404


def test_somebody_elses_address_gives_no_history(start: Callable[..., Guest]) -> None:
    email = new_email()
    jane, mallory = start(email=email, message="My secret"), start(email=email, message="Hello")
    assert jane.public_id != mallory.public_id
    assert [line["text"] for line in mallory.events()] == ["Hello"]


@pytest.mark.parametrize("field", ["seq", "author", "created_at", "state", "status", "conversation_id"])
def test_seq_time_and_author_are_not_the_guests_to_choose(start: Callable[..., Guest], field: str) -> None:
    guest = start()
    body = {"message": "x", "client_msg_id": "1", field: "staff"}
    refused = guest.call("POST", "messages", body)
    assert (refused.status_code, list(refused.get_json()["errors"])) == (400, [field])
    assert len(guest.events()) == 1


def test_a_browser_gets_a_cookie_and_no_token(new_client: Callable[[], FlaskClient]) -> None:
    client = new_client()
    answer = client.post(BASE, json=SEED | {"email": new_email()}, headers={"Origin": "http://localhost"})
    assert "guest_token" not in answer.get_json()["data"]
    cookie = answer.headers["Set-Cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=Lax", "Path=/"))
    public_id = answer.get_json()["data"]["public_id"]
    assert client.get(f"{BASE}/{public_id}/events").status_code == 200
    assert new_client().get(f"{BASE}/{public_id}/events").status_code == 404
    assert "My call answers 401." in client.get("/support").get_data(as_text=True)


def test_a_sandboxs_cookie_leaves_the_real_chat_alone(
    new_client: Callable[[], FlaskClient], alices_sandbox: NewSandbox
) -> None:
    client, browser = new_client(), {"Sec-Fetch-Site": "same-origin"}
    client.post(BASE, json=SEED | {"email": new_email(), "message": "A real question"}, headers=browser)
    sandboxed = browser | {"X-Publishable-Key": alices_sandbox.tenant.publishable_id or ""}
    answer = client.post(BASE, json=SEED | {"email": new_email(), "message": "A try"}, headers=sandboxed)
    public_id = answer.get_json()["data"]["public_id"]
    assert client.get(f"{BASE}/{public_id}/events", headers=sandboxed).status_code == 200
    assert client.get(f"{BASE}/{public_id}/events", headers=browser).status_code == 404
    assert "A real question" in client.get("/support").get_data(as_text=True)


def test_a_server_that_is_no_browser_gets_the_token(new_client: Callable[[], FlaskClient]) -> None:
    """Node's fetch sends Sec-Fetch-Mode, and is a server all the same."""
    client = new_client()
    answer = client.post(BASE, json=SEED | {"email": new_email()}, headers={"Sec-Fetch-Mode": "cors"})
    assert answer.get_json()["data"]["guest_token"].startswith("gst_")
    assert "Set-Cookie" not in answer.headers


def test_what_the_guest_closed_stays_closed_and_readable(start: Callable[..., Guest]) -> None:
    guest = start()
    closed = guest.call("POST", "close")
    assert closed.get_json()["data"] == guest.call("POST", "close").get_json()["data"]
    assert closed.get_json()["data"]["status"] == "Closed"
    refused = guest.say("One more thing", "late")
    assert (refused.status_code, refused.get_json()["code"]) == (409, "conflict")
    assert [(line["type"], line["status"]) for line in guest.events(after=1)] == [("status", "Closed")]


def test_bad_fields_are_named_at_once(new_client: Callable[[], FlaskClient]) -> None:
    answer = new_client().post(BASE, json={"fullName": "", "email": "x", "phoneNumber": "y", "name": "z"})
    assert answer.status_code == 400
    assert set(answer.get_json()["errors"]) == {"fullName", "email", "phoneNumber", "name", "message"}


@pytest.mark.parametrize("text", ["a\x00b", "z" + "\u0301" * 4000, "x" * 5001, "  "])
def test_texts_that_deceive_or_flood_are_refused(start: Callable[..., Guest], text: str) -> None:
    guest = start()
    assert guest.say(text, "1").status_code == 400
    assert len(guest.events()) == 1


@pytest.mark.parametrize("after", ["x", "-1", "1.5", "", "9" * 30])
def test_a_bad_cursor_is_refused(start: Callable[..., Guest], after: str) -> None:
    guest = start()
    answer = guest.call("GET", f"events?after={after}")
    assert (answer.status_code, list(answer.get_json()["errors"])) == (400, ["after"])


def test_one_person_who_starts_chat_after_chat_is_told_to_wait(app: Flask, client: FlaskClient, address: str) -> None:
    body = SEED | {"email": new_email()}
    use_up(app, CHATS_BY_EMAIL, f"{email_key(app, body['email'])} {address}", but=1)
    answers = [client.post(BASE, json=body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 429]
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_chats_started_elsewhere_with_somebodys_email_lock_nobody_out(
    app: Flask, client: FlaskClient, address: str, new_client: Callable[[], FlaskClient]
) -> None:
    body, mallory = SEED | {"email": new_email()}, client
    use_up(app, CHATS_BY_EMAIL, f"{email_key(app, body['email'])} {address}")
    assert mallory.post(BASE, json=body).status_code == 429
    assert new_client().post(BASE, json=body).status_code == 201


def test_refused_messages_use_up_nothing_of_a_guests_limit(app: Flask, start: Callable[..., Guest]) -> None:
    guest = start()
    assert [guest.say("", str(number)).status_code for number in range(3)] == [400] * 3
    assert left_of(app, MESSAGES_BY_GUEST, hashlib.sha256(guest.token.encode()).hexdigest()) == 300


def test_a_guest_who_writes_without_end_is_told_to_wait(
    app: Flask, start: Callable[..., Guest], new_client: Callable[[], FlaskClient]
) -> None:
    guest = start()
    use_up(app, MESSAGES_BY_GUEST, hashlib.sha256(guest.token.encode()).hexdigest(), but=1)
    codes = [Guest(new_client(), guest.public_id, guest.token).say("x", str(n)).status_code for n in range(2)]
    assert codes == [201, 429]


@pytest.mark.parametrize("disguise", ["cookie", "scheme", "page"])
def test_no_made_up_proof_beside_the_real_one_dodges_the_limit(app: Flask, disguise: str) -> None:
    """Whatever stands beside it, what is counted is the proof that is believed."""
    token, keys = "gst_" + "1" * 40, set()
    for number in range(3):
        headers = {
            "cookie": {"Cookie": f"slipway_chat=gst_{number}; slipway_chat={token}"},
            "scheme": {"Authorization": f"Basic {number}", "Cookie": f"slipway_chat={token}"},
            "page": {"Authorization": f"Bearer gst_{number}", "Cookie": f"slipway_chat={token}"},
        }[disguise]
        path = "/support/messages" if disguise == "page" else f"{BASE}/cnv_{'0' * 24}/messages"
        with app.test_request_context(path, method="POST", headers=headers):
            if guest_token() == token:
                keys.add(guest_proof())
    assert len(keys) <= 1


def test_mail_about_a_chat_goes_to_us_only_without_a_line_break(
    start: Callable[..., Guest], database: Database
) -> None:
    email = new_email()
    let_pass(database, 30)
    start(email=email, fullName="Jane\nBcc: all@example.org")
    let_pass(database, 30)
    mail = next(mail for mail in mails_to(database, "support@slipway.example") if email in mail["text"])
    assert "\n" not in mail["subject"]


def test_answers_stay_out_of_caches(start: Callable[..., Guest]) -> None:
    assert start().call("GET", "events").headers["Cache-Control"] == "no-store"


def test_the_log_of_calls_holds_no_token(
    new_client: Callable[[], FlaskClient], alices_sandbox: NewSandbox, database: Database
) -> None:
    from portal.api.exchanges import Exchange

    headers = {"X-Publishable-Key": alices_sandbox.tenant.publishable_id or ""}
    client = new_client()
    data = client.post(BASE, json=SEED | {"email": new_email()}, headers=headers).get_json()["data"]
    bearer = headers | {"Authorization": f"Bearer {data['guest_token']}"}
    assert client.get(f"{BASE}/{data['public_id']}/events", headers=bearer).status_code == 200
    with database.transaction(write=False) as session:
        session.bind_tenant(alices_sandbox.tenant.id)
        rows = list(session.scalars(select(Exchange)))
    assert len(rows) == 2
    assert not [row for row in rows if data["guest_token"] in str(vars(row))]
