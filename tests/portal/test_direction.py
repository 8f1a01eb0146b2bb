"""Hebrew and Arabic are laid out from right to left wherever people's text stands."""

from __future__ import annotations

from collections.abc import Callable

from flask.testing import FlaskClient

from portal.core.bidi import isolate
from portal.web.bidi import isolate_strings
from tests.direction import misdirected
from tests.lint import read_page
from tests.portal.people import fill_in, new_email, sign_up
from tests.portal.support.chatting import answer, chat_at_desk, start

NAME, TEXT = "דנה כהן", "השיחה נעצרת בשורה 12, למה?"
SPAM = " https://a.example https://b.example https://c.example"


def check(client: FlaskClient, *paths: str) -> None:
    for path in paths:
        answered = client.get(path, follow_redirects=True)
        assert NAME in answered.get_data(as_text=True) or TEXT in answered.get_data(as_text=True), path
        assert misdirected(read_page(path, answered)) == [], path


def test_the_chat_and_the_desk_lay_out_hebrew_in_its_own_direction(client: FlaskClient, sam: FlaskClient) -> None:
    email = new_email()
    start(client, fullName=NAME, email=email, message=TEXT)
    chat = chat_at_desk(sam, email)
    answer(sam, chat, TEXT + "!")
    check(client, "/support")
    check(sam, chat, f"/staff?q={email}", f"/staff?q={NAME}")


def test_leads_and_quarantine_lay_out_hebrew_in_its_own_direction(
    new_client: Callable[[], FlaskClient], sam: FlaskClient
) -> None:
    said = {"name": NAME, "email": new_email(), "message": TEXT}
    lead = new_client().post("/api/public/leads", json=said).get_json()["data"]["public_id"]
    suspicious = new_client().post("/api/public/leads", json=said | {"message": TEXT + SPAM}).get_json()["data"]
    check(sam, f"/staff/leads/{lead}", f"/staff/leads/{suspicious['public_id']}", f"/staff?q={said['email']}")


def test_what_was_typed_comes_back_in_its_own_direction(client: FlaskClient) -> None:
    for page in ("/contact", "/support"):
        refused = fill_in(client, page, page, name=NAME, fullName=NAME, email="no address", message=TEXT)
        assert refused.status_code == 400
        assert misdirected(read_page(page, refused)) == []


def test_an_account_and_a_search_lay_out_hebrew_in_its_own_direction(client: FlaskClient) -> None:
    sign_up(client, new_email(), name=NAME)
    check(client, "/account", "/contact", f"/search?q={NAME}")


def test_in_coloured_code_only_strings_with_such_letters_are_isolated() -> None:
    code = '<span class="s2">&quot;אב&quot;</span><span class="p">,</span> <span class="s2">&quot;é&quot;</span>'
    assert isolate_strings(code).count("span") == code.count("span"), "text that is no markup is escaped"
    from markupsafe import Markup

    isolated = isolate_strings(Markup(code))
    assert isolated.count('dir="auto"') == 1
    assert '<span class="s2" dir="auto">&quot;אב' in isolated


def test_in_plain_text_such_letters_are_isolated_and_others_left_alone() -> None:
    assert isolate("Jane") == "Jane"
    assert isolate("דנה") == "\u2068דנה\u2069"
