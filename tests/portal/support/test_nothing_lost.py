"""Whatever the network drops, repeats or reorders: nothing written is lost or doubled, and the order is kept."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from flask.testing import FlaskClient

from tests.portal.people import field_of, new_email
from tests.portal.support.chatting import all_lines, chat_at_desk, start

POSTS = 500
"""By each side, on each of two stores: 2,000 in all."""
PER_GUEST = 50
ARRIVING = ("arrives", "response lost", "twice", "late copy")


@dataclass
class Sender:
    """Somebody before a form, on a network that fails. The form stays as it was shown until a response arrives."""

    client: FlaskClient
    page: str
    action: str
    chance: random.Random
    stored: list[str]
    posts: int = 0
    form: dict[str, str] = field(default_factory=dict)
    late: list[dict[str, str]] = field(default_factory=list)

    def look(self) -> None:
        html = self.client.get(self.page, headers={"X-Partial": "1"}).get_data(as_text=True)
        self.form = {name: field_of(html, name, self.action) for name in ("csrf_token", "client_msg_id")}

    def deliver(self, fields: dict[str, str]) -> None:
        code = self.client.post(self.action, data=fields).status_code
        assert code in {303, 409}, code
        if fields["message"] not in self.stored:
            assert code == 303
            self.stored.append(fields["message"])

    def write(self, text: str) -> None:
        """Send a text until a response arrives, or leave it and turn to another one in the same form."""
        for _ in range(4):
            self.posts += 1
            fate = self.chance.choice(("request lost", *ARRIVING))
            fields = self.form | {"message": text}
            if fate in ARRIVING:
                self.deliver(fields)
            if fate == "twice":
                self.deliver(fields)
            if fate == "late copy":
                self.late.append(fields)
            if fate not in {"request lost", "response lost"}:
                self.look()
                return
            if self.chance.random() < 0.4:
                return

    def receive_late_copies(self) -> None:
        self.chance.shuffle(self.late)
        while self.late and self.chance.random() < 0.5:
            self.posts += 1
            self.deliver(self.late.pop())


@pytest.mark.parametrize("seed", range(POSTS // PER_GUEST))
def test_2000_posts_over_a_failing_network_are_each_stored_once_and_in_order(
    client: FlaskClient, sam: FlaskClient, seed: int
) -> None:
    chance, email, stored = random.Random(seed), new_email(), ["First"]
    start(client, email=email, message="First")
    chat = chat_at_desk(sam, email)
    visitor = Sender(client, "/support", "/support/messages", chance, stored)
    colleague = Sender(sam, chat, f"{chat}/messages", chance, stored)
    senders = [visitor, colleague]
    for sender in senders:
        sender.look()
    number = 0
    while any(sender.posts < PER_GUEST for sender in senders):
        sender = min(senders, key=lambda one: one.posts) if chance.random() < 0.5 else chance.choice(senders)
        number += 1
        sender.write(f"Text {number}")
        sender.receive_late_copies()
    assert all_lines(client) == stored


@pytest.mark.parametrize("side", ["visitor", "staff"])
def test_another_text_in_a_form_shown_once_is_a_message_of_its_own(
    client: FlaskClient, sam: FlaskClient, side: str
) -> None:
    """The response to the first is dropped; the form still carries its number when another text is sent."""
    email = new_email()
    start(client, email=email, message="First")
    chat = chat_at_desk(sam, email)
    who, page, action = {
        "visitor": (client, "/support", "/support/messages"),
        "staff": (sam, chat, f"{chat}/messages"),
    }[side]
    html = who.get(page).get_data(as_text=True)
    form = {name: field_of(html, name, action) for name in ("csrf_token", "client_msg_id")}
    for text in ("One", "Two", "Two"):
        assert who.post(action, data=form | {"message": text}).status_code == 303
    assert all_lines(client) == ["First", "One", "Two"]


@pytest.mark.parametrize("side", ["visitor", "staff"])
def test_a_text_said_before_is_not_dropped_in_silence(client: FlaskClient, sam: FlaskClient, side: str) -> None:
    """Yes, no, and yes again in one form: perhaps a repeat, perhaps meant. The page asks and keeps the text."""
    email = new_email()
    start(client, email=email, message="First")
    chat = chat_at_desk(sam, email)
    who, page, action = {
        "visitor": (client, "/support", "/support/messages"),
        "staff": (sam, chat, f"{chat}/messages"),
    }[side]
    html = who.get(page).get_data(as_text=True)
    form = {name: field_of(html, name, action) for name in ("csrf_token", "client_msg_id")}
    answers = [who.post(action, data=form | {"message": text}) for text in ("Yes", "No", "Yes")]
    assert [answer.status_code for answer in answers] == [303, 303, 409]
    asked = answers[-1].get_data(as_text=True)
    assert "You have already sent this" in asked
    again = {name: field_of(asked, name, action) for name in ("csrf_token", "client_msg_id")}
    assert who.post(action, data=again | {"message": "Yes"}).status_code == 303
    assert all_lines(client) == ["First", "Yes", "No", "Yes"]


def test_the_start_form_sent_again_with_another_text_adds_it(client: FlaskClient) -> None:
    """Words that support has used before count as the visitor's own all the same."""
    token = field_of(client.get("/support").get_data(as_text=True), "csrf_token", "/support")
    for text in ("One", "Two", "One", "Two"):
        start(client, csrf_token=token, message=text)
    assert all_lines(client) == ["One", "Two"]


def test_a_corrected_address_in_the_start_form_holds(client: FlaskClient, sam: FlaskClient) -> None:
    wrong, right = new_email("wrong"), new_email("right")
    token = field_of(client.get("/support").get_data(as_text=True), "csrf_token", "/support")
    start(client, csrf_token=token, email=wrong)
    start(client, csrf_token=token, email=right)
    assert chat_at_desk(sam, right)


def test_two_responses_to_one_start_that_arrive_in_reverse_both_open_the_conversation(
    new_client: Callable[[], FlaskClient],
) -> None:
    first, second = new_client(), new_client()
    token = field_of(first.get("/support").get_data(as_text=True), "csrf_token", "/support")
    email = new_email()
    for client in (first, second):
        start(client, email=email, csrf_token=token, message="Once")
    assert all_lines(first) == all_lines(second) == ["Once"]
