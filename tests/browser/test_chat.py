"""The chat in a real browser: nothing typed is lost, what is shown is true, a long one opens at its end."""

from __future__ import annotations

import re
import uuid

import pytest
from flask import Flask
from playwright.sync_api import Locator, Page, Route, expect

from portal.support.service import answer_as_staff, close_conversation, find_conversation, list_conversations
from portal.support.service import post_as_guest as post
from portal.tenancy.service import find_house
from tests.browser.conftest import NewPage
from tests.conftest import runtime_of

pytestmark = pytest.mark.xdist_group("browser")


def begin(page: Page, place: Page | Locator) -> str:
    """Start a conversation; gives the email address typed."""
    email = f"{uuid.uuid4().hex[:8]}@buyers.example"
    place.get_by_label("Name").fill("דנה כהן")
    place.get_by_label("E-mail").fill(email)
    place.get_by_label("Message").fill("First words")
    place.get_by_role("button", name="Start conversation").click()
    expect(place.locator("[data-messages]")).to_contain_text("First words")
    return email


def act(app: Flask, email: str, *replies: str, close: bool = False, lines: int = 0) -> None:
    """What happens at the desk, or in another browser of the visitor, meanwhile."""
    with runtime_of(app).database.transaction() as session:
        session.bind_tenant(find_house(session).id)
        found = list_conversations(session, search=email).rows[0]
        conversation = find_conversation(session, found.public_id)
        for number in range(lines):
            post(session, conversation, f"Line {number}")
        for reply in replies:
            answer_as_staff(session, conversation, reply, author_name="Robin")
        if close:
            close_conversation(session, conversation, "staff")


@pytest.mark.browser
def test_the_open_panel_says_what_is_true_after_a_reply_and_a_close(app: Flask, new_page: NewPage) -> None:
    page = new_page()
    page.goto("/docs/quickstart")
    page.get_by_role("link", name="Chat with support").first.click()
    panel = page.get_by_role("dialog")
    email = begin(page, panel)
    expect(panel).to_contain_text("Your message is with us")
    panel.get_by_label("Your message").fill("Half a sentence")
    act(app, email, "Here you are")
    expect(panel.locator("[data-messages]")).to_contain_text("Here you are", timeout=30_000)
    expect(panel).not_to_contain_text("Your message is with us")
    expect(panel.locator(".message-author").last).to_have_text("Robin, support")
    act(app, email, close=True)
    expect(panel).to_contain_text("Support closed this conversation", timeout=30_000)
    expect(panel.get_by_label("Your message")).to_have_value("Half a sentence")


@pytest.mark.browser
def test_a_text_typed_after_a_lost_response_is_stored_too(new_page: NewPage) -> None:
    page = new_page()
    page.goto("/support")
    begin(page, page)
    form = page.locator("form[action='/support/messages']")

    def lose(route: Route) -> None:
        route.fetch()
        route.fulfill(status=404, content_type="text/plain", body="")

    page.route("**/support/messages", lose)
    form.get_by_label("Your message").fill("One")
    form.get_by_role("button", name="Send message").click()
    expect(page.locator("[data-messages]")).to_contain_text("One", timeout=30_000)
    page.unroute("**/support/messages")
    for text in ("Two", "One"):
        form.get_by_label("Your message").fill(text)
        form.get_by_role("button", name="Send message").click()
        expect(page.locator(".message-text").last).to_have_text(text)
        expect(form.get_by_label("Your message")).to_have_value("")
    assert page.locator(".message-text").all_inner_texts() == ["First words", "One", "Two", "One"]


@pytest.mark.browser
@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_a_long_chat_opens_at_its_newest_line(app: Flask, new_page: NewPage, script: bool) -> None:
    page = new_page(script=script, width=390)
    page.goto("/support")
    act(app, begin(page, page), lines=120)
    page.goto("/support")
    newest, oldest = page.get_by_text("Line 119", exact=True), page.get_by_text("First words", exact=True)
    assert is_in_window(newest)
    expect(page.locator("[data-message]")).to_have_count(50)
    for count in (100, 121) if script else (50, 21):
        page.get_by_role("link", name="Show earlier messages").click()
        expect(page.locator("[data-message]")).to_have_count(count)
    expect(oldest).to_be_attached()
    expect(page.get_by_role("link", name="Show earlier messages")).to_have_count(0)


@pytest.mark.browser
def test_hebrew_is_laid_out_from_right_to_left(app: Flask, new_page: NewPage) -> None:
    page = new_page()
    page.goto("/support")
    email = begin(page, page)
    act(app, email, "שלום דנה, הנה התשובה.")
    page.goto("/support")
    reply = page.locator(".message-text").last
    assert reply.evaluate("node => getComputedStyle(node).direction") == "rtl"
    assert page.locator(".message-text").first.evaluate("node => getComputedStyle(node).direction") == "ltr"
    assert re.fullmatch(r"Robin, support", page.locator(".message-author").last.inner_text())


def is_in_window(line: Locator) -> bool:
    """Whether a line stands inside the part of the conversation that its window shows."""
    inside: bool = line.evaluate(
        """node => {
            const box = node.getBoundingClientRect();
            const window = node.closest(".messages-window").getBoundingClientRect();
            return box.top >= window.top - 1 && box.bottom <= window.bottom + 1;
        }"""
    )
    return inside
